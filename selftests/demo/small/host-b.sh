#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Host b: keeps the last whole checkpoint, and has host a killed in the middle of
# one. When host a is gone it takes over, and the guest runs on here.
#
# GUEST: options of the guest; PEER_TIMEOUT: of the session; PAIRS: of measured
# checkpoints; RUN_ON, KILL_WITHIN: ms
. selftests/demo/small/host.sh

# At a random moment after a checkpoint was seen to begin. To ask takes time in
# which it may end, so host a is frozen first: when that was too late it goes on,
# and the next one will do.
kill_in_checkpoint() {
	while :; do
		until [ "$(state)" = receiving ]; do
			sleep 0.05
		done
		random=$(od -An -N4 -tu4 /dev/urandom)
		ms=$((random % KILL_WITHIN))
		sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
		hostctl freeze a
		sleep 0.3		# what is on the wire arrives
		state=$(state)
		case $state in
		receiving|committing) break ;;
		esac
		hostctl thaw a
		tell "host a was not hit in a checkpoint: another try"
	done
	hostctl kill a
	printf '{"type":"kill","state":"%s","epoch":%s,"committed":%s,"staged_pages":%s}\n' \
		"$state" "$($CTL get epoch $SESSION)" "$($CTL get committed $SESSION)" \
		"$(counter staging-pages)"
	flush
}

watch_and_kill() {
	$CTL events --type checkpoint-committed --type promoted $SESSION |
	while read -r line; do
		case $(value_of event "$line") in
		promoted)
			show session list ;;
		checkpoint-committed)
			[ "$(value_of epoch "$line")" -ne $last ] || kill_in_checkpoint & ;;
		esac
	done
}

module_in
# shellcheck disable=SC2086
$CTL session add $SESSION secondary --listen "$KCOLO_SELF:$DATA_PORT" --insecure \
	--peer-timeout "$PEER_TIMEOUT" -- \
	$KVMM secondary --side "$KCOLO_SELF:$SIDE_PORT" $GUEST \
	--promote lost --run-on "$RUN_ON" --verify --json - &
vmm=$!
wait_session
tell "session $SESSION waits at $KCOLO_SELF:$DATA_PORT"
$CTL --json events --type peer-lost --type checkpoint-aborted --type promoted $SESSION |
while read -r line; do
	echo "$line"
	flush
done &
watch_and_kill &
hostctl barrier standby 60 || { tell "host a is not ready"; exit 1; }
wait $vmm
code=$?
# A session ends asynchronously: it holds nothing but memory by now.
sleep 1
rmmod kcolo || { tell "kcolo.ko cannot be unloaded"; exit 1; }
tell "kcolo.ko is unloaded"
exit $code
