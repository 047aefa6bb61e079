#!/bin/bash
# The same for a worker. $1: the package, the rest: the join line's words after "join".
set -euo pipefail
package=$1
shift
source "$(dirname "$0")/node.sh" "$package"

kubeadm join "$@"
# As on the master: flannel's Pod brings it.
until [ -e /run/flannel/subnet.env ]; do sleep 0.2; done
cp /root/by-hand/10-flannel.conflist /etc/cni/net.d/
until kubectl --kubeconfig /etc/kubernetes/kubelet.conf wait --for=condition=Ready "node/$(hostname)" --timeout=240s; do
  sleep 0.5
done
