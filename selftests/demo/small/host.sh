# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034
#
# What both hosts of the demo do alike. A line that begins with "@" is part of
# the story and is shown; lines that begin with "|" are what a tool printed.

. selftests/tests/lib.sh

CTL=build/tools/kcoloctl
SESSION=demo
DATA_PORT=7000
SIDE_PORT=7100
last=$((1 + 2 * PAIRS))		# epoch; the first one is the full sync

# What was printed is seen outside once it is written back, which may take seconds;
# and a host that dies takes with it what was not. SECONDS: until it is printed.
# shellcheck disable=SC2119,SC2120
flush() {
	sleep "${1:-0.1}"
	sync "$KCOLO_OUT/out-$KCOLO_HOST.log"
}

tell() {
	echo "@ $*"
	flush
}

# show COMMAND...: run it, and have what it prints seen
show() {
	echo "@ \$ kcoloctl $*"
	$CTL "$@" | sed 's/^/| /'
	flush
}

module_in() {
	prepare
	insmod "$MODULE" || { tell "kcolo.ko cannot be loaded"; exit 1; }
	tell "kcolo.ko is loaded, kernel $(uname -r)"
}

state() { $CTL get state $SESSION 2>/dev/null; }

counter() {	# name, as kcoloctl stats has it
	$CTL stats $SESSION | sed -n "s/^ *$1  *//p"
}

value_of() {	# key, line of kcoloctl events; of values without spaces
	case $2 in
	*" $1:"*)
		value=${2#*" $1:"}
		echo "${value%% *}" ;;
	esac
}

# The session is there as soon as the launcher has made it.
wait_session() {
	tries=0
	until $CTL get state $SESSION >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || { tell "there is no session after 10 s"; exit 1; }
		sleep 0.1
	done
}
