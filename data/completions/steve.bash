# bash completion for steve. The options come from its --help.

_steve() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	[[ $cur == = ]] && cur=
	[[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}
	COMPREPLY=()
	case $prev in
	--mount) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	-u | --user) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	--group) mapfile -t COMPREPLY < <(compgen -g -- "$cur") ;;
	*)
		[[ $cur == -* ]] || return
		mapfile -t COMPREPLY < <(compgen -W "$("$1" --help 2>/dev/null | grep -o -e '--[a-z-]*')" -- "$cur")
		;;
	esac
}
complete -F _steve steve
