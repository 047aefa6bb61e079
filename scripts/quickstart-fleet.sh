#!/usr/bin/env bash
# npm run quickstart -- --fleet: bare machines with an SSH server on this host, and a cluster made of them from one file. Called
# by quickstart.sh with the package. Repeated, it applies the file again: what is as it says is left alone.
set -euo pipefail
source "$(dirname "$0")/prepare.sh"

lab=quickstart-fleet folder=$PWD/build/quickstart-fleet package=$1
machine() { "$EDGEADM" lab exec --lab $lab "$@"; }
# In the machines' network, which has no way out.
near() { ip netns exec "edgeadm-$lab" "$@"; }

mkdir -p "$folder"
[ -e "$folder/key" ] || ssh-keygen -q -t ed25519 -N '' -C edgeadm-quickstart -f "$folder/key"
if "$EDGEADM" lab list 2> /dev/null | grep -q "^$lab "; then
  step "the lab $lab is there already"
else
  step "booting three bare machines with an SSH server"
  "$EDGEADM" lab create $lab --bare --masters 1 --workers 1 --edges 1 > /dev/null
fi

# entry NAME ADDRESS ROLE [MORE]: the host's line. The key goes in through the machine's own door, and its host key comes out.
entry() {
  local host_key
  # shellcheck disable=SC2016 # the machine's own
  host_key=$(machine "$1" -- sh -c 'mkdir -p -m 700 /root/.ssh && cat > /root/.ssh/authorized_keys && cat /etc/ssh/ssh_host_ed25519_key.pub' < "$folder/key.pub")
  printf '    - {name: %s, address: %s, role: %s, site: shop%s, ssh: {hostKey: "%s"}}\n' "$1" "$2" "$3" "${4:-}" "$host_key"
}
{
  cat << YAML
apiVersion: edgeadm.io/v1alpha1
kind: Cluster
metadata: {name: quickstart}
spec:
  package: $package
  ssh: {user: root, jump: none, identityFile: $folder/key}
  sites: [{name: shop}]
  hosts:
YAML
  entry master-1 10.123.0.11 master
  entry worker-1 10.123.0.51 worker
  entry edge-1 10.123.0.101 edge ', labels: {place: door}'
  echo ---
  # What machines need that share a kernel.
  machine master-1 -- cat /root/cluster.yaml
} > "$folder/cluster.yaml"
cat "$folder/cluster.yaml"

step "edgeadm apply -f cluster.yaml"
near "$EDGEADM" apply -f "$folder/cluster.yaml" --yes
machine master-1 -- kubectl get nodes -o wide -L place
cat << TEXT

Three machines were made a cluster over SSH, from $folder/cluster.yaml:
  change a label in it, and   ip netns exec edgeadm-$lab $EDGEADM apply -f $folder/cluster.yaml
  what would be done          ip netns exec edgeadm-$lab $EDGEADM plan -f $folder/cluster.yaml
  who answers                 ip netns exec edgeadm-$lab $EDGEADM status -f $folder/cluster.yaml
  the cluster down again      ip netns exec edgeadm-$lab $EDGEADM reset --filename $folder/cluster.yaml
  remove the machines         $EDGEADM lab delete $lab
TEXT
