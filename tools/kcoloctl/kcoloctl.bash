# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion of kcoloctl for bash; needs nothing but bash.

_kcoloctl_sessions() {
	kcoloctl session list 2>/dev/null | while read -r name _; do
		[ "$name" = NAME ] || echo "$name"
	done
}

_kcoloctl_events() {
	echo session-new session-del session-set peer-connected peer-lost \
		checkpoint-ready checkpoint-received checkpoint-committed \
		checkpoint-aborted checkpoint-doubt promoted fenced broken \
		vm-gone harvest-wanted checkpoint-prepared
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
		-s | --session | --name | -n | --count | -t | --timeout | \
		-T | --type | -e | --epoch | --connect | --bind | --listen | \
		--device-state | --threshold | --max-iterations | --min-gain | \
		--peer-timeout | --pause-limit | --checksum | --log-sync | \
		--log-sync-timeout | --staging-limit)
			i=$((i + 1)) ;;
		-*)	;;
		*)	words+=("$word") ;;
		esac
	done
}

_kcoloctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local params="threshold max-iterations min-gain peer-timeout
		pause-limit checksum log-sync log-sync-timeout staging-limit"
	local fields="id name role state uuid local peer insecure device-state
		epoch committed pending synced clean stop-reason abort-reason error
		event-seq scratch-size regions"
	local common="--session --json --help" options="" choices=""
	local -a words
	local dashes=0 n

	COMPREPLY=()
	_kcoloctl_words
	if ((dashes)); then
		# shellcheck disable=SC2207
		COMPREPLY=($(compgen -c -- "$cur"))
		return
	fi
	n=${#words[@]}
	case $prev in
	-s | --session | --name)
		choices=$(_kcoloctl_sessions) ;;
	-T | --type)
		choices=$(_kcoloctl_events) ;;
	--device-state)
		choices="session external" ;;
	--checksum | --log-sync)
		choices="on off" ;;
	-n | --count | -t | --timeout | -e | --epoch | --connect | --bind | \
	--listen | --log-sync-timeout | --staging-limit | --threshold | --max-iterations | --min-gain | --peer-timeout | \
	--pause-limit)
		return ;;
	*)
		case ${words[0]} in
		"")
			options="--version"
			choices="session set get checkpoint abort apply drop
				promote events stats" ;;
		session)
			case ${words[1]} in
			"") choices="add del show list" ;;
			add)
				options="--connect --bind --listen --insecure
					--device-state --threshold --max-iterations --min-gain
					--peer-timeout --pause-limit
					--checksum --log-sync
					--log-sync-timeout --staging-limit --"
				((n == 3)) && choices="primary secondary" ;;
			del | show)
				((n == 2)) && choices=$(_kcoloctl_sessions) ;;
			esac ;;
		set)
			((n % 2)) && choices="$params"
			((n % 2 && n > 1)) &&
				choices+=" $(_kcoloctl_sessions)"
			((n % 2)) || case $prev in
			checksum | log-sync) choices="on off" ;;
			esac ;;
		get)
			((n == 1)) &&
				choices="$params $fields $(_kcoloctl_sessions)"
			((n == 2)) && choices=$(_kcoloctl_sessions) ;;
		checkpoint)
			options="--urgent"
			((n == 1)) && choices=$(_kcoloctl_sessions) ;;
		events)
			options="--count --timeout --type --snapshot"
			((n == 1)) && choices=$(_kcoloctl_sessions) ;;
		stats)
			options="--all"
			((n == 1)) && choices=$(_kcoloctl_sessions) ;;
		apply | drop)
			options="--epoch"
			((n == 1)) && choices=$(_kcoloctl_sessions) ;;
		abort | promote)
			((n == 1)) && choices=$(_kcoloctl_sessions) ;;
		esac
		[[ $cur == -* ]] && choices="$common $options" ;;
	esac
	# shellcheck disable=SC2207
	COMPREPLY=($(compgen -W "$choices" -- "$cur"))
}
complete -F _kcoloctl kcoloctl
