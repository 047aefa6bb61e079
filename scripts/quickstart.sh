#!/usr/bin/env bash
# npm run quickstart: from a fresh checkout to a running cluster in booted machines on this host. Repeated, it only looks.
set -euo pipefail
source "$(dirname "$0")/prepare.sh"

step "building the offline package (cold: some minutes; then from the cache)"
package=$("$EDGEADM" package build)

if "$EDGEADM" lab list 2> /dev/null | grep -q '^quickstart '; then
  step "the lab quickstart is there already"
else
  step "booting a master, a worker and an edge node, and running edgeadm init and edgeadm join in them"
  "$EDGEADM" lab create quickstart --masters 1 --workers 1 --edges 1 --package "$package"
fi

"$EDGEADM" lab exec --lab quickstart master-1 -- kubectl get nodes,pods -A -o wide
"$EDGEADM" lab exec --lab quickstart edge-1 -- edgeadm check edge
cat << TEXT

A cluster runs in machines on this host:
  enter the master     $EDGEADM lab exec --lab quickstart master-1 -- bash
  see all Pods         $EDGEADM lab exec --lab quickstart master-1 -- kubectl get pods -A
  what changed on it   $EDGEADM lab diff --lab quickstart worker-1
  a power cut          $EDGEADM lab kill --lab quickstart worker-1; $EDGEADM lab start --lab quickstart worker-1
  remove everything    $EDGEADM lab delete quickstart
TEXT
