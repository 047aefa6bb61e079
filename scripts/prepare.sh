# Sourced by the other scripts: makes a checkout ready on a fresh Debian or Ubuntu host. Says what it does; what is there
# already takes a fraction of a second. Afterwards $EDGEADM is the executable, built from this very tree.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() { printf '==> %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 3; }

[ "$(uname -s)" = Linux ] || die "this needs Linux"
[ "$(id -u)" = 0 ] || die "this boots machines and needs root: run it with sudo"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' || die "Node.js 20 or later is needed"
command -v go > /dev/null || [ -x /usr/local/go/bin/go ] || die "Go is needed to build Kubernetes' parts from source: https://go.dev/dl"
command -v go > /dev/null || export PATH="$PATH:/usr/local/go/bin"

install_packages() {
  [ $# -gt 0 ] || return 0
  step "installing $*"
  # Another apt may be at work: unattended-upgrades is, after boot.
  apt-get -o DPkg::Lock::Timeout=300 update -qq
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@" > /dev/null
}
# install_missing NAME: of an associative array, program -> the package it comes from.
install_missing() {
  local -n wanted=$1
  local missing=() program
  for program in "${!wanted[@]}"; do
    command -v "$program" > /dev/null || [ -x "/usr/sbin/$program" ] || missing+=("${wanted[$program]}")
  done
  install_packages "${missing[@]}"
}
# shellcheck disable=SC2034 # by its name
declare -A needed=([strip]=binutils)
install_missing needed

lock_hash=$(sha256sum package-lock.json | cut -d' ' -f1)
if [ "$(cat node_modules/.edgeadm-lock 2> /dev/null)" != "$lock_hash" ]; then
  step "installing npm modules (about 200 MB, less than a minute)"
  npm ci --no-audit --no-fund
  echo "$lock_hash" > node_modules/.edgeadm-lock
fi
export PATH="$PWD/node_modules/.bin:$PATH"

EDGEADM="$PWD/build/edgeadm-linux-amd64"
tree_hash=$(find bin src templates packages-manifests scripts/build.ts package-lock.json -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
if [ ! -x "$EDGEADM" ] || [ "$(cat build/tree-hash 2> /dev/null)" != "$tree_hash" ]; then
  step "building the executable"
  npm run --silent build > build.log 2>&1 || { cat build.log >&2; die "npm run build failed"; }
  rm -f build.log
  echo "$tree_hash" > build/tree-hash
fi
export EDGEADM

# What the package for tests has beyond the default one: several masters, and SuperEdge.
# shellcheck disable=SC2034 # in the scripts that source this one
TEST_PACKAGE_FLAGS=(--with load-balancer --with superedge)

# What tests and the benchmark run with. build_package FLAG...: flags of `edgeadm package build`.
build_package() {
  step "building the offline package (cold: some minutes; then from the cache)"
  EDGEADM_TEST_PACKAGE=$("$EDGEADM" package build "$@")
  EDGEADM_TEST_EXECUTABLE="$EDGEADM"
  export EDGEADM_TEST_PACKAGE EDGEADM_TEST_EXECUTABLE
}
