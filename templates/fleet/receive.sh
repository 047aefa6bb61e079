# Takes a file from standard input, or the rest of one. $1: where it goes. $2: its sha256. $3: its mode. $4: bytes that are
# there already. $5: its size. The file appears under its name only when it is whole and the right one. What is too short is
# kept: the next try goes on with it. Exit codes: 65, what arrived is something else; 66, it is too short.
set -eu
# The fleet's own directory is root's alone; one of the system's is everybody's.
case $1 in /var/lib/edgeadm-fleet/*) umask 077 ;; *) umask 022 ;; esac
mkdir -p "$(dirname "$1")"
umask 077
if [ "$4" = 0 ]; then cat > "$1.part"; else cat >> "$1.part"; fi
if [ "$(stat -c %s "$1.part")" -lt "$5" ]; then
  echo "the connection ended before the file" >&2
  exit 66
fi
if [ "$(sha256sum < "$1.part" | cut -d' ' -f1)" != "$2" ]; then
  rm -f "$1.part"
  echo "what arrived is not what was sent" >&2
  exit 65
fi
chmod "$3" "$1.part"
mv "$1.part" "$1"
