#!/bin/bash
# What a user does by hand to make a master, as documentation has it: tar, cp, ctr, kubeadm. $1: the package.
# Nothing is verified on the way, and nothing is recorded.
set -euo pipefail
source "$(dirname "$0")/node.sh" "$1"

kubeadm init --config /root/by-hand/kubeadm.yaml
export KUBECONFIG=/etc/kubernetes/admin.conf
kubectl apply -f /root/by-hand/flannel.yaml
# flannel's own manifest copies this file from its Pod once that starts; the package's image has no cp.
kubectl -n kube-flannel rollout status daemonset/kube-flannel-ds --timeout=240s
cp /root/by-hand/10-flannel.conflist /etc/cni/net.d/
kubectl wait --for=condition=Ready node --all --timeout=240s
