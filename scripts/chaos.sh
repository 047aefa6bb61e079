#!/usr/bin/env bash
# npm run chaos [-- --scenario NAME … --random N --stop]: kills edgeadm in each phase and at random moments, and runs the
# same command again. Prints a Markdown table; exit code 1 if a row failed. All scenarios take about an hour.
set -euo pipefail
source "$(dirname "$0")/prepare.sh"
build_package "${TEST_PACKAGE_FLAGS[@]}"
exec node test/chaos/index.ts "$@"
