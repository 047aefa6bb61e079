#!/usr/bin/env bash
# npm run test:versions [-- VERSION...]: other Kubernetes versions than the default one on booted machines, with a table at the
# end. Long, and not part of npm test: each version is compiled once (some ten minutes on two cores), and tested for as long.
#   1.34      a cluster of this version from nothing and back; then a cluster of the version before goes to it
#   stamped   the default version goes to the next patch number: the same source, linked anew; needs no second compilation
# Several are a chain: each begins where the one before ended. Default: 1.34.
source "$(dirname "$0")/prepare.sh"
steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(1.34)
mkdir -p build/versions test-logs
build_package
from=$EDGEADM_TEST_PACKAGE
rows=()
failed=0
version() { sed -E 's/.*-kube-(v[0-9.]+)-.*/\1/' <<< "$1"; }
# run NAME FROM FILE: a row of the table. EDGEADM_TEST_NEXT_PACKAGE is the package of the step.
run() {
  local begun result=passed
  begun=$(date +%s)
  vitest run --project versions --reporter verbose "test/versions/$3.test.ts" || result=failed failed=1
  rows+=("$(printf '%-8s %-10s %-10s %-7s %4s s' "$1" "$2" "$(version "$EDGEADM_TEST_NEXT_PACKAGE")" "$result" "$(($(date +%s) - begun))")")
}
for step in "${steps[@]}"; do
  if [ "$step" = stamped ]; then
    recipe=$(node test/versions/stamped-recipe.ts kubernetes-1.33 build/versions)
    EDGEADM_TEST_NEXT_PACKAGE=$("$EDGEADM" package build --manifest "$recipe" --manifest kubeedge-1.23 --output-dir build/versions)
  else
    EDGEADM_TEST_NEXT_PACKAGE=$("$EDGEADM" package build --kubernetes-version "$step")
  fi
  export EDGEADM_TEST_NEXT_PACKAGE
  [ "$step" = stamped ] || EDGEADM_TEST_PACKAGE=$EDGEADM_TEST_NEXT_PACKAGE run fresh "" fresh
  EDGEADM_TEST_PACKAGE=$from run upgrade "$(version "$from")" upgrade
  # The next step begins where this one ended; a stamped version is no such place.
  [ "$step" = stamped ] || from=$EDGEADM_TEST_NEXT_PACKAGE
done
printf '\n%-8s %-10s %-10s %-7s %s\n' TEST FROM VERSION RESULT TIME
printf '%s\n' "${rows[@]}"
exit $failed
