#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# All tests: lint, unit, and the kselftests in emulated hosts on each kernel.
# The last line counts them; the exit code is 0 only when none failed. What a
# job printed is in build/check/JOB.log.
#
# A host keeps one CPU of this machine busy, but for the tests that wait on
# purpose, so one job more runs at once than there are CPUs: not on the debug
# kernel, which hardly waits. Its build is one of them when it is not cached.

cd "$(dirname "$0")/.." || exit 1
. selftests/results.sh
kernels=${KERNELS:-6.1 6.12 debug}
for k in $kernels; do
	case $k in
	6.1|6.12|debug) ;;
	*) echo "check: KERNELS is of 6.1, 6.12 and debug, not $k" >&2; exit 2 ;;
	esac
done
stock=$(echo "$kernels" | tr ' ' '\n' | grep -v debug | tail -n 1)
out=build/check
rm -rf $out
mkdir -p $out
trap 'kill $(jobs -p) 2>/dev/null' EXIT

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
	grep '\bnot ok ' -A 24 "$out/$name.log" | grep -e '^[ab]| *# #' -e '^#' | sed "s/^/$name: /"
	times >"$out/$name.times"	# not in a pipe, which has children of its own
	echo "== $name: $(grep -c '^ok' "$tap") ok, $(grep -c '^not ok' "$tap") not," \
		"$((SECONDS - began)) s; CPU, user and system: $(tail -n 1 "$out/$name.times")"
)

# Starts a job when a CPU is free.
at_once=$(($(nproc) + 1))
start() {
	while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do
		wait -n
	done
	job "$@" &
}

host() {	# kernel, seconds, options of khost, command
	local kernel=$1 seconds=$2 name
	shift 2
	name=$(basename "$(mktemp -d "$out/host-$kernel-XXXX")")
	selftests/host/khost --kernel "$kernel" --timeout "$seconds" --out "$out/$name" \
		--env "CHECKPOINTS=${CHECKPOINTS:-}" --env "KILLS=${KILLS:-}" \
		--env "FAILURES=${FAILURES:-}" --env "FUZZ_COUNT=${FUZZ_COUNT:-}" "$@"
}

in_host() {	# kernel, CPUs, tests...: on the kernel
	local kernel=$1 cpus=$2
	shift 2
	host "$kernel" 3000 --cpus "$cpus" -- "selftests/run-in-host.sh $*"
}

two_hosts() {	# kernel
	host "$1" 1500 --b 'sh selftests/failures/b.sh' -- 'sh selftests/failures/a.sh'
}

built() {	# what, command...
	local what=$1
	shift
	if "$@"; then echo "ok built $what"; else echo "not ok built $what"; return 1; fi
}

module() { built "module for $*" selftests/host/build-module.sh "$@"; }
programs() {
	built libkcolo,kcoloctl make --no-print-directory -C tools &&
		built kselftest make --no-print-directory -C selftests install
}
debug_kernel() { built "debug kernel" selftests/host/kernels.py prepare debug; }

case " $kernels " in
*" debug "*) debug_kernel >$out/debug-kernel.log 2>&1 & debug=$! ;;
esac
start lint selftests/lint.sh
job unit make --no-print-directory -C selftests/unit run
job programs programs
job tools make --no-print-directory -C tools check

# Everything in selftests/tests but what has a job of its own, in two halves.
tests=$(cd selftests/tests && ls ./*.sh | sed 's|^\./\(.*\)\.sh$|\1|' |
	grep -v -e '^lib$' -e '_lib$' -e '^ram_equal$' -e '^abort$' -e '^failover$')
# What mostly runs programs is too slow on the debug kernel, where one takes a second
# to start; what else is left out there takes long and has kin that does not.
slow='^events_\|^tool_\|^life_\(del\|kill\|rmmod\)\|^sessions_\|^promote_command$'
slow="$slow\|^external_\(apply\|failover\|in_place\)\$\|^log_sync\$\|^no_memslot\$\|^clean\$"
slow="$slow\|^controls\$\|^pause_limit\$\|^stop_reasons\$"
# What mostly waits is a job with others that there are less of, so that the
# last three of them, on the debug kernel, end at about the same time.
waits="blocked hung"
# What needs what only the debug kernel has; what is about the checks and not kcolo.
debug_only='^life_no\(mem\|copy\)$'
once='^controls$'
half() {	# kernel, 0 or 1
	local without=$debug_only some
	[ "$1" = "$stock" ] || without="$without\|$once"
	[ "$1" != debug ] || without="$slow\|^\($(echo "$waits" | sed 's/ /\\|/g')\)\$"
	some=$(echo "$tests" | grep -v "$without")
	# shellcheck disable=SC2046
	in_host "$1" 1 $(echo "$some" | awk "NR % 2 == $2")
}

for k in $kernels; do
	[ "$k" != debug ] || continue
	job "module-$k" module "$k"
	start "equal-$k" in_host "$k" 1 ram_equal
	start "fail-$k" in_host "$k" 1 abort failover
	start "tests0-$k" half "$k" 0
	start "tests1-$k" half "$k" 1
done
# One stock kernel is enough to see the tests fail, and the hosts.
if [ -n "$stock" ]; then
	for m in $(selftests/mutants-in-host.sh --list); do
		job "module-$m" module "$stock" "$m"
	done
	start mutants host "$stock" 1200 --cpus 1 -- selftests/mutants-in-host.sh
	# CPUs that take turns: what a kernel with several can do wrong is seen.
	CHECKPOINTS=${CHECKPOINTS:-30} KILLS=1 start smp in_host "$stock" 2 ram_equal failover life_ends
	start hosts two_hosts "$stock"
fi
if [ -n "${debug:-}" ]; then
	while kill -0 "$debug" 2>/dev/null; do
		echo "== debug kernel: $(tail -n 1 $out/debug-kernel.log)"
		sleep 20
	done
	job module-debug module debug
	# Ten times as slow.
	export FUZZ_COUNT=${FUZZ_COUNT_DEBUG:-100} CHECKPOINTS=${CHECKPOINTS_DEBUG:-60} KILLS=${KILLS_DEBUG:-1}
	at_once=$(nproc)
	# The longest first.
	start tests1-debug half debug 1
	start tests0-debug half debug 0
	# In one host: to boot it, and to look for leaks, takes a minute.
	# shellcheck disable=SC2086
	start equal-debug in_host debug 1 ram_equal abort failover $waits
fi
wait

cat $out/*.tap >$out/all
passed=$(grep -c '^ok' $out/all)
failed=$(grep -c '^not ok' $out/all)
skipped=$(grep -c '^ok.*# SKIP' $out/all)
(cd $out && grep -H -e '^not ok' -e '^# retry' ./*.tap)
echo "$(grep -c '^# retry' $out/all) hosts tried once more for a fault of the emulator"
echo "$((passed - skipped)) passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
