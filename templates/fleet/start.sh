# Starts a command of edgeadm that outlives this connection. Standard input: its configuration file (secret), or nothing.
# $1: the directory of the fleet's own files. $2: who starts it. $3: what the command is called. $4...: the command, with
# --config=CONFIG where it takes the configuration. Exit code 75: another run holds the machine; who is on standard error.
set -eu
umask 077
directory=$1 holder=$2 command=$3
shift 3
mkdir -p "$directory"
if [ -e "$directory/run/pid" ]; then
  read -r pid start < "$directory/run/pid"
  if [ "$(cut -d' ' -f22 "/proc/$pid/stat" 2> /dev/null)" = "$start" ]; then
    printf '%s by %s\n' "$(cat "$directory/run/command")" "$(cat "$directory/run/holder")" >&2
    exit 75
  fi
fi
rm -rf "$directory/run"
# Of two that come at once, one fails here.
mkdir "$directory/run" || exit 75
run=$directory/run
printf '%s\n' "$holder" > "$run/holder"
printf '%s\n' "$command" > "$run/command"
cat > "$run/config.yaml"
: > "$run/out"
: > "$run/err"
for word; do
  shift
  [ "$word" != --config=CONFIG ] || word=--config=$run/config.yaml
  set -- "$@" "$word"
done
# The pid is this shell's; the configuration goes with the run's end.
cat > "$run/run.sh" << 'SCRIPT'
run=$1
shift
echo "$$ $(cut -d' ' -f22 /proc/$$/stat)" > "$run/pid.new" && mv "$run/pid.new" "$run/pid"
trap '' HUP
"$@" > "$run/out" 2> "$run/err" < /dev/null
code=$?
rm -f "$run/config.yaml"
echo "$code" > "$run/exit.new" && mv "$run/exit.new" "$run/exit"
SCRIPT
# A unit of its own is not ended with the login's session. Under an enforcing SELinux it would run in another domain than
# an administrator's shell.
if [ -d /run/systemd/system ] && command -v systemd-run > /dev/null \
  && [ "$(getenforce 2> /dev/null || true)" != Enforcing ]; then
  systemd-run --quiet --collect --unit="edgeadm-fleet-$$" --setenv=HOME=/root \
    --setenv=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    sh "$run/run.sh" "$run" "$@" >&2
else
  setsid sh "$run/run.sh" "$run" "$@" > /dev/null 2>&1 < /dev/null &
fi
tries=0
until [ -e "$run/pid" ]; do
  tries=$((tries + 1))
  if [ "$tries" = 300 ]; then
    echo "the run did not begin within 30 s" >&2
    exit 1
  fi
  sleep 0.1
done
