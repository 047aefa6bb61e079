#!/bin/bash
# What a user does by hand to make an edge node with KubeEdge's own binary. $1: the package, $2: CloudCore's address,
# $3: KubeEdge's token. MetaServer is plain HTTP, as upstream has it by default.
set -euo pipefail
address=$2
token=$3
mkdir -p /root/unpacked
tar -C /root/unpacked --zstd -xf "$1"
cd /root/unpacked

printf 'overlay\nbr_netfilter\n' > /etc/modules-load.d/k8s.conf
sysctl -q -w net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
mkdir -p /opt/cni/bin /etc/containerd /etc/cni/net.d /etc/kubeedge/config
cp cni/* /opt/cni/bin/
cp bin/edgecore container/containerd container/containerd-shim-runc-v2 container/ctr /usr/local/bin/
cp container/runc /usr/local/sbin/
cp /root/by-hand/config.toml /etc/containerd/config.toml
cp /root/by-hand/containerd.service /etc/systemd/system/
cp /root/by-hand/10-bridge.conflist /etc/cni/net.d/
systemctl daemon-reload
systemctl enable -q --now containerd
tar -C images -cf - . | ctr -n k8s.io images import -

ip link show edge-dummy0 > /dev/null 2>&1 || ip link add edge-dummy0 type bridge
edgecore --defaultconfig > /etc/kubeedge/config/edgecore.yaml
sed -i -e "s|httpServer: .*|httpServer: https://$address:10002|" -e "s|server: .*:10000|server: $address:10000|" \
  -e "s|token: .*|token: $token|" -e 's|cgroupDriver: .*|cgroupDriver: systemd|' \
  -e 's|podSandboxImage: .*|podSandboxImage: registry.k8s.io/pause:3.10|' \
  -e '/metaServer:/,/enable:/ s|enable: false|enable: true|' -e '/eventBus:/,/enable:/ s|enable: true|enable: false|' \
  /etc/kubeedge/config/edgecore.yaml
cat > /etc/systemd/system/edgecore.service << 'UNIT'
[Unit]
Description=edgecore.service

[Service]
Type=simple
ExecStart=/usr/local/bin/edgecore
Restart=always
RestartSec=10
Environment=CHECK_EDGECORE_ENVIRONMENT=false
KillMode=process

[Install]
WantedBy=multi-user.target
UNIT
systemctl enable -q --now edgecore
# As long as the node is not registered, MetaServer has nothing to list.
until curl -sf --max-time 5 http://127.0.0.1:10550/api/v1/services > /dev/null; do sleep 0.2; done
