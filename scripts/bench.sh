#!/usr/bin/env bash
# npm run bench: figures of this host, as ratios within one run. EDGEADM_BENCH_ROUNDS sets the number of rounds (3).
set -euo pipefail
source "$(dirname "$0")/prepare.sh"
command -v time > /dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq time > /dev/null; }
EDGEADM_TEST_PACKAGE=$("$EDGEADM" package build)
EDGEADM_TEST_EXECUTABLE="$EDGEADM"
export EDGEADM_TEST_PACKAGE EDGEADM_TEST_EXECUTABLE
exec node test/bench/index.ts
