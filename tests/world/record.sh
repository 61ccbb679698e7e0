#!/bin/sh
# Records what locktop reads under /proc of this machine into a tree for the tests.
#
# A recorded tree has what belongs to the locks on the files below FOLDER and nothing else of the
# machine: the lines of /proc/locks, and of each process that has or waits for one of them stat,
# status, cmdline, and the descriptors on those files. The host is called web1.
set -eu

usage()
{
	echo 'Usage: tests/world/record.sh CASE FOLDER' >&2
	exit 64
}

[ $# -eq 2 ] && [ -d "$2" ] || usage
case $1 in
*/* | .* | '') usage ;;
esac
into=$(dirname "$0")/$1/proc
folder=$(cd "$2" && pwd)
[ ! -e "$into" ] || { echo "record.sh: $into is there already" >&2; exit 1; }
mkdir -p "$into/sys/kernel/random" "$into/self/ns"

cp /proc/sys/kernel/random/boot_id "$into/sys/kernel/random/boot_id"
echo web1 >"$into/sys/kernel/hostname"
ln -s "$(readlink /proc/self/ns/pid)" "$into/self/ns/pid"
# Only the file system that FOLDER is on: the others are nobody's business.
device=$(stat -c '%Hd:%Ld' "$folder")
awk -v device="$device" '$3 == device && !seen++' /proc/self/mountinfo >"$into/self/mountinfo"

find "$folder" -type f -printf '%i\n' |
	awk 'NR == FNR { wanted[$1]; next } match($0, / [0-9a-f]+:[0-9a-f]+:[0-9]+ /) {
		split(substr($0, RSTART + 1, RLENGTH - 2), at, ":")
		if (at[3] in wanted)
			print
	}' - /proc/locks >"$into/locks"

# copy PID: a process; its descriptors are only those on the folder's files.
copy()
{
	mkdir -p "$into/$1/fd" "$into/$1/fdinfo"
	for file in stat status cmdline; do
		cp "/proc/$1/$file" "$into/$1/$file"
	done
	for fd in "/proc/$1/fd"/*; do
		path=$(readlink "$fd") || continue
		case $path in
		"$folder"/*)
			ln -s "$path" "$into/$1/fd/${fd##*/}"
			cp "/proc/$1/fdinfo/${fd##*/}" "$into/$1/fdinfo/${fd##*/}"
			;;
		esac
	done
}

for process in /proc/[0-9]*; do
	pid=${process#/proc/}
	if grep -q " $pid [0-9a-f]*:" "$into/locks" ||
		find "$process/fd" -lname "$folder/*" 2>/dev/null | grep -q .; then
		copy "$pid"
	fi
done
# What the kernel gives is read-only or of odd modes.
find "$into" -type f -exec chmod 644 {} +
