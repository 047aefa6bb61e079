#!/bin/bash
# What a user does by hand to make a master, as documentation has it: tar, cp, ctr, kubeadm. $1: the package.
# Nothing is verified on the way, and nothing is recorded.
set -euo pipefail
source "$(dirname "$0")/node.sh" "$1"

kubeadm init --config /root/by-hand/kubeadm.yaml
export KUBECONFIG=/etc/kubernetes/admin.conf
kubectl apply -f /root/by-hand/flannel.yaml
kubectl wait --for=condition=Ready node --all --timeout=240s
