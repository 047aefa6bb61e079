#!/usr/bin/env bash
# Part of `npm run check`: shellcheck over all shell of the tree. Templates are checked as they are with some word in place of
# each value and with the lines of every condition. Without shellcheck it says so and passes; `npm test` installs it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v shellcheck > /dev/null; then
  echo 'shellcheck is not installed (Debian: apt-get install shellcheck): shell scripts are not checked' >&2
  exit 0
fi

# Scripts without a first line that names their shell: what they are run with.
declare -A run_with=(
  [templates/fleet/facts.sh]=sh [templates/fleet/start.sh]=sh [templates/fleet/follow.sh]=sh [templates/fleet/receive.sh]=sh
  [templates/fleet/fetch.sh]=sh
  [templates/edge/cloud/follow-address]=sh [templates/edge/cloud/tunnel-guard]=sh
  [test/bench/by-hand/node.sh]=bash [test/lab/machine-state.sh]=sh
  [test/lab/plant-containerd.sh]=sh [test/lab/plant-user-files.sh]=sh
  [scripts/prepare.sh]=bash [templates/completion/edgeadm.bash]=bash
)
checked=$(mktemp -d)
trap 'rm -rf "$checked"' EXIT
failed=0
while read -r file; do
  [ -f "$file" ] || continue
  shell=${run_with[$file]:-}
  if [ -z "$shell" ]; then
    IFS= read -r first < "$file" || continue
    case $first in
      '#!'*bash) shell='bash' ;;
      '#!'*[/\ ]sh) shell='sh' ;;
      *) continue ;;
    esac
  fi
  copy=$checked/$file
  mkdir -p "$(dirname "$copy")"
  sed -E '/^<%[^=].*%>$/d; s/<%=[^%]*%>/value/g' "$file" > "$copy"
  # What is sourced is found from the tree itself.
  (cd "$checked" && shellcheck --shell="$shell" --severity=info --exclude=SC1091 "$file") || failed=1
done < <(git ls-files --cached --others --exclude-standard -- . ':!*.ts' ':!*.go' ':!*.yaml' ':!*.json' ':!*.md')
exit $failed
