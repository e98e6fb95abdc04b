#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I2 with hosts that die: host a is killed, frozen, or cut off, at random points
# and in every state. Here, on host b, the base image is the last committed
# epoch byte for byte, the restored guest runs on from it, and what it wrote is
# what it would have written; no epoch comes after it.
. selftests/failures/cases.sh

TIME=$((100 * SLOW))

took_over() {	# NAME
	[ "$code" = 0 ] && [ "$gone" = 0 ] && base_compared "$1"
}

# Until the guest runs here: only then does the old primary come back.
await_promotion() {
	t=0
	while ! grep -q "^.*promoted with epoch" "$log"; do
		kill -0 "$kvmm" 2>/dev/null || return
		t=$((t + 1))
		[ $t -le $((TIME * 5)) ] || return
		sleep 0.2
	done
}

load_module
i=$FIRST
while [ "$i" -le "$FAILURES" ]; do
	case_of "$i"
	name=failure-$i-$how-$moment
	log=$LOGS/$name-b.log
	# shellcheck disable=SC2086
	timeout -k 10 $TIME $KVMM secondary $both --listen 10.77.0.2:7000 \
		--seed "$i" --promote lost --run-on 2000 --verify --linger 3000 \
		--json "${log%.log}.json" \
		>"$log" 2>&1 &
	kvmm=$!
	sleep 0.5
	hostctl barrier "case-$i" || exit 1
	await_promotion
	gone=0
	case $how in
	kill) [ "$(hostctl wait a $TIME)" = killed ] || gone=1 ;;
	freeze) hostctl thaw a || gone=1 ;;
	link) hostctl link up || gone=1 ;;
	esac
	wait $kvmm
	code=$?
	verdict "$name" took_over "$name"
	if [ "$how" = kill ]; then
		[ "$i" = "$FAILURES" ] ||
			hostctl start a "sh $SELF/a.sh $((i + 1))" || exit 1
	else
		hostctl barrier "end-$i" || exit 1
	fi
	i=$((i + 1))
done
sleep 1
verdict failures-rmmod-b rmmod kcolo
