# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests share in which a part of the kernel fails on demand.
. "$(dirname "$0")/test_lib.sh"

F=/sys/kernel/debug
mountpoint -q $F || mount -t debugfs none $F
[ -d $F/failslab ] || lacks "fault injection" debug

# What has it begin: one word, since pair() splits its options.
INJECT=/run/kcolo-inject

inject_begin() {
	printf '#!/bin/sh\n' >$INJECT
	chmod +x $INJECT
}

# The faults that have a task filter are the primary's worker's.
inject_worker() {
	# shellcheck disable=SC2016
	echo 'echo 1 >"$(dirname "$(grep -ls "^kcolo-pri" /proc/[0-9]*/comm)")/make-it-fail"' >>$INJECT
}

inject_every() {	# what fails, one in how many, how often, Y for a task filter
	cat >>$INJECT <<-END
	echo 0 >$F/$1/verbose
	echo $2 >$F/$1/interval
	echo $3 >$F/$1/times
	echo $4 >$F/$1/task-filter
	echo 100 >$F/$1/probability
	END
}
