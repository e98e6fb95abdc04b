#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: a VMM is killed, and its launcher, which still holds the session fd, is
# not. The session says so at once, and the other host takes over.
. "$(dirname "$0")/life_lib.sh"

# shellcheck disable=SC2086
$IN_B $KVMM secondary --name l --listen $B:7000 --side $B:7100 $COMMON \
	--ram $RAM_SMALL --promote lost --run-on 300 --verify \
	--json "$LOGS/launcher-b.json" >"$LOGS/launcher-b.log" 2>&1 &
second=$!
cat >/tmp/launcher <<-END
	#!/bin/sh
	$KVMM primary --side $B:7100 --ram $RAM_SMALL --interval 20 --count 0 \
		--verify-each 1 --threshold 512K &
	echo \$! >/tmp/vmm.pid
	wait \$!
	echo "the VMM ended with \$?"
	exec sleep $((60 * SLOW))
	END
chmod +x /tmp/launcher
sleep 0.5
$CTL session add l primary --connect $B:7000 --insecure --peer-timeout 20s \
	--pause-limit 30s -- /tmp/launcher >"$LOGS/launcher-a.log" 2>&1 &
launcher=$!
committed() { [ "$($CTL get committed -s l 2>/dev/null || echo 0)" -ge 2 ]; }
until_true 20 committed
follow launcher-events --type vm-gone --count 1 --timeout 15s l
kill -9 "$(cat /tmp/vmm.pid)"
wait $events
verdict launcher-vm-gone grep -q '^{"action":"change","object":"session","name":"l",.*"event":"vm-gone"' /tmp/launcher-events.json
verdict launcher-lost until_true 3 in_state lost l
verdict launcher-reason [ "$($CTL get abort-reason -s l)" = vm-gone ]
wait $second
secondary=$?
cp "$LOGS/launcher-b.log" "$LOGS/launcher-takes-over-b.log"
verdict launcher-takes-over [ $secondary = 0 ]
verdict launcher-del $CTL session del l
verdict launcher-gone until_true 3 no_sessions
kill $launcher || true
