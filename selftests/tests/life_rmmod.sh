#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: the module stays while a session's fd is open, and goes at once when it
# is not, also while the sessions are ending.
. "$(dirname "$0")/life_lib.sh"

hold() {	# NAME ROLE OPTIONS
	# shellcheck disable=SC2086
	$CTL session add "$1" $2 --insecure >"$LOGS/rmmod-$1.log" 2>&1 &
	holders="$holders $!"
	until_true 5 grep -q "session $1" "$LOGS/rmmod-$1.log"
}

sessions() {
	holders=
	hold s1 "secondary --listen 127.0.0.1:7001"
	hold s2 "secondary --listen 127.0.0.1:7002"
	hold p1 "primary --connect 127.0.0.1:7003"
	hold p2 "primary --connect 10.1.0.99:7004"
}

refused() { ! rmmod kcolo 2>"$LOGS/rmmod.log" && grep -q "in use" "$LOGS/rmmod.log"; }

# A killed holder, and at once its module: one round in many would do.
at_once() {
	n=0
	while [ $n -lt 6 ]; do
		n=$((n + 1))
		sessions
		# shellcheck disable=SC2086
		kill "$1" $holders
		# shellcheck disable=SC2086
		wait $holders 2>/dev/null
		rmmod kcolo || { echo "# round $n"; return 1; }
		insmod "$MODULE" || return 1
	done
}

sessions
verdict rmmod-in-use refused
verdict rmmod-in-use-works [ "$($CTL get state -s s1)" = connecting ]
# Deleted, and their fds still open: they end by themselves when it hangs up.
for s in s1 s2 p1 p2; do
	$CTL session del $s
done
# shellcheck disable=SC2086
wait $holders
verdict rmmod-after-del rmmod kcolo
insmod "$MODULE"
verdict rmmod-killed at_once -KILL
verdict rmmod-closed at_once -TERM
not_loaded() {
	rmmod kcolo
	$CTL session list 2>"$LOGS/not-loaded.log"
	code=$?
	insmod "$MODULE"
	[ $code = 3 ] && grep -q "modprobe kcolo" "$LOGS/not-loaded.log"
}
verdict rmmod-not-loaded not_loaded
