# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests with a peer of our own share: kpeer plays one end of a session
# by hand, and says itself what is ok. All it says is in $LOGS.
. "$(dirname "$0")/test_lib.sh"

HERE=127.0.0.1:7300
# Times that a scenario waits, or bounds, on purpose; $SLOW is for how long a
# whole run may take.
PATIENCE=1
[ "$SLOW" = 1 ] || PATIENCE=3

# peer connect|listen SCENARIO-OR-GROUP... [OPTIONS]
peer() {
	log=$LOGS/peer-$2.log
	if [ ! -x $KPEER ]; then
		echo "not ok peer-$2 (make -C selftests/peer)"
		return
	fi
	side=$1
	shift
	{
		$KPEER "--$side" $HERE --slow $PATIENCE "$@"
		echo "kpeer exited with $?"
	} | tee "$log" |
		awk '/^(not )?ok |^# FAILED|^# connection / { print; fflush() }'
	whole "$log" kpeer || echo "not ok peer-$1"
}

# hung_vmm SCENARIO EXIT-CODE SECONDS-UNTIL-KILLED PEER-TIMEOUT
# The same with a guest that runs, in a VMM of its own: kvmm checks at its end
# that the guest is what it has to be, and then ends with EXIT-CODE.
hung_vmm() {
	# shellcheck disable=SC2086
	timeout -k 10 $((60 * SLOW)) $KPEER --listen $HERE --vmm --name t \
		--slow $PATIENCE "$1" >"$LOGS/vmm-$1-b.log" 2>&1 &
	kpeer=$!
	# shellcheck disable=SC2086
	timeout -s KILL $(($3 * PATIENCE)) $KVMM primary --name t --connect $HERE \
		--ram $RAM_SMALL --interval 20 --count 1 --lost-wait 1500 --verify \
		--peer-timeout $(($4 * PATIENCE)) $PRIMARY \
		--json "$LOGS/vmm-$1-a.json" >"$LOGS/vmm-$1-a.log" 2>&1
	primary=$?
	wait $kpeer
	secondary=$?
	echo "kvmm exited with $primary, kpeer with $secondary" >>"$LOGS/vmm-$1-a.log"
	verdict "vmm-$1" as_demanded "$2"
}

as_demanded() { [ "$primary" = "$1" ] && [ "$secondary" = 0 ]; }
