# Prints what a fleet has to know of this machine: KEY=VALUE lines, files as base64. Changes nothing.
# $1: the directory of the fleet's own files. $2: the executable.
say() { printf '%s=%s\n' "$1" "$2"; }
file() { if [ -r "$2" ]; then say "$1" "$(base64 < "$2" | tr -d '\n')"; fi; }
say uid "$(id -u)"
say os "$(uname -s)"
say arch "$(uname -m)"
say hostname "$(uname -n)"
say time "$(date +%s)"
say machineId "$(cat /etc/machine-id 2> /dev/null)"
say freeKiB "$(df -Pk /var/lib 2> /dev/null | awk 'NR == 2 { print $4 }')"
say addresses "$(ip -o address show scope global 2> /dev/null | awk '{ sub("/.*", "", $4); printf "%s ", $4 }')"
say mtu "$(ip -o link show 2> /dev/null | awk '$2 !~ /^(lo|cni|flannel|veth|docker|br-)/ { for (i = 1; i < NF; i++) if ($i == "mtu") { print $(i + 1); exit } }')"
for program in base64 sha256sum tail awk df; do
  command -v "$program" > /dev/null || say missing "$program"
done
if [ -f "$2" ]; then say executable "$(sha256sum < "$2" | cut -d' ' -f1)"; fi
for package in "$1"/package/*; do
  [ -f "$package" ] && case $package in *.part) ;; *) say package "${package##*/}" ;; esac
done
file record "$1/applied.json"
file ca /etc/kubernetes/pki/ca.crt
for path in /etc/kubernetes/admin.conf /etc/kubernetes/kubelet.conf /etc/kubeedge/config/edgecore.yaml; do
  [ -e "$path" ] && say has "$path"
done
[ -e /etc/kubernetes/kubelet.conf ] && say server "$(sed -n 's/^ *server: *//p' /etc/kubernetes/kubelet.conf | head -n 1)"
[ -e /etc/kubeedge/config/edgecore.yaml ] && say server "$(sed -n 's/^ *httpServer: *//p' /etc/kubeedge/config/edgecore.yaml | head -n 1)"
[ -e /var/lib/edgeadm/journal.ndjson ] && say journal "$(grep '"settings"' /var/lib/edgeadm/journal.ndjson | tail -n 1 | sed -n 's/.*"command":"\([a-z]*\)".*/\1/p')"
if [ -e "$1/run/pid" ]; then
  read -r pid start < "$1/run/pid"
  if [ "$(cut -d' ' -f22 "/proc/$pid/stat" 2> /dev/null)" = "$start" ]; then
    say running "$(cat "$1/run/command")"
    file holder "$1/run/holder"
  fi
fi
exit 0
