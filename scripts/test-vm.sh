#!/usr/bin/env bash
# npm run test:vm: a node on a kernel of its own (user-mode Linux): control groups version 2, kernel modules, SELinux.
set -euo pipefail
source "$(dirname "$0")/prepare.sh"
mkdir -p test-logs

# shellcheck disable=SC2034 # by its name
declare -A programs=([linux.uml]=user-mode-linux [mmdebstrap]=mmdebstrap [mkfs.ext4]=e2fsprogs)
install_missing programs

build_package

step "a machine with its own kernel: some ten minutes; logs of failures go to test-logs/"
vitest run --project vm --reporter verbose
