# Runs a program until its launcher ends.
#   $1   signal that asks the program to end
#   $2   directory to remove when it has ended, or empty
#   rest the program and its arguments
# Standard input is a pipe to which the launcher writes nothing: it is closed when the launcher ends.
# Descriptor 3 may be a lock file; only the program inherits it.
signal=$1 leftover=$2
shift 2
trap '' HUP INT
exec 4<&0

"$@" </dev/null 4<&- &
program=$!

(
	read -r nothing <&4
	kill -s "$signal" "$program"
	waited=0
	while kill -s 0 "$program" 2>/dev/null; do
		[ "$waited" -eq 30 ] && kill -s QUIT "$program"
		[ "$waited" -eq 40 ] && kill -s KILL "$program"
		waited=$((waited + 1))
		sleep 1
	done
) 2>/dev/null 3<&- &
watcher=$!

trap 'kill -s "$signal" "$program"' TERM
exec 3<&- 4<&-
status=0
while kill -s 0 "$program" 2>/dev/null; do
	wait "$program"
	status=$?
done
kill "$watcher" 2>/dev/null
[ -z "$leftover" ] || rm -rf "$leftover"
exit "$status"
