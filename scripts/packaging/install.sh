#!/bin/sh
# Installs edgeadm from the files of a release that lie beside this script, after it has checked them. Nothing is downloaded.
#   sh install.sh [--key FILE] [--prefix DIR]
#   --key FILE    the public key that you trust; without it, release.pub beside this script, which whoever changed the
#                 files could have changed too: compare the fingerprint that is printed with the published one
#   --prefix DIR  default /usr/local
set -eu
die() { printf 'error: %s\n' "$*" >&2; exit "${code:-4}"; }

here=$(cd "$(dirname "$0")" && pwd)
key=$here/release.pub
prefix=/usr/local
while [ $# -gt 0 ]; do
  case $1 in
    --key) [ $# -gt 1 ] || { code=2; die "--key needs a file"; }; key=$2; shift ;;
    --key=*) key=${1#*=} ;;
    --prefix) [ $# -gt 1 ] || { code=2; die "--prefix needs a folder"; }; prefix=$2; shift ;;
    --prefix=*) prefix=${1#*=} ;;
    *) code=2; die "there is no $1; usage: sh install.sh [--key FILE] [--prefix DIR]" ;;
  esac
  shift
done

case $(uname -m) in
  x86_64) arch=amd64 ;;
  aarch64) arch=arm64 ;;
  *) code=3; die "edgeadm is built for x86_64 and aarch64, not for $(uname -m)" ;;
esac
command -v openssl > /dev/null || { code=3; die "openssl (3.0 or later) is needed to check the signature: install it, or install the .deb or .rpm"; }
for file in SHA256SUMS SHA256SUMS.sig "edgeadm-linux-$arch"; do
  [ -f "$here/$file" ] || die "$here/$file is missing: put all files of the release into one folder"
done
[ -f "$key" ] || { code=2; die "there is no key $key"; }

openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$here/SHA256SUMS" -sigfile "$here/SHA256SUMS.sig" > /dev/null 2>&1 ||
  die "the signature of $here/SHA256SUMS does not fit the key $key: get the release anew, and check that the key is its publisher's"
wanted=$(sed -n "s/^\([0-9a-f]\{64\}\)  edgeadm-linux-$arch\$/\1/p" "$here/SHA256SUMS")
[ -n "$wanted" ] || die "$here/SHA256SUMS does not list edgeadm-linux-$arch"

mkdir -p "$prefix/bin"
temporary=$(mktemp "$prefix/bin/.edgeadm.XXXXXX")
trap 'rm -f "$temporary"' EXIT
cp "$here/edgeadm-linux-$arch" "$temporary"
# What was copied is what is checked and what is installed.
[ "$(sha256sum "$temporary" | cut -d' ' -f1)" = "$wanted" ] || die "$here/edgeadm-linux-$arch is damaged: its SHA-256 is not the one in SHA256SUMS"
chmod 0755 "$temporary"
mv -f "$temporary" "$prefix/bin/edgeadm"
printf 'key: %s, SHA-256 of its DER form %s\n' "$key" "$(openssl pkey -pubin -in "$key" -outform DER | sha256sum | cut -d' ' -f1)"
printf 'installed: %s\n' "$prefix/bin/edgeadm"
"$prefix/bin/edgeadm" --version
