#!/usr/bin/env bash
# npm test: formatting, types, unit tests, and all tests on booted machines. Ends with a line "N passed, N failed".
# EDGEADM_TEST_FILES names lab test files to run instead of all ("test/lab/reset.test.ts").
set -euo pipefail
source "$(dirname "$0")/prepare.sh"
mkdir -p test-logs

# What tests call on this host itself; machines bring their own.
# shellcheck disable=SC2034 # by its name
declare -A programs=([shellcheck]=shellcheck [iptables]=iptables [nft]=nftables [ip]=iproute2 [zstd]=zstd [openssl]=openssl [ps]=procps [script]=bsdutils [ssh-agent]=openssh-client)
install_missing programs
# sshd is started by the tests; installing it must not open this host's port 22.
if [ ! -x /usr/sbin/sshd ]; then
  policy=
  [ -e /usr/sbin/policy-rc.d ] || { policy=/usr/sbin/policy-rc.d; printf '#!/bin/sh\nexit 101\n' > $policy; chmod 755 $policy; }
  install_packages openssh-server
  [ -z "$policy" ] || rm "$policy"
  [ ! -d /run/systemd/system ] || systemctl disable --quiet ssh
fi

step "checking format, types and shell"
biome check .
tsc --noEmit
scripts/check-shell.sh

# First what unit tests look at: programs of the default package.
build_package

failed=0
step "unit tests, and meanwhile the rest of what the tests on machines need"
"$EDGEADM" package build "${TEST_PACKAGE_FLAGS[@]}" > /dev/null 2> test-logs/package.log &
rest=$!
vitest run --project unit --reporter default --reporter json --outputFile.json=test-logs/unit.json || failed=1
wait $rest || { cat test-logs/package.log >&2; die "the package for the tests on machines cannot be built"; }
build_package "${TEST_PACKAGE_FLAGS[@]}"
step "tests on booted machines; logs of failures go to test-logs/"
# shellcheck disable=SC2086
vitest run --project 'lab*' --reporter verbose --reporter json --outputFile.json=test-logs/lab.json ${EDGEADM_TEST_FILES:-} || failed=1

node scripts/summary.mjs test-logs/unit.json test-logs/lab.json || failed=1
exit $failed
