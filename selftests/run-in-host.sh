#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run the tests named, in an emulated host, with the kernel's own runner, and see
# that the module goes. KTAP.
. selftests/tests/lib.sh

KSFT=build/kselftest

tests() {
	MODULE=$(realpath "$MODULE")
	export MODULE
	# shellcheck disable=SC2046
	$KSFT/run_kselftest.sh $(printf ' -t kcolo:%s.sh' "$@") | sed -u 's/^/  /'
}

run() {
	prepare
	insmod "$MODULE" || { echo "not ok insmod"; return; }
	echo "ok insmod"
	network
	tests "$@"
	# Ends of sessions are asynchronous: they hold nothing but memory by now.
	sleep 1
	verdict rmmod rmmod kcolo
}

{ run "$@"; echo "exit $?"; } | ktap run-in-host
