#!/usr/bin/env bash
# npm run bench:fleet [-- hosts|uplink|ansible]: the fleet's controller with many hosts: 200 of them, many of which fail; what
# crosses one line for a site of 50; the preparation of 50 nodes against Ansible. The hosts are sshds on this host, each in a
# mount namespace of its own, and a script stands for edgeadm on them.
set -euo pipefail
source "$(dirname "$0")/prepare.sh"
# shellcheck disable=SC2034 # by its name
declare -A programs=([sshd]=openssh-server [ssh]=openssh-client [ansible-playbook]=ansible-core [curl]=curl)
install_missing programs
# The program: the shell has a word of that name.
[ -x /usr/bin/time ] || install_packages time
exec node test/bench/fleet/index.ts "$@"
