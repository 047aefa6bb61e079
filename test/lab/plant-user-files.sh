# What a machine may have before edgeadm, in the very places that edgeadm uses: all of it has to be there afterwards.
set -eu
mkdir -p /etc/cni/net.d /etc/kubernetes/pki /root/.kube /opt/mine
echo 'net.ipv4.ip_forward = 0' >/etc/sysctl.d/10-mine.conf
echo '{"cniVersion":"0.3.1","name":"mine","type":"ptp"}' >/etc/cni/net.d/99-mine.conf
echo 'tun # mine' >/etc/modules-load.d/edgeadm.conf
chmod 600 /etc/modules-load.d/edgeadm.conf
touch -d '2020-02-02 02:02' /etc/modules-load.d/edgeadm.conf
echo '# mine' >/root/.kube/config
chmod 640 /root/.kube/config
echo mine >/etc/kubernetes/pki/mine.pem
ln -s pki/mine.pem /etc/kubernetes/link
chmod 750 /etc/kubernetes

sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.host0.forwarding=1 net.ipv4.conf.all.accept_redirects=0
ip netns add mine
ip link add mine0 type bridge
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
iptables -A INPUT -i lo -j ACCEPT
iptables -P FORWARD DROP
iptables -t nat -N CNI-mine
iptables -t nat -A POSTROUTING -s 192.0.2.0/24 -j CNI-mine
nft -f - <<'RULES'
table inet mine {
  chain input {
    type filter hook input priority 5; policy accept;
    tcp dport 81 counter accept
  }
}
RULES
