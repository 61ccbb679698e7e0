# What the shell tests share: TAP, a temporary folder, processes that are ended by their pid.
# shellcheck shell=sh
set -u
srcdir=${srcdir:-.}
: "${LOCKTOP:?is the program under test}"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/locktop-test.XXXXXX") || exit 1
tests=0
pids=
# Nothing of the person's own settings, and logs that are ours alone.
unset LOCKTOPSECURE NO_COLOR COLUMNS
HOME=$tmp/home
XDG_CONFIG_HOME=$tmp/config
XDG_STATE_HOME=$tmp/state
export HOME XDG_CONFIG_HOME XDG_STATE_HOME
mkdir -p "$HOME" "$XDG_CONFIG_HOME/locktop" "$XDG_STATE_HOME"
audit=$tmp/audit.jsonl
metrics=$tmp/metrics.jsonl
conf=$tmp/locktop.conf
printf 'audit = "%s"\nmetrics = "%s"\n' "$audit" "$metrics" >"$conf"

cleanup()
{
	for pid in $pids; do
		# flock(1) has a child that would keep the lock.
		pkill -KILL -P "$pid"
		kill -KILL "$pid" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# locktop ARG...: the program, with the settings of the test
locktop()
{
	"$LOCKTOP" --config "$conf" "$@"
}

# check NAME COMMAND...: one test case; the command's status is the verdict
check()
{
	check_name=$1
	shift
	tests=$((tests + 1))
	if "$@" >"$tmp/check.out" 2>&1; then
		echo "ok $tests - $check_name"
	else
		echo "not ok $tests - $check_name"
		sed 's/^/# /' "$tmp/check.out"
	fi
}

# The last line of a test program.
finish()
{
	echo "1..$tests"
}

# is EXPECTED ACTUAL
is()
{
	[ "$1" = "$2" ] || { printf 'expected: %s\nbut it is: %s\n' "$1" "$2"; return 1; }
}

# has PATTERN TEXT: an extended regular expression
has()
{
	printf '%s\n' "$2" | grep -Eq -e "$1" || { printf 'no match for: %s\nin: %s\n' "$1" "$2"; return 1; }
}

# lacks PATTERN TEXT
lacks()
{
	! has "$1" "$2" >/dev/null || { printf 'has: %s\nbut: %s\n' "$1" "$2"; return 1; }
}

# exits CODE COMMAND...: its output is kept in $out and $err
exits()
{
	wanted=$1
	shift
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	out=$(cat "$tmp/out")
	err=$(cat "$tmp/err")
	[ "$got" -eq "$wanted" ] || {
		printf 'expected exit code %s, but %s exits with %s\n%s\n%s\n' "$wanted" "$*" "$got" "$out" "$err"
		return 1
	}
}

# eventually COMMAND...: tries for at most 30 s; for what another process does in its own time. A
# host with thousands of kernel locks is looked at only every ten seconds.
eventually()
{
	tries=150
	until "$@" >"$tmp/eventually" 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || {
			cat "$tmp/eventually"
			return 1
		}
		sleep 0.2
	done
}

# dead_pid: the number of a process that is gone and reaped, in $dead
dead_pid()
{
	sleep 0 &
	dead=$!
	wait "$dead"
}

# live: a process that lives until the test ends, in $live
live()
{
	sleep 300 &
	live=$!
	pids="$pids $live"
}

# kill_run PID: `locktop run` and its command, at once, so that it gives nothing back
kill_run()
{
	eventually pgrep -P "$1" || return 1
	command_of_run=$(pgrep -P "$1")
	kill -KILL "$1"
	kill -KILL "$command_of_run"
	wait "$1" 2>/dev/null
}

# state FOLDER NAME: the word that ls has for it
state()
{
	locktop ls --format=csv --fields=name,state "$1" | tr -d '\r' | sed -n "s/^$2,//p"
}

# json FILTER: a value of the JSON in $out, by php, which the tests need anyway
json()
{
	# shellcheck disable=SC2016 # variables of php
	printf '%s' "$out" | php -r '
		$d = json_decode(stream_get_contents(STDIN), true, 64, JSON_THROW_ON_ERROR);
		foreach (explode(".", $argv[1]) as $k) { $d = $d[$k] ?? "(none)"; if ($d === "(none)") break; }
		echo is_string($d) ? $d : json_encode($d);' "$1"
}
