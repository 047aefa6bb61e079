# Sourced by both: a node's preparation. $1: the package.
mkdir -p /root/unpacked
tar -C /root/unpacked --zstd -xf "$1"
cd /root/unpacked || exit

printf 'overlay\nbr_netfilter\n' > /etc/modules-load.d/k8s.conf
printf 'net.bridge.bridge-nf-call-iptables = 1\nnet.bridge.bridge-nf-call-ip6tables = 1\nnet.ipv4.ip_forward = 1\n' > /etc/sysctl.d/k8s.conf
sysctl -q -p /etc/sysctl.d/k8s.conf

mkdir -p /opt/cni/bin /etc/containerd /etc/cni/net.d /etc/systemd/system/kubelet.service.d
cp cni/* /opt/cni/bin/
cp bin/kubeadm bin/kubelet bin/kubectl container/containerd container/containerd-shim-runc-v2 container/ctr /usr/local/bin/
cp container/runc /usr/local/sbin/
cp /root/by-hand/config.toml /etc/containerd/config.toml
cp /root/by-hand/containerd.service /root/by-hand/kubelet.service /etc/systemd/system/
cp /root/by-hand/10-kubeadm.conf /etc/systemd/system/kubelet.service.d/
systemctl daemon-reload
systemctl enable -q --now containerd
systemctl enable -q kubelet

tar -C images -cf - . | ctr -n k8s.io images import -
