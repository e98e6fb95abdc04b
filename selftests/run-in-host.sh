#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run the tests named, in an emulated host, and see that the module goes. KTAP.
. selftests/tests/lib.sh

uptime() { cut -d. -f1 /proc/uptime; }

run() {
	prepare
	insmod "$MODULE" || { echo "not ok insmod"; return; }
	echo "ok insmod"
	network
	for t in "$@"; do
		echo "# $t on $KCOLO_KERNEL"
		began=$(uptime)
		sh "selftests/tests/$t.sh"
		echo "# $t: $(($(uptime) - began)) s"
	done
	# Ends of sessions are asynchronous: they hold nothing but memory by now.
	sleep 1
	verdict rmmod rmmod kcolo
}

run "$@" | ktap
