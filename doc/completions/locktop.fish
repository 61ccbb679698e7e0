# fish completion for locktop(1)

set -l detached acquire renew verify give-back fence-check
set -l metrics report compare watch export check
set -l commands monitor ls status release signal clean $metrics source demo run $detached

function __locktop_fields
	locktop ls --list-fields 2>/dev/null | string replace -r ' +' \t
end

# Asks what is there, but never for long.
function __locktop_addresses
	timeout 1 locktop ls --format=ids 2>/dev/null
end

set -l first "not __fish_seen_subcommand_from $commands"
complete -c locktop -n $first -a monitor -d 'The monitor; needs no name'
complete -c locktop -n $first -a ls -d 'List locks, once'
complete -c locktop -n $first -a status -d 'The health of one lock'
complete -c locktop -n $first -a release -d 'Release a stale lock, or force one'
complete -c locktop -n $first -a signal -d 'End the holder of a lock'
complete -c locktop -n $first -a clean -d 'Release all that is provably stale'
complete -c locktop -n $first -a report -d 'Waits, holds, failures and stale locks of a time'
complete -c locktop -n $first -a compare -d 'Two locks side by side: may one switch?'
complete -c locktop -n $first -a watch -d 'What happens to locks, a line at a time'
complete -c locktop -n $first -a source -d 'Print the stream of events of a source'
complete -c locktop -n $first -a export -d 'Numbers for a monitoring system'
complete -c locktop -n $first -a check -d 'A plugin for Nagios, Icinga and Checkmk'
complete -c locktop -n $first -a demo -d 'A live demonstration'
complete -c locktop -n $first -a run -d 'Take a lock, run a command, give it back'
complete -c locktop -n $first -a acquire -d 'Take a lock for a script or unit, and end'
complete -c locktop -n $first -a renew -d 'Say that the owner of a lock is at work'
complete -c locktop -n $first -a verify -d 'Tell whether a lock is still its owner\'s'
complete -c locktop -n $first -a give-back -d 'Give back a lock that acquire took'
complete -c locktop -n $first -a fence-check -d 'Tell whether a fence is the last one'

# Sources and addresses; folders and files complete by themselves.
complete -c locktop -n "not __fish_seen_subcommand_from status release signal report compare demo run $detached" \
	-a 'file: kernel: log: ssh: replay:' -d Source
complete -c locktop -n "__fish_seen_subcommand_from status release signal report compare watch $detached" -a '(__locktop_addresses)'
complete -c locktop -n '__fish_seen_subcommand_from demo' -f

# All commands
complete -c locktop -l config -r -d 'Read this configuration'
complete -c locktop -l read-only -d 'Refuse every release, force and signal'
complete -c locktop -l format -x -a 'table json csv ids' -d 'How to print'
complete -c locktop -l fields -x -a '(__locktop_fields)' -d 'Columns to print'
complete -c locktop -l json -d 'The same as --format=json'
complete -c locktop -l limit -x -a '30s 5m 10m 1h' -d 'How long a hold may take'
complete -c locktop -l now -x -d 'Take this for the time'
complete -c locktop -l proc-root -x -a '(__fish_complete_directories)' -d 'Look at DIR/proc'
complete -c locktop -l help -s '?' -d 'Print the options'
complete -c locktop -l usage -d 'Print a short reminder'
complete -c locktop -l version -s V -d 'Print the version and what is built in'

set -l monitor "not __fish_seen_subcommand_from ls status release signal clean $metrics source demo run $detached"
complete -c locktop -n $monitor -l once -d 'Print the table once and end'
complete -c locktop -n $monitor -l batch -d 'Print the table again and again'
complete -c locktop -n $monitor -l count -s n -x -d 'With --batch: end after N tables'
complete -c locktop -n $monitor -l delay -s d -x -d 'With --batch: pause between tables'
complete -c locktop -n $monitor -l plain -d 'A line for each change'
complete -c locktop -n $monitor -l dump-screen -x -a '80x24 120x40' -d 'Print the screen as text'
complete -c locktop -n $monitor -l glyphs -x -a 'auto ascii box braille' -d 'Lines and marks'
complete -c locktop -n $monitor -l color -x -a 'auto never 16' -d 'Colours'

set -l lists "not __fish_seen_subcommand_from status release signal clean $metrics source demo run $detached"
complete -c locktop -n $lists -l filter -x -d 'Only locks that match'
set -l logs "not __fish_seen_subcommand_from release signal clean $metrics source demo run $detached"
complete -c locktop -n $logs -l log -r -d 'Read this metrics log'

set -l ls '__fish_seen_subcommand_from ls'
complete -c locktop -n $ls -l sort -x -a 'harm (__locktop_fields)' -d 'Order by a field'
complete -c locktop -n $ls -l reverse -d 'The other way round'
complete -c locktop -n $ls -l no-header -d 'No column titles'
complete -c locktop -n $ls -l list-fields -d 'Print the fields'

set -l release '__fish_seen_subcommand_from release'
complete -c locktop -n $release -l force -d 'Also one that may be live'

set -l signal '__fish_seen_subcommand_from signal'
complete -c locktop -n $signal -l kill -d 'Send KILL instead of TERM'
complete -c locktop -n '__fish_seen_subcommand_from release signal' \
	-l pid -x -a '(__fish_complete_pids)' -d 'The holder that you mean'

