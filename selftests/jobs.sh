# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# Jobs that run side by side, $at_once of them at most. Their results are in $out:
# JOB.log has what a job printed, JOB.tap its results, JOB.why what was said of those
# that are not ok, JOB.times the CPU that it took.

. selftests/results.sh

jobs_begin() {	# directory
	out=$1
	rm -rf "$out"
	mkdir -p "$out"
	trap 'kill $(jobs -p) 2>/dev/null' EXIT
}

# Runs a command whose output has KTAP lines; one that fails without saying
# which test is a failed test itself. In a shell of its own, whose times are the
# command's.
job() (	# name, command...
	local name=$1 began=$SECONDS rc tap=$out/$1.tap
	shift
	echo "== $name"
	"$@" 2>&1 | tee "$out/$name.log" | results |
		tee "$tap" | sed -u "s/^/$name: /"
	rc=${PIPESTATUS[0]}
	settle "$name" "$tap" "$out/$name.log" "$rc"
	grep '\bnot ok ' -B 12 -A 24 "$out/$name.log" | grep -e '^[ab]| *# #' -e '^[ab]| # ' -e '^#' \
		-e '\bnot ok ' | sed "s/^/$name: /" | tee "$out/$name.why"
	times >"$out/$name.times"	# not in a pipe, which has children of its own
	echo "== $name: $(grep -c '^ok' "$tap") ok, $(grep -c '^not ok' "$tap") not," \
		"$((SECONDS - began)) s; CPU, user and system: $(tail -n 1 "$out/$name.times")"
)

# Starts a job when there are less than $at_once, not counting $beside: processes of
# the shell's that take what is left, and have jobs of their own, if any.
beside=
start() {
	# shellcheck disable=SC2086
	while [ "$(jobs -rp | grep -cvxF "$(printf '%s\n' none $beside)")" -ge "$at_once" ]; do
		wait -n
	done
	job "$@" &
}

built() {	# what, command...
	local what=$1
	shift
	if "$@"; then echo "ok built $what"; else echo "not ok built $what"; return 1; fi
}

# Waits for what was started, and counts: the last line is "N passed, N failed, N
# skipped". Fails when a test has.
jobs_end() {
	local failed skipped
	wait
	cat "$out"/*.tap >"$out/all"
	failed=$(grep -c '^not ok' "$out/all")
	skipped=$(grep -c '^ok.*# SKIP' "$out/all")
	# Once more, at the end: what there is of a long log is often its end.
	cat "$out"/*.why
	(cd "$out" && grep -H -e '^not ok' -e '^# retry' ./*.tap)
	echo "it took $SECONDS s"
	echo "$(grep -c '^# retry' "$out/all") hosts tried once more for a fault of the emulator"
	echo "$(($(grep -c '^ok' "$out/all") - skipped)) passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}
