# What a machine is like, apart from its files: run before edgeadm and after its reset, it has to print the same.
set -u
section() { echo "=== $1"; }
section "kernel parameters"
sysctl -a 2>/dev/null | grep -E '^net\.' | grep -vE 'nf_conntrack_count|netdev_rss_key'
section modules
[ ! -e /proc/modules ] || cut -d ' ' -f 1 /proc/modules | sort
section "unit files"
systemctl list-unit-files --no-legend --plain --no-pager
section units
# Sessions come and go with the commands of the test.
# A target that something started is nobody's to stop.
systemctl list-units --all --no-legend --plain --no-pager --full | awk '{ print $1, $2, $3, $4 }' |
  grep -vE '^(session-|user[-@]|run-u|sys-|dev-)|systemd-tmpfiles-clean|network-online\.target' | sort
section interfaces
ip -brief link | sed 's/  */ /g'
ip -brief address | sed 's/  */ /g'
ip route
ip -6 route
ip netns list
section mounts
# /run/host is the lab's, and so are files of the host's that may be replaced meanwhile.
findmnt --raw --noheadings --output TARGET,SOURCE,FSTYPE,OPTIONS | grep -v '^/run/host/' |
  sed 's,//deleted,,' | sort
section "firewall rules"
for save in iptables-save ip6tables-save iptables-legacy-save ip6tables-legacy-save; do $save | grep -v '^#'; done
nft list ruleset | sed -E 's/counter packets [0-9]+ bytes [0-9]+/counter/'
section "/run"
find /run -maxdepth 2 | grep -vE '^/run/(systemd|udev|log|user|lock)' | sort
section "control groups"
find /sys/fs/cgroup -maxdepth 3 -type d | grep -E 'kube|containerd' | sort
section ports
ss -Hltun | awk '{ print $1, $5 }' | sort
section processes
ps -eo args= | cut -d ' ' -f 1 | grep -E '^/|kube|containerd|etcd|flannel' | sort -u
section "files that were there"
for directory in /etc/cni /etc/kubernetes /etc/modules-load.d /etc/sysctl.d /etc/hosts /root/.kube /opt; do
  find "$directory" -printf '%p %y %m %U %G\n' 2>/dev/null
  find "$directory" -type f -printf '%p %TY-%Tm-%Td %TH:%TM ' -exec sha256sum '{}' ';' 2>/dev/null
done | sort
