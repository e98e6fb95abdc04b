#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Host a: a guest runs and is protected. Pre-copy is switched off and on between
# the checkpoints. After the last one that is measured host b has this one killed.
#
# GUEST: options of the guest; PEER_TIMEOUT: of the session; PAIRS: of measured
# checkpoints; INTERVAL: ms between two; THRESHOLD: of pre-copy
. selftests/demo/small/host.sh

# Odd epochs after the first have pre-copy on, even ones off.
steer() {	# epoch that was committed
	if [ $(($1 % 2)) -eq 0 ] || [ "$1" -ge $last ]; then
		$CTL set threshold "$THRESHOLD" $SESSION
	else
		$CTL set threshold 0 $SESSION
	fi
}

# How much the initial full sync has sent, for the story.
tell_sync() {
	printf '{"type":"full-sync","pages":%s,"zero_pages":%s}\n' \
		"$(counter pages-sync)" "$(counter pages-zero)"
}

module_in
hostctl barrier standby 60 || { tell "host b is not ready"; exit 1; }
tell "the guest starts, its session connects to host b"
# shellcheck disable=SC2086
$CTL session add $SESSION primary --connect "$KCOLO_PEER:$DATA_PORT" --insecure \
	--threshold 0 --pause-limit 30s --peer-timeout "$PEER_TIMEOUT" -- \
	$KVMM primary --side "$KCOLO_PEER:$SIDE_PORT" $GUEST \
	--interval "$INTERVAL" --verify-each 1 --verify-late --json - &
vmm=$!
wait_session
while [ "$(state)" = connecting ]; do
	sleep 0.1
done
tell "session $SESSION is connected: first a full sync of all RAM"
$CTL events --type checkpoint-committed $SESSION |
while read -r line; do
	[ "$(value_of event "$line")" = checkpoint-committed ] || continue
	epoch=$(value_of epoch "$line")
	steer "$epoch"
	flush 1 &		# once kvmm has the verdict, before the next one
	if [ "$epoch" -eq 1 ]; then
		tell_sync
		show session show $SESSION
	elif [ "$epoch" -eq $last ]; then
		show stats $SESSION
		tell "the guest goes on, checkpoints go on, now all with pre-copy"
	fi
done
# Only if nobody kills this host.
wait $vmm
tell "the primary ended by itself: exit code $?"
exit 1
