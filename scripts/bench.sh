#!/usr/bin/env bash
# npm run bench: figures of this host, as ratios within one run. EDGEADM_BENCH_ROUNDS sets the number of rounds (3).
set -euo pipefail
source "$(dirname "$0")/prepare.sh"
# The program: the shell has a word of that name.
[ -x /usr/bin/time ] || install_packages time
build_package
exec node test/bench/index.ts
