#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each mutant is a module with one bug built in: what is named beside it has to
# find it. It has to find nothing in the good module: a pair of VMMs is run on that
# as well (control-...), a test is, by make check, on the same kernel.
# With --list the names of the mutants, to be built.
if [ "${1:-}" = --list ]; then
	sed -n 's/^\ttry\(_[a-z]*\)\? \([a-z_]*\) .*/\2/p' "$0"
	exit 0
fi
. selftests/tests/lib.sh

GOOD=$MODULE
all="--interval 20 --count 20 --verify-each 1 --threshold 512K"

# What a pair of kvmm can find.
# ram: a verdict was bad. An exit code of 1 alone may also be a guest that failed
ram() { grep -q '"mismatch":true' "$LOGS/$1-a.json" "$LOGS/$1-b.json"; }
# base: on promotion the base image is not its epoch
base() { grep -q '"base_known":true,"base_equal":false' "$LOGS/$1-b.json"; }

found_nothing() {	# NAME FINDING
	[ "$secondary" = 0 ] || return 1
	case $2 in
	ram) [ "$primary" = 0 ] ;;
	base) [ "$primary" = 137 ] && base_compared "$1" ;;
	esac
}

try() {	# mutant, what is found, options of the primary, of the secondary, of both
	[ -z "$only" ] || [ "$only" = "$1" ] || return
	if [ $pass = mutant ]; then
		pair "mutant-$1" "$all $3" "$4" "$5"
		verdict "mutant-$1" "$2" "mutant-$1"
		return
	fi
	# Two mutants may be found by the same.
	case $controls in
	*"<$2 $3 $4 $5>"*) return ;;
	esac
	controls="$controls<$2 $3 $4 $5>"
	pair "control-$1" "$all $3" "$4" "$5"
	verdict "control-$1" found_nothing "control-$1" "$2"
}

# What is printed says that it is not ok.
says_not() {	# mutant, what is not ok, what printed it
	verdict "mutant-$1" grep -Eq "^not ok ([0-9]* )?$2\$" "$3" ||
		grep -v log: "$3" | sed "s/^/# said: /"
}

# A mutant that a subtest of a test finds; a scenario of nlclient; of kpeer.
try_test() {	# mutant, test, subtest
	[ "$only" = "$1" ] || return
	sh "selftests/tests/$2.sh" >"$LOGS/mutant-$1.said" 2>&1
	says_not "$1" "$3" "$LOGS/mutant-$1.said"
}
try_client() {	# mutant, scenario
	[ "$only" = "$1" ] || return
	$NLCLIENT --slow "$SLOW" "$2" >"$LOGS/mutant-$1.said" 2>&1
	says_not "$1" "$2" "$LOGS/mutant-$1.said"
}
try_peer() {	# mutant, scenario
	[ "$only" = "$1" ] || return
	$KPEER --connect 127.0.0.1:7300 "$2" >"$LOGS/mutant-$1.said" 2>&1
	says_not "$1" "$2" "$LOGS/mutant-$1.said"
}
try_serve() {	# mutant, scenario
	[ "$only" = "$1" ] || return
	$KPEER --listen 127.0.0.1:7300 "$2" >"$LOGS/mutant-$1.said" 2>&1
	says_not "$1" "$2" "$LOGS/mutant-$1.said"
}

mutants() {
	try skip_page ram "" "" "--ram $RAM"
	try lose_user_log ram "" "" "--ram $RAM_SMALL"
	try forget_unacked ram "--abort-at flushed --abort-each 2" "" "--ram $RAM_SMALL"
	try read_before_clear ram "--count 30" "" "--ram 8M --vcpus 2 --pattern hot"
	try apply_before_end base "--count 0 --die-at flushed:4" "--promote lost --run-on 500 --verify" "--ram $RAM_SMALL"
	try end_no_wait ram "--kind urgent" "" "--ram $RAM_SMALL --content pages"
	try stale_slot ram "--count 30 --threshold 0" "" "--ram 4M --churn 20 --vcpus 2"
	try apply_before_apply ram "" "" "--ram $RAM_SMALL --device-state external"
	try applied_bit_missing ram "" "" "--ram $RAM_SMALL --device-state external"
	# Rounds: some of it has arrived by the time of the death.
	try clean_direct base "--count 0 --interval 200 --threshold 4K --die-at flushed:1" "--promote lost --run-on 500 --verify" "--ram 4M --ram1 2M --clean"
	try one_space ram "" "" "--ram $RAM_SMALL"
	try legacy_forgets ram "--abort-at ready --abort-each 2" "" "--ram $RAM_SMALL --vcpus 2 --no-device --manual off"
	try get_again ram "" "" "--ram $RAM_SMALL --ram1 4M --join --manual off"
	try_test one_alias once once
	try_test trust_large large_pages large-toggled
	try_test log_sync_no_wait log_sync log-sync-found
	try_test charge_nobody memcg memcg-staged
	try_test keep_spare clean_requests nothing-left
	try_test verify_blind verify verify-named
	try_client clean_keeps_log clean-sends
	try_client clean_running clean-running
	try_peer old_round_wins old-round
	try_peer no_fence end-never-promote
	try_peer equal_keeps_staged again-whole
	try_peer no_staging_limit limit-over
	try_peer resync_forever limit-whole
	try_serve trust_epoch lost-other-epoch
	try_serve forget_on_loss lost-in-epoch
	try_client round_goes_on states-hurry
	try_client overlap_ok regions-primary
	try_client seq_stuck flood-one
	# The last one: what it keeps is a module that does not go any more.
	try_client keep_mm gone-primary
}

loaded() {	# module
	insmod "$1" || return
	mutants
	# Ends of sessions are asynchronous.
	sleep 1
	[ "$only" = keep_mm ] || rmmod kcolo
}

run() {
	prepare
	network
	pass=control
	controls=
	only=
	loaded "$GOOD" || echo "not ok control"
	pass=mutant
	for only in $("$0" --list); do
		loaded "build/$KCOLO_KERNEL-$only/kcolo.ko" || echo "not ok mutant-$only"
	done
}

{ run; echo "exit $?"; } | ktap mutants
