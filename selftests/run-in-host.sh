#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run the tests named, in an emulated host, and see that the module goes.
. selftests/tests/lib.sh

prepare
insmod "$MODULE" || { echo "not ok insmod"; exit 1; }
echo "ok insmod"
network
for t in "$@"; do
	echo "# $t on $KCOLO_KERNEL"
	began=$(cut -d. -f1 /proc/uptime)
	sh "selftests/tests/$t.sh"
	echo "# $t: $(($(cut -d. -f1 /proc/uptime) - began)) s"
done
# Ends of sessions are asynchronous: they hold nothing but memory by now.
sleep 1
verdict rmmod rmmod kcolo
exit 0
