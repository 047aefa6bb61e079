#!/usr/bin/env bash
# npm test: formatting, types, unit tests, and all tests on booted machines. Ends with a line "N passed, N failed".
# EDGEADM_TEST_FILES names lab test files to run instead of all ("test/lab/reset.test.ts").
set -euo pipefail
source "$(dirname "$0")/prepare.sh"
mkdir -p test-logs

# What tests call on this host itself; machines bring their own.
declare -A programs=([iptables]=iptables [nft]=nftables [ip]=iproute2 [zstd]=zstd [openssl]=openssl [ps]=procps [script]=bsdutils)
install_missing programs

step "checking format and types"
biome check .
tsc --noEmit

build_package

failed=0
step "unit tests"
vitest run --project unit --reporter default --reporter json --outputFile.json=test-logs/unit.json || failed=1
step "tests on booted machines; logs of failures go to test-logs/"
# shellcheck disable=SC2086
vitest run --project 'lab*' --reporter verbose --reporter json --outputFile.json=test-logs/lab.json ${EDGEADM_TEST_FILES:-} || failed=1

node scripts/summary.mjs test-logs/unit.json test-logs/lab.json || failed=1
exit $failed