set -l deeds '__fish_seen_subcommand_from release signal clean'
complete -c locktop -n $deeds -l dry-run -d 'Say what would be done'
complete -c locktop -n $deeds -l yes -d 'Do not ask'
complete -c locktop -n "not __fish_seen_subcommand_from ls status signal $metrics source demo" \
	-l tidy -d 'Remove the lock file instead of emptying it'

complete -c locktop -n '__fish_seen_subcommand_from source' -l once -d 'One look, then end'

# All that read metrics logs
set -l read '__fish_seen_subcommand_from report compare check'
complete -c locktop -n "__fish_seen_subcommand_from $metrics" -l log -r -d 'Read this metrics log'
complete -c locktop -n $read -l rotated -d 'And what was rotated away'
complete -c locktop -n $read -l since -x -a '1h 24h 7d all' -d 'From then on'
complete -c locktop -n $read -l until -x -d 'Until then'
set -l report '__fish_seen_subcommand_from report'
complete -c locktop -n $report -l sort -x -d 'Order by a figure' \
	-a 'name attempts failed slow lost stale wait_p95 wait_max hold_p95 hold_max'
complete -c locktop -n $report -l by -x -a 'lock source backend' -d 'A row for each'
complete -c locktop -n $report -l csv -d 'The same as --format=csv'
set -l watch '__fish_seen_subcommand_from watch'
complete -c locktop -n $watch -l metrics -d 'Follow the metrics log'
complete -c locktop -n $watch -s d -l delay -x -a '1s 10s 1m' -d 'Length of an interval'
complete -c locktop -n $watch -s n -l count -x -d 'End after N intervals'

set -l export '__fish_seen_subcommand_from export'
complete -c locktop -n $export -l prometheus -d 'In the text format of Prometheus'
complete -c locktop -n $export -s o -l output -r -d 'Replace this file'
complete -c locktop -n $export -l max-locks -x -d 'Of more locks only sums'

set -l check '__fish_seen_subcommand_from check'
complete -c locktop -n $check -s w -l warning -x -d 'Range: age of the oldest hold'
complete -c locktop -n $check -s c -l critical -x -d 'Range: age of the oldest hold'
complete -c locktop -n $check -l wait-warning -x -d 'Range: 95th percentile of the waits'
complete -c locktop -n $check -l wait-critical -x -d 'Range: 95th percentile of the waits'
complete -c locktop -n $check -l stale-warning -x -d 'Range: number of stale locks'
complete -c locktop -n $check -l stale-critical -x -d 'Range: number of stale locks'
complete -c locktop -n $check -s t -l timeout -x -d 'Give up after so many seconds'
complete -c locktop -n $check -s v -l verbose -d 'Name the locks that are well, too'
complete -c locktop -n $check -l checkmk -d 'A line a lock, for Checkmk'

# All that take locks
set -l taking '__fish_seen_subcommand_from run acquire'
complete -c locktop -n $taking -s n -l nonblock -d 'Do not wait'
complete -c locktop -n $taking -l nb -d 'Do not wait'
complete -c locktop -n $taking -s w -l wait -x -a '30s 5m 10m 1h' -d 'Wait so long at most'
complete -c locktop -n $taking -l timeout -x -a '30s 5m 10m 1h' -d 'Wait so long at most'
complete -c locktop -n $taking -s E -l conflict-exit-code -x -d 'Exit code when it is busy'
complete -c locktop -n $taking -l lease -x -a '5m 10m 1h' -d 'Expires when not renewed'
complete -c locktop -n $taking -l stale-after -x -a '5m 10m 1h' -d 'Limit of plain records'
complete -c locktop -n $taking -l takeover -x -a 'proof limit never' -d 'What may be taken over'
complete -c locktop -n $taking -l with -r -d 'Hold this lock too'
complete -c locktop -n $taking -l fallback -r -d 'When it cannot be reached'
complete -c locktop -n $taking -l compat -x -a 'lt1 strict' -d 'Form of the record'
complete -c locktop -n $taking -l mode -x -d 'Of a lock file that is made'
complete -c locktop -n $taking -l log -r -d 'The metrics log'
complete -c locktop -n $taking -l debug -d 'Write each step to standard error'

set -l run '__fish_seen_subcommand_from run'
complete -c locktop -n $run -l inherit -d 'The command has the descriptor too'
complete -c locktop -n $run -l on-lost -x -a 'term warn' -d 'When the lock is lost'
complete -c locktop -n $run -l grace -x -a '5s 10s 30s' -d 'Between TERM and KILL'
complete -c locktop -n $run -s c -l command -x -d 'Give this to the shell'

set -l acquire '__fish_seen_subcommand_from acquire'
complete -c locktop -n $acquire -l owner-pid -x -a '(__fish_complete_pids)' \
	-d 'Stale when this process is gone'
complete -c locktop -n $acquire -l token-file -r -d 'Write the token there'
set -l given '__fish_seen_subcommand_from renew verify give-back'
complete -c locktop -n $given -l token-file -r -d 'Read the token there'
complete -c locktop -n $given -l log -r -d 'The metrics log'
complete -c locktop -n $given -l debug -d 'Write each step to standard error'
complete -c locktop -n '__fish_seen_subcommand_from renew' -l lease -x -a '5m 10m 1h' \
	-d 'And from now on for so long'
