# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion of kcoloctl for bash; needs nothing but bash. What there is of sessions,
# states, events and parameters the tool says itself.

_kcoloctl_sessions() {
	kcoloctl dump 2>/dev/null | while IFS=$'\t' read -r name _; do
		echo "$name"
	done
}

_kcoloctl_params() { kcoloctl set help 2>/dev/null; }

# Options whose value is the next word.
_kcoloctl_with_value() {
	case $1 in
	-s | --session | --name | --color | -n | --count | -t | --timeout | \
	-T | --type | -e | --epoch | --connect | --bind | --listen | --device-state)
		return 0 ;;
	--*)
		_kcoloctl_params | grep -qxe "${1#--}" ;;
	*)
		return 1 ;;
	esac
}

# The subcommand's words so far, options and their values left out.
_kcoloctl_words() {
	local i word
	words=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--)	dashes=$i
			return ;;
		=)	i=$((i + 1)) ;;
		-*)	[[ ${COMP_WORDS[i + 1]} == "=" ]] ||
				! _kcoloctl_with_value "$word" || i=$((i + 1)) ;;
		*)	words+=("$word") ;;
		esac
	done
}

# What may come after an option that has a value.
_kcoloctl_values() {
	case $1 in
	-s | --session | --name)
		_kcoloctl_sessions ;;
	-T | --type)
		kcoloctl events --type help 2>/dev/null ;;
	--device-state)
		echo session external ;;
	--checksum | --log-sync)
		echo on off ;;
	--color)
		echo auto always never ;;
	esac
}

# The state that is written now, after those before it.
_kcoloctl_states() {
	local before="" state
	[[ $cur != *,* ]] || before=${cur%,*},
	for state in $(kcoloctl wait help 2>/dev/null); do
		echo "$before$state"
	done
}

# What may come after $n words of the subcommand, and which options it has.
_kcoloctl_subcommand() {
	local sessions_after=-1

	case ${words[0]} in
	"")
		options="--version"
		choices="session show dump set get checkpoint abort apply drop
			promote events wait verify stats" ;;
	session)
		case ${words[1]} in
		"") choices="add del show list" ;;
		add)
			options="--connect --bind --listen --insecure --device-state
				$(_kcoloctl_params | sed 's/^/--/') --"
			((n == 3)) && choices="primary secondary" ;;
		del | show)
			sessions_after=2 ;;
		esac ;;
	set)
		((n % 2)) && choices=$(_kcoloctl_params)
		((n % 2 && n > 1)) && sessions_after=$n
		((n % 2)) || choices=$(_kcoloctl_values "--$prev") ;;
	get)
		((n == 1)) && choices="$(_kcoloctl_params) id name role state uuid
			local peer insecure device-state epoch committed pending
			synced clean links resync sockets stop-reason abort-reason error event-seq
			scratch-size regions $(_kcoloctl_sessions)"
		sessions_after=2 ;;
	checkpoint)
		options="--urgent"
		sessions_after=1 ;;
	events)
		options="--now --timestamps --statistics --count --timeout --type"
		sessions_after=1 ;;
	wait)
		options="--timeout"
		((n == 1)) && choices=$(_kcoloctl_states)
		sessions_after=2 ;;
	verify)
		options="--last --timeout"
		sessions_after=1 ;;
	stats)
		options="--all --watch --count"
		sessions_after=1 ;;
	apply | drop)
		options="--epoch"
		sessions_after=1 ;;
	show | dump | abort | promote)
		sessions_after=1 ;;
	esac
	((n != sessions_after)) || choices+=" $(_kcoloctl_sessions)"
}

_kcoloctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local options="" choices=""
	local -a words
	local dashes=0 n

	COMPREPLY=()
	# bash breaks --OPTION=VALUE in three.
	[[ $cur != "=" ]] || cur=""
	[[ $prev != "=" ]] || prev=${COMP_WORDS[COMP_CWORD - 2]}
	_kcoloctl_words
	if ((dashes)); then
		# shellcheck disable=SC2207
		COMPREPLY=($(compgen -c -- "$cur"))
		return
	fi
	n=${#words[@]}
	if [[ $prev == -* ]] && _kcoloctl_with_value "$prev"; then
		choices=$(_kcoloctl_values "$prev")
	else
		_kcoloctl_subcommand
		[[ $cur != -* ]] ||
			choices="--session --json --color --help $options"
	fi
	# shellcheck disable=SC2207
	COMPREPLY=($(compgen -W "$choices" -- "$cur"))
}
complete -F _kcoloctl kcoloctl
