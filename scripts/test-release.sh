#!/usr/bin/env bash
# npm run test:release: makes a release and tries it as a user would. The .deb on a bare Debian root (a folder; programs run in it with
# chroot, in mount and process namespaces of their own), the .rpm with rpm on an empty root, the install script with good and with changed files.
# Ends with a line "N passed, N failed". EDGEADM_DIST names a dist/ that is there instead of making one.
set -euo pipefail
# shellcheck source=scripts/prepare.sh
source "$(dirname "$0")/prepare.sh"
# shellcheck disable=SC2034 # read by install_missing, by name
declare -A programs=([mmdebstrap]=mmdebstrap [rpm]=rpm [openssl]=openssl [zstd]=zstd [mandoc]=mandoc)
install_missing programs

dist=${EDGEADM_DIST:-}
if [ -z "$dist" ]; then
  step "making a release (without the offline package)"
  npm run --silent release -- --arch amd64 --without-packages > test-logs-release.tmp 2>&1 || { cat test-logs-release.tmp >&2; rm -f test-logs-release.tmp; die "npm run release failed"; }
  rm -f test-logs-release.tmp
  dist=dist
fi
dist=$(realpath "$dist")

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
passed=0 failed=0
check() { # check WHAT COMMAND…
  local what=$1
  shift
  if "$@" > "$work/output" 2>&1; then passed=$((passed + 1)); echo "ok: $what"
  else failed=$((failed + 1)); echo "FAILED: $what"; sed 's/^/    /' "$work/output"; fi
}
refused() { # refused TEXT COMMAND…: the command fails and says TEXT
  local text=$1
  shift
  if ! "$@" > "$work/refusal" 2>&1 && grep -qF -- "$text" "$work/refusal"; then return 0; fi
  cat "$work/refusal"
  return 1
}

step "the generated documents"
documents_are_current() { node scripts/docs.ts && git diff --exit-code --stat -- docs; }
check "npm run docs changes nothing" documents_are_current

step "the install script"
sums_hold() { (cd "$dist" && sha256sum --quiet -c SHA256SUMS); }
check "the checksums hold" sums_hold
check "install.sh installs" sh "$dist/install.sh" --prefix "$work/prefix"
check "what it installed runs" "$work/prefix/bin/edgeadm" --version
copy=$work/changed
fresh_copy() { rm -rf "$copy"; mkdir "$copy"; cp "$dist"/{install.sh,release.pub,SHA256SUMS,SHA256SUMS.sig,edgeadm-linux-amd64} "$copy"; }
fresh_copy; printf x >> "$copy/edgeadm-linux-amd64"
check "a changed executable is refused" refused "is damaged" sh "$copy/install.sh" --prefix "$work/none"
fresh_copy; printf x >> "$copy/edgeadm-linux-amd64"; (cd "$copy" && sha256sum edgeadm-linux-amd64 > SHA256SUMS)
check "changed checksums are refused" refused "signature" sh "$copy/install.sh" --prefix "$work/none"
fresh_copy; openssl genpkey -algorithm ed25519 2> /dev/null | openssl pkey -pubout > "$work/other.pub"
check "another key is refused" refused "signature" sh "$copy/install.sh" --prefix "$work/none" --key "$work/other.pub"
fresh_copy; rm "$copy/SHA256SUMS.sig"
check "a missing signature is refused" refused "is missing" sh "$copy/install.sh" --prefix "$work/none"
nothing_in() { [ -z "$(find "$1" -type f 2> /dev/null)" ]; }
check "refusals install nothing" nothing_in "$work/none"

step "the npm package for programs"
# npm would get what it depends on from the registry; here that is what the checkout has.
app=$work/app
mkdir -p "$app/node_modules/edgeadm"
for module in "$PWD"/node_modules/*; do ln -s "$module" "$app/node_modules/"; done
tar -xzf "$dist"/edgeadm-*.tgz -C "$app/node_modules/edgeadm" --strip-components=1
cp test/fleet/example-ci.ts "$app/ci.ts"
echo '{"type": "module"}' > "$app/package.json"
types_fit() { (cd "$app" && tsc --noEmit --strict --module nodenext --target es2024 --types node --skipLibCheck false ci.ts); }
check "the documentation's example has the right types" types_fit
check "it loads, and refuses an inventory that is not there" refused "nowhere.yaml" node "$app/ci.ts" nowhere.yaml

step "the .deb on a bare Debian root"
root=$work/root
# What an installed Debian has and a minimal root has not; init refuses a machine without them.
mmdebstrap --quiet --variant=minbase --include=iproute2,iptables,kmod,procps,systemd "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" 2> "$work/mmdebstrap.log" ||
  { cat "$work/mmdebstrap.log" >&2; die "mmdebstrap failed"; }
# A machine without a nameserver; a missing file is refused.
[ -e "$root/etc/resolv.conf" ] || : > "$root/etc/resolv.conf"
deb=$(echo "$dist"/edgeadm_*_amd64.deb)
cp "$deb" "$root/edgeadm.deb"
# proc comes and goes with the namespaces.
# shellcheck disable=SC2016 # the inner shell's own arguments
inside() { unshare --mount --pid --fork --kill-child sh -c 'mount -t proc proc "$0/proc" && exec chroot "$@"' "$root" "$root" "$@"; }
listing() { (cd "$root" && find . -xdev -path ./var/lib/dpkg -prune -o -path ./var/log/dpkg.log -prune -o -path ./proc -prune -o -type f -printf '%p %m ' -exec sha256sum {} ';' -o -printf '%p %m %l\n' | sort); }
listing > "$work/before"
check "dpkg installs it" inside dpkg -i /edgeadm.deb
check "edgeadm runs" inside edgeadm version
dry_run() { inside edgeadm init --dry-run && inside test ! -e /var/lib/edgeadm; }
check "edgeadm init --dry-run prints a plan" dry_run
check "bash completion is there" test -s "$root/usr/share/bash-completion/completions/edgeadm"
unpacked=$work/deb
dpkg-deb -x "$deb" "$unpacked"
man_pages() {
  local page
  for page in "$unpacked"/usr/share/man/man1/*.gz; do
    gzip -dc "$page" | mandoc -T lint -W error || { echo "$page"; return 1; }
  done
  [ "$(find "$unpacked/usr/share/man/man1" -type f | wc -l)" -gt 10 ]
}
check "the man pages are sound" man_pages
check "dpkg removes it" inside dpkg -r edgeadm
listing > "$work/after"
check "nothing is left" diff "$work/before" "$work/after"

step "the .rpm on an empty root"
rpm=$(echo "$dist"/edgeadm-*.x86_64.rpm)
mkdir "$work/rpm"
rpm_into() { rpm --root "$work/rpm" "$@"; }
check "rpm installs it" rpm_into -i --nodeps --nosignature "$rpm"
check "the .rpm has the same executable" cmp "$work/rpm/usr/bin/edgeadm" "$unpacked/usr/bin/edgeadm"
check "rpm removes it" rpm_into -e edgeadm
check "nothing of it is left" nothing_in "$work/rpm/usr"

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
