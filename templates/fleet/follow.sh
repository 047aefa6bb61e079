# Prints the lines of the machine's run from line $2 on, as they come, and at its end "exit CODE", or "exit lost" if it ended
# without one (a reboot, a kill). $1: the directory of the fleet's own files. Standard error: the end of the run's own.
run=$1/run
[ -e "$run/pid" ] || { echo "exit none"; exit 0; }
read -r pid start < "$run/pid"
if [ "$(cut -d' ' -f22 "/proc/$pid/stat" 2> /dev/null)" = "$start" ]; then
  tail -n "+$2" -s 0.2 --pid="$pid" -f "$run/out"
else
  tail -n "+$2" "$run/out"
fi
tail -n 40 "$run/err" >&2
echo "exit $(cat "$run/exit" 2> /dev/null || echo lost)"
