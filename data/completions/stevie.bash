# bash completion for stevie: its options, which come from its --help, then those of the command.

_stevie() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev='' help word i
	help=$("$1" --help 2>/dev/null)
	COMPREPLY=()
	# The command is the first word that is neither an option nor the value of one.
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		prev=''
		case $word in
		--)
			((i++))
			break
			;;
		-*)
			grep -q -e "$word\(, --[a-z-]*\)\? [A-Z]" <<<"$help" || continue
			prev=$word
			[[ ${COMP_WORDS[i+1]} == = ]] && ((i++))
			((i++))
			;;
		*) break ;;
		esac
	done
	if ((i < COMP_CWORD)); then
		_command_offset "$i"
		return
	fi
	[[ $cur == = ]] && cur=
	if ((i == COMP_CWORD)); then
		prev=''
	fi
	case $prev in
	--auth) mapfile -t COMPREPLY < <(compgen -W "auto fifo fds bridge" -- "$cur") ;;
	-D | --device) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	'')
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(grep -o -e '--[a-z-]*' <<<"$help")" -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		fi
		;;
	esac
}
complete -F _stevie stevie
