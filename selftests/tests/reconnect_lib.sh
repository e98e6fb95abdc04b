# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# A primary, and secondaries that come and go, driven by kcoloctl.
. "$(dirname "$0")/test_lib.sh"

# What a test that failed half-way has left.
trap 'kill -9 $(jobs -p) 2>/dev/null' EXIT

all="--name t $COMMON --ram $RAM --reconnect"

standby() {	# LOG WHERE OPTIONS
	log=$1 where=$2
	shift 2
	# shellcheck disable=SC2086
	$where $KVMM secondary $all --promote command \
		--json "$LOGS/$log.json" "$@" >"$LOGS/$log.log" 2>&1 &
}

field() {	# WHERE FIELD
	$1 $CTL get "$2" t 2>/dev/null
}
counter() {	# WHERE COUNTER
	$1 $CTL --json stats t | grep "\"$2\":" | tr -dc 0-9
}

# COMMAND...: until it is so
until_so() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt $((300 * SLOW)) ] || return 1
		sleep 0.2
	done
}
is() { [ "$(field "$1" "$2")" = "$3" ]; }
committed_past() { [ "$(field "$1" committed)" -gt "$2" ]; }
more() { until_so committed_past "$1" "$(($(field "$1" committed) + ${2:-2}))"; }

lose_peer() {	# ADDR
	$CTL set reconnect off t && ss -HKt dst "$1" dport = :7000 >/dev/null &&
		until_so is "" state lost
}

# LOG ADDR:PORT OPTIONS: until it is killed
primary() {
	log=$1 to=$2
	shift 2
	# shellcheck disable=SC2086
	$KVMM primary $all $PRIMARY --connect "$to" \
		--count 0 --json "$LOGS/$log.json" "$@" >"$LOGS/$log.log" 2>&1 &
}
