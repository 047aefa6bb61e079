#!/usr/bin/env bash
# npm run quickstart: from a fresh checkout to a running cluster in booted machines on this host. Repeated, it only looks.
#   -- --package FILE   with a package that is there: nothing is built but the executable
#   -- --minimal        one machine, a master that runs Pods, without the edge parts
#   -- --fleet          bare machines, made a cluster over SSH by `edgeadm apply`
set -euo pipefail
usage() { printf 'error: %s\nusage: npm run quickstart -- [--minimal | --fleet] [--package FILE]\n' "$*" >&2; exit 2; }

lab=quickstart package='' minimal='' fleet=''
while [ $# -gt 0 ]; do
  case $1 in
    --minimal) lab=minimal minimal=yes ;;
    --fleet) fleet=yes ;;
    --package) [ $# -gt 1 ] || usage "--package needs a file"; package=$2; shift ;;
    --package=*) package=${1#*=} ;;
    *) usage "there is no $1" ;;
  esac
  shift
done
[ -z "$minimal" ] || [ -z "$fleet" ] || usage "--minimal and --fleet are two things"
# npm changes to the folder of package.json; INIT_CWD is where it was called.
[ -z "$package" ] || package=$(cd "${INIT_CWD:-.}" && realpath -e -- "$package") || usage "there is no such package"
source "$(dirname "$0")/prepare.sh"

if [ -z "$package" ]; then
  step "building the offline package"
  package=$("$EDGEADM" package build ${minimal:+--without kubeedge})
fi

[ -z "$fleet" ] || exec scripts/quickstart-fleet.sh "$package"

if "$EDGEADM" lab list 2> /dev/null | grep -q "^$lab "; then
  step "the lab $lab is there already"
elif [ -n "$minimal" ]; then
  step "booting one machine and running edgeadm init in it"
  "$EDGEADM" lab create $lab --minimal --package "$package"
else
  step "booting a master, a worker and an edge node, and running edgeadm init and edgeadm join in them"
  "$EDGEADM" lab create $lab --masters 1 --workers 1 --edges 1 --package "$package"
fi

"$EDGEADM" lab exec --lab $lab master-1 -- kubectl get nodes,pods -A -o wide
[ -n "$minimal" ] || "$EDGEADM" lab exec --lab $lab edge-1 -- edgeadm check edge
other=worker-1
[ -z "$minimal" ] || other=master-1
cat << TEXT

A cluster runs in machines on this host:
  enter the master     $EDGEADM lab exec --lab $lab master-1 -- bash
  see all Pods         $EDGEADM lab exec --lab $lab master-1 -- kubectl get pods -A
  what changed on it   $EDGEADM lab diff --lab $lab $other
  a power cut          $EDGEADM lab kill --lab $lab $other; $EDGEADM lab start --lab $lab $other
  remove everything    $EDGEADM lab delete $lab
TEXT
