#!/bin/sh
# Debian packages in a machine, from this host: machines have no way out. ROOT CACHE PACKAGE...
# To be run in mount and process namespaces of its own; CACHE keeps what was downloaded.
set -eu
root=$1 cache=$2
shift 2
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
mkdir -p "$cache/archives/partial" "$cache/lists/partial"
mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
mount --bind "$cache/archives" "$root/var/cache/apt/archives"
mount --bind "$cache/lists" "$root/var/lib/apt/lists"
# Nothing may be started: it would run on this host and not in the machine.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
eval "$(apt-config shell PROXY Acquire::http::Proxy)"
apt() { chroot "$root" apt-get -qy -o "Acquire::http::Proxy=${PROXY:-}" "$@"; }
if [ ! -e "$cache/complete" ]; then
  apt update
  apt install --no-install-recommends --download-only "$@"
  touch "$cache/complete"
fi
apt install --no-install-recommends --no-download "$@"
rm "$root/usr/sbin/policy-rc.d"
