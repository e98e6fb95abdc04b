#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The completion, as bash calls it, with the real tool but for the sessions that
# there are. KTAP.
#
# usage: test_completion.sh KCOLOCTL

tool=$1
. "${0%/*}/test_lib.sh"
. "${0%/*}/kcoloctl.bash"

# shellcheck disable=SC2317
kcoloctl() {
	if [ "$*" = dump ]; then
		printf 'vm1\t3\tprimary\nvm2\t4\tsecondary\n'
	else
		"$tool" "$@"
	fi
}

complete_words() {	# WORD...: the last one is being written
	COMP_WORDS=(kcoloctl "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	said=$(_kcoloctl 2>&1)
	_kcoloctl 2>/dev/null
}

completes() {	# CHOICES WORD...
	local choices=$1
	shift
	complete_words "$@"
	[ "${COMPREPLY[*]}" = "$choices" ] && [ -z "$said" ]
	ok "completion of '$*'" $?
	[ "${COMPREPLY[*]}" = "$choices" ] && [ -z "$said" ] ||
		echo "# '${COMPREPLY[*]}', not '$choices'; $said"
}

has() {	# CHOICE... -- WORD...
	local want=() w
	while [ "$1" != -- ]; do
		want+=("$1")
		shift
	done
	shift
	complete_words "$@"
	for w in "${want[@]}"; do
		[[ " ${COMPREPLY[*]} " == *" $w "* ]]
		ok "completion of '$*' has $w" $?
	done
}

echo "KTAP version 1"
[ "$(complete -p kcoloctl)" = "complete -F _kcoloctl kcoloctl" ]
ok "it is bash's for kcoloctl" $?

completes "session show set stats" s
completes "wait" w
completes "add del show list" session ""
completes "vm1 vm2" session del ""
completes "vm1 vm2" session show vm
completes "" session list ""
completes "primary secondary" session add vm1 ""
completes "on off" session add vm1 --checksum ""
completes "session external" session add vm1 primary --device-state ""
completes "--listen --log-sync --log-sync-timeout" session add vm1 --l
completes "" session add vm1 --threshold ""
has ls -- session add vm1 primary -- l
for c in show dump abort promote checkpoint events stats apply drop; do
	completes "vm1 vm2" $c ""
	completes "" $c vm1 ""
	completes "vm1 vm2" $c -s ""
	completes "auto always never" $c --color ""
done
completes "checksum" set ch
completes "on off" set checksum ""
completes "on off" set threshold 1M log-sync ""
completes "log-sync log-sync-timeout" set log-sync on log
completes "vm1 vm2" set log-sync on vm
completes "vm1 vm2" get checksum ""
completes "vm1 vm2" get log-sync ""
has threshold log-sync-timeout state regions vm1 -- get ""
has connecting idle ready doubt lost promoted fenced broken closed prepared -- wait ""
completes "promoted prepared" wait pr
completes "lost,promoted lost,prepared" wait lost,pr
completes "vm1 vm2" wait lost,promoted ""
completes "vm1 vm2" wait idle --timeout 5s ""
completes "" wait idle --timeout ""
completes "peer-connected peer-lost" events --type peer
completes "peer-connected peer-lost" events -n 1 -T peer
completes "peer-connected peer-lost" events --type = peer
completes "auto always never" --color =
completes "vm1 vm2" events --type = promoted ""
completes "vm1 vm2" stats --watch = 2s ""
completes "--urgent" checkpoint --u
completes "--epoch" apply --e
completes "--all" stats --a
completes "--watch" stats --w
completes "--version" --v
completes "always" --color al
completes "session show set stats" --color never s

# What the specification's header has is all there.
names() {	# ENUM: values in words, but for "none"
	sed -n "s/^\tKCOLO_$1_\([A-Z_]*\),$/\1/p" "${0%/*}/../../include/uapi/linux/kcolo.h" |
		tr '[:upper:]_' '[:lower:]-' | grep -vx none | sort
}
complete_words events --type ""
[ "$(printf '%s\n' "${COMPREPLY[@]}" | sort)" = "$(names EVENT_TYPE)" ]
ok "all types of events" $?
passing='^\(precopy\|flushing\|flushed\|committing\|applying\|receiving\)$'
complete_words wait ""
[ "$(printf '%s\n' "${COMPREPLY[@]}" | sort)" = "$(names STATE | grep -v "$passing")" ]
ok "all states but those that pass" $?

subcommands=$("$tool" --help | sed -n 's/^  \([a-z][a-z ]*[a-z]\)   *[A-Z].*/\1/p')
complete_words ""
[ "$(printf '%s\n' "${COMPREPLY[@]}" | sort)" = "$(cut -d' ' -f1 <<<"$subcommands" | sort -u)" ]
ok "all subcommands" $?

# Each option that --help has of a subcommand.
while read -r command; do
	# shellcheck disable=SC2086
	"$tool" $command --help | grep -o -e '^  *\(-[a-zA-Z], \)\?--[a-z-]*' |
		grep -o -e '--[a-z-]*' | grep -v -e '^--$' |
		while read -r option; do
			# shellcheck disable=SC2086
			complete_words $command --
			[[ " ${COMPREPLY[*]} " == *" $option "* ]] ||
				echo "$command has $option"
		done
done <<<"$subcommands" >"${TMPDIR:-/tmp}/options.$$"
[ ! -s "${TMPDIR:-/tmp}/options.$$" ]
ok "all options" $?
sed 's/^/# /' "${TMPDIR:-/tmp}/options.$$"
rm -f "${TMPDIR:-/tmp}/options.$$"

finish
