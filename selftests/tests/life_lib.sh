# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests of life, refusal, events and the tool share.
. "$(dirname "$0")/test_lib.sh"

# client SCENARIO-OR-GROUP...: nlclient says itself what is ok.
client() {
	log=$LOGS/nlclient-$1.log
	if [ ! -x $NLCLIENT ]; then
		echo "not ok nlclient-$1 (make -C selftests/nlclient)"
		return
	fi
	{
		$NLCLIENT --slow "$SLOW" "$@" 2>&1
		echo "nlclient exited with $?"
	} | tee "$log" |
		awk '/^(not )?ok |^# / { print; fflush() }'
	whole "$log" nlclient || echo "not ok nlclient-$1"
}

# in_b COMMAND...: in the other network namespace
in_b() { $IN_B "$@"; }

# until_true SECONDS COMMAND...: seconds of a host that has its CPU to itself
until_true() {
	end=$(($(date +%s) + $1 * 3 * SLOW))
	shift
	until "$@"; do
		[ "$(date +%s)" -le $end ] || return 1
		sleep 0.05
	done
}

# follow NAME OPTIONS...: events go to /tmp/NAME.json from here on, after what there
# is, by $events. Not to $LOGS: on 9p one who has read a file sees zeroes in place
# of what is written to it afterwards.
follow() {
	said=/tmp/$1.json
	shift
	$CTL --json events "$@" >"$said" 2>&1 &
	events=$!
	until_true 5 grep -q '^{"action":"exists","object":"-"}$' "$said"
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

# KiB that somebody holds: neither free, on a list of a CPU's own of pages that are
# (tens of MiB), nor a cache that can be dropped.
held() {
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemTotal:/ { n += $2 }
	     /^(MemFree|Buffers|Cached|SReclaimable):/ { n -= $2 }
	     $1 == "count:" { n -= $2 * 4 }
	     END { print n }' /proc/meminfo /proc/zoneinfo
}
