#!/bin/sh
# What the stand-in for edgeadm does to a host of `npm run bench:fleet`: the same as playbook.yaml, task by task.
# $1: the package. $2: the node's name.
set -eu
umask 022
[ "$(uname -s)" = Linux ] && [ "$(uname -m)" = x86_64 ]
[ "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)" -ge 1048576 ]
for program in curl ip ssh tar; do command -v "$program" > /dev/null; done
ss -Hltn 'sport = :10250' | if grep -q .; then exit 1; fi
tail -n +2 /proc/swaps > /dev/null
# The real one: it starts, and checks the package's hashes.
EXECUTABLE package verify "$1" > /dev/null
mkdir -p /opt/cni/bin /opt/unpacked /etc/containerd /etc/cni/net.d /etc/kubernetes/manifests \
  /etc/modules-load.d /etc/sysctl.d /etc/systemd/system/kubelet.service.d
tar -C /opt/unpacked -xf "$1"
cp /opt/unpacked/bin/* /usr/local/bin/
cp /opt/unpacked/cni/* /opt/cni/bin/
put() { install -m "$2" "/opt/unpacked/files/$1" "$3"; }
put modules.conf 644 /etc/modules-load.d/k8s.conf
put sysctl.conf 644 /etc/sysctl.d/k8s.conf
put config.toml 644 /etc/containerd/config.toml
put containerd.service 644 /etc/systemd/system/containerd.service
put kubelet.service 644 /etc/systemd/system/kubelet.service
put 10-kubeadm.conf 644 /etc/systemd/system/kubelet.service.d/10-kubeadm.conf
put 10-bridge.conflist 644 /etc/cni/net.d/10-bridge.conflist
grep -q ' master$' /etc/hosts || echo '127.0.0.1 master' >> /etc/hosts
umask 077
sed "s/NODE/$2/" /opt/unpacked/files/join.yaml > /etc/kubernetes/join.yaml
