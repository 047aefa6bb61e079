#!/usr/bin/env bash
# Tests on booted machines that are not part of `npm test`, by their project in vitest.config.ts:
#   npm run test:life   certificates that end and are renewed, a backup, clusters that come back from it, and masters that are
#                       replaced; some twenty minutes
#   npm run test:long   SuperEdge, balancers of others, a cluster without a package, from a mirror, and
#                       a fleet with three masters; some thirty minutes
set -euo pipefail
source "$(dirname "$0")/prepare.sh"
mkdir -p test-logs

# shellcheck disable=SC2034 # by its name
declare -A programs=([iptables]=iptables [nft]=nftables [ip]=iproute2 [zstd]=zstd)
install_missing programs

build_package "${TEST_PACKAGE_FLAGS[@]}"

step "tests on booted machines; logs of failures go to test-logs/"
vitest run --project "$1" --reporter verbose
