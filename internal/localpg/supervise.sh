# Runs a database server for as long as its launcher lives.
#   $1   signal that stops the server (INT: cleanly, QUIT: at once)
#   $2   directory to remove when it has stopped
#   rest the server and its arguments
# Standard input is a pipe nobody writes to: its end is the launcher's end. Descriptor 3 is the lock on the data directory, kept
# open by the server's own processes so that it is held exactly as long as any of them lives.
signal=$1 leftover=$2
shift 2
trap '' HUP INT
exec 4<&0

"$@" </dev/null 4<&- &
server=$!

(
	read -r nothing <&4
	kill -s "$signal" "$server"
	waited=0
	while kill -s 0 "$server" 2>/dev/null; do
		[ "$waited" -eq 15 ] && kill -s QUIT "$server"
		waited=$((waited + 1))
		sleep 1
	done
) 2>/dev/null 3<&- &
watcher=$!

trap 'kill -s "$signal" "$server"' TERM
exec 3<&- 4<&-
while kill -s 0 "$server" 2>/dev/null; do
	wait "$server"
	status=$?
done
kill "$watcher" 2>/dev/null
rm -rf "$leftover"
exit "$status"
