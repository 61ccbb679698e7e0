# bash completion for locktop(1)
# shellcheck shell=bash disable=SC2207 # words of ours, without spaces

# What the options of a command are; the second list is what all have that look at locks.
_locktop_options()
{
	case $1 in
	run)
		echo '--config= --read-only --proc-root= --help --usage'
		echo '-n --nonblock --nb -w --wait= --timeout= -E --conflict-exit-code= --lease=
			--stale-after= --takeover= --with= --fallback= --compat= --mode= --tidy
			--log= --debug --inherit --on-lost= --grace= -c --command='
		return
		;;
	acquire)
		echo '--config= --read-only --proc-root= --help --usage'
		echo '-n --nonblock --nb -w --wait= --timeout= -E --conflict-exit-code= --lease=
			--stale-after= --takeover= --with= --fallback= --compat= --mode= --tidy
			--log= --debug --owner-pid= --token-file= --json'
		return
		;;
	renew | verify | give-back | fence-check)
		echo '--config= --read-only --proc-root= --help --usage'
		[[ $1 == fence-check ]] || echo '--token-file= --log= --debug'
		[[ $1 == renew ]] && echo '--lease='
		[[ $1 == give-back ]] && echo '--tidy'
		return
		;;
	esac
	echo '--config= --read-only --format= --fields= --json --limit= --now= --proc-root=
		--help --usage --version'
	case $1 in
	monitor)
		echo '--once --batch -n --count= -d --delay= --plain --dump-screen= --filter=
			--glyphs= --color= --tidy --log='
		;;
	ls) echo '--filter= --sort= --reverse --no-header --list-fields --log=' ;;
	status) echo '--log=' ;;
	release) echo '--force --pid= --dry-run --tidy --yes' ;;
	signal) echo '--kill --pid= --dry-run --yes' ;;
	clean) echo '--dry-run --tidy --yes' ;;
	report) echo '--log= --rotated --since= --until= --sort= --by= --csv' ;;
	compare) echo '--log= --rotated --since= --until=' ;;
	watch) echo '--metrics --log= -d --delay= -n --count=' ;;
	source) echo '--once' ;;
	export) echo '--prometheus -o --output= --log= --max-locks=' ;;
	check)
		echo '-w --warning= -c --critical= --wait-warning= --wait-critical= --stale-warning=
			--stale-critical= -t --timeout= -v --verbose --checkmk --log= --since=
			--until= --rotated'
		;;
	esac
}

# The words that an option of a command takes; none: a free text.
_locktop_values()
{
	case $1 in
	--format) echo 'table json csv ids' ;;
	--glyphs) echo 'auto ascii box braille' ;;
	--color) echo 'auto never 16' ;;
	--sort)
		if [[ $2 == report ]]; then
			echo 'name attempts failed slow lost stale wait_p95 wait_max hold_p95 hold_max'
		else
			echo "harm $(_locktop_fields)"
		fi
		;;
	--by) echo 'lock source backend' ;;
	--since | --until) echo '1h 24h 7d' ;;
	--limit | --delay | -d | -w | --wait | --timeout | --lease | --stale-after | --grace)
		echo '30s 5m 10m 1h'
		;;
	--takeover) echo 'proof limit never' ;;
	--compat) echo 'lt1 strict' ;;
	--on-lost) echo 'term warn' ;;
	--filter) echo 'state:stale state:overdue user: host: source: age\> waiters\>0' ;;
	--dump-screen) echo '80x24 120x40' ;;
	esac
}

_locktop_fields()
{
	locktop ls --list-fields 2>/dev/null | cut -d' ' -f1
}

_locktop()
{
	local cur=${COMP_WORDS[COMP_CWORD]} option='' command=monitor word i
	local commands='monitor ls status release signal clean report compare watch source export check'
	commands+=' demo run acquire renew verify give-back fence-check'
	COMPREPLY=()

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ " $commands " == *" $word "* ]]; then
			command=$word
			break
		fi
	done

	# bash takes --option=value for three words.
	if [[ $cur == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 1]} cur=
	elif ((COMP_CWORD > 2)) && [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == -[ndwE] ]]; then
		option=${COMP_WORDS[COMP_CWORD - 1]}
	fi

	case $option in
	--config | --token-file) COMPREPLY=($(compgen -f -- "$cur")) ;;
	--log) COMPREPLY=($(compgen -f -W none -- "$cur")) ;;
	--proc-root) COMPREPLY=($(compgen -d -- "$cur")) ;;
	--fields)
		compopt -o nospace
		word=${cur%"${cur##*,}"}
		COMPREPLY=($(compgen -P "$word" -W "$(_locktop_fields)" -- "${cur##*,}"))
		;;
	-*) COMPREPLY=($(compgen -W "$(_locktop_values "$option" "$command")" -- "$cur")) ;;
	*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W "$(_locktop_options "$command")" -- "$cur"))
			[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
			return
		fi
		compopt -o filenames
		COMPREPLY=($(compgen -f -- "$cur"))
		case $command in
		demo) COMPREPLY=() ;;
		run) COMPREPLY+=($(compgen -W 'file: flock:' -- "$cur") $(compgen -c -- "$cur")) ;;
		release | signal | status | acquire | renew | verify | give-back | fence-check | \
			report | compare)
			# Asks what is there, but never for long.
			COMPREPLY+=($(compgen -W "$(timeout 1 locktop ls --format=ids 2>/dev/null |
				grep '^/')" -- "$cur"))
			;;
		*) COMPREPLY+=($(compgen -W 'file: kernel: log: ssh: replay:' -- "$cur")) ;;
		esac
		if ((COMP_CWORD == 1)); then
			COMPREPLY+=($(compgen -W "$commands" -- "$cur"))
		fi
		;;
	esac
}

complete -F _locktop locktop
