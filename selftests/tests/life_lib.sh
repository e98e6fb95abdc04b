# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests of life, refusal, events and the tool share.
. selftests/tests/lib.sh

CTL=build/tools/kcoloctl
NLCLIENT=build/nlclient/nlclient

# client SCENARIO-OR-GROUP...: nlclient says itself what is ok.
client() {
	log=$LOGS/nlclient-$1.log
	if [ ! -x $NLCLIENT ]; then
		echo "not ok nlclient-$1 (make -C selftests/nlclient)"
		return
	fi
	$NLCLIENT --slow "$SLOW" "$@" 2>&1 | tee "$log" |
		grep --line-buffered -E '^(not )?ok |^# '
	grep -qE '^(not )?ok ' "$log" || echo "not ok nlclient-$1"
}

# in_b COMMAND...: in the other network namespace
in_b() { ip netns exec b "$@"; }

# until_true SECONDS COMMAND...
until_true() {
	end=$(($(date +%s) + $1 * SLOW))
	shift
	until "$@"; do
		[ "$(date +%s)" -le $end ] || return 1
		sleep 0.05
	done
}

no_sessions() {
	[ "$($CTL -j session list | tr -d ' \n')" = "[]" ] &&
		[ "$(in_b $CTL -j session list | tr -d ' \n')" = "[]" ]
}

in_state() {	# STATE NAME [COMMAND that runs the tool elsewhere]
	is=$1
	of=$2
	shift 2
	[ "$("$@" $CTL get state -s "$of" 2>/dev/null)" = "$is" ]
}

# KiB that could be allocated
available() { sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo; }
