# Takes a file, or the rest of one, from another host of the site. Standard input: its address, the token (secret), the CA in
# PEM. $1: where the file goes. $2: its sha256. $3: its mode. $4: its size. $5: the directory of the fleet's own files. $6: the
# executable. $7: seconds that it may take. Exit codes: 65, what arrived is something else; 69, the other host does not give it.
set -eu
case $1 in "$5"/*) umask 077 ;; *) umask 022 ;; esac
mkdir -p "$(dirname "$1")"
umask 077
mkdir -p "$5"
# One at a time: one whose connection broke may still be at it.
exec 9< "$5"
if command -v flock > /dev/null; then flock 9; fi
part=$1.part
is_whole() { [ "$(sha256sum < "$1" | cut -d' ' -f1)" = "$2" ]; }
if [ -f "$1" ] && is_whole "$1" "$2"; then exit 0; fi
read -r url
read -r token
work=$(mktemp -d "$5/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cat > "$work/ca.pem"
end=$(($(date +%s) + $7))
# rest FROM SECONDS: the bytes from there on. The token is in no command line: others on the machine see those.
if command -v curl > /dev/null; then
  rest() {
    printf 'url = "%s"\nheader = "Authorization: Bearer %s"\n' "$url" "$token" \
      | curl -q -K - --silent --show-error --fail --noproxy '*' --proto =https --cacert "$work/ca.pem" \
        --connect-timeout 5 --speed-time 30 --speed-limit 1000 --max-time "$2" ${1:+--range "$1-"}
  }
elif [ -x "$6" ]; then
  edgeadm=$6
  rest() {
    printf '%s\n' "$token" \
      | "$edgeadm" package receive --url="$url" --ca-file="$work/ca.pem" --offset="${1:-0}" --seconds="$2"
  }
else
  echo "there is no curl, and no edgeadm yet" >&2
  exit 69
fi
size_of() { if [ -f "$1" ]; then stat -c %s "$1"; else echo 0; fi; }
for _ in 1 2 3 4 5; do
  start=$(size_of "$part")
  if [ "$start" -gt "$4" ]; then
    rm "$part"
    start=0
  fi
  [ "$start" -lt "$4" ] || break
  left=$((end - $(date +%s)))
  [ "$left" -gt 0 ] || break
  if [ "$start" = 0 ]; then from=; else from=$start; fi
  rest "$from" "$left" >> "$part" && continue
  # Nothing came: it refuses, or is out of reach.
  [ "$(size_of "$part")" -gt "$start" ] || exit 69
done
[ "$(size_of "$part")" = "$4" ] || exit 69
if ! is_whole "$part" "$2"; then
  rm -f "$part"
  echo "what arrived is not what was asked for" >&2
  exit 65
fi
chmod "$3" "$part"
mv "$part" "$1"
