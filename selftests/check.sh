#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# All tests: lint, unit, packages, and the kselftests in emulated hosts on each kernel.
# The last line counts them; the exit code is 0 only when none failed. What a
# job printed is in build/check/JOB.log.
#
# A host keeps one CPU of this machine busy, but for the tests that wait on
# purpose, so one job more runs at once than there are CPUs: not on the debug
# kernel and not with QEMU, which hardly wait. What needs no host is in no hurry,
# and takes what is left beside QEMU; the debug kernel, which the last of them are
# the first to need, is built of what everybody leaves.

cd "$(dirname "$0")/.." || exit 1
. selftests/jobs.sh
. selftests/qemu/jobs.sh
kernels=${KERNELS:-6.1 6.12 debug}
for k in $kernels; do
	case $k in
	6.1|6.12|debug) ;;
	*) echo "check: KERNELS is of 6.1, 6.12 and debug, not $k" >&2; exit 2 ;;
	esac
done
stocks=$(echo "$kernels" | tr ' ' '\n' | grep -v debug)
stock=$(echo "$stocks" | tail -n 1)
jobs_begin build/check
at_once=$(($(nproc) + 1))

host() {	# kernel, seconds, options of khost, command
	local kernel=$1 seconds=$2 name
	shift 2
	name=$(basename "$(mktemp -d "$out/host-$kernel-XXXX")")
	selftests/host/khost --kernel "$kernel" --timeout "$seconds" --out "$out/$name" \
		--env "CHECKPOINTS=${CHECKPOINTS:-}" --env "KILLS=${KILLS:-}" \
		--env "FAILURES=${FAILURES:-}" --env "FUZZ_COUNT=${FUZZ_COUNT:-}" \
		--env "RECONNECTS=${RECONNECTS:-}" "$@"
}

in_host() {	# kernel, CPUs, tests...: on the kernel
	local kernel=$1 cpus=$2
	shift 2
	host "$kernel" 3000 --cpus "$cpus" -- "selftests/run-in-host.sh $*"
}

two_hosts() {	# kernel
	host "$1" 1500 --b 'sh selftests/failures/b.sh' -- 'sh selftests/failures/a.sh'
}

module() { built "module for $*" selftests/host/build-module.sh "$@"; }
programs() {
	built libkcolo,kcoloctl make --no-print-directory -C tools &&
		built kselftest make --no-print-directory -C selftests install
}

# Of the tests with QEMU, on the debug kernel.
qemu_debug="backend_kcolo failure_secondary_killed guest_secondary_off writers_vhost"

has_debug() { case " $kernels " in *" debug "*) ;; *) return 1 ;; esac; }

# What takes minutes, when it is not cached: beside the first tests.
build() {	# what, command...
	local what=$1
	shift
	"$@"
	echo "$what: over after $SECONDS s"
}
awaited() {	# process, log: over, or as far as its log says
	while kill -0 "$1" 2>/dev/null; do
		echo "== building: $(tail -n 1 "$2")"
		sleep 10
	done
}
if [ -n "$stock" ]; then
	build QEMU qemu/build.py >"$out/build-qemu.log" 2>&1 &
	qemu=$!
fi
if has_debug; then
	build "debug kernel" nice -n 19 selftests/host/kernels.py prepare debug \
		>"$out/build-debug.log" 2>&1 &
	debug=$!
	beside=$debug
fi

job unit make --no-print-directory -C selftests/unit run
job programs programs
job tools make --no-print-directory -C tools check

# Everything in selftests/tests but what has a job of its own, in two halves.
tests=$(cd selftests/tests && ls ./*.sh | sed 's|^\./\(.*\)\.sh$|\1|' |
	grep -v -e '^lib$' -e '_lib$' -e '^ram_equal$' -e '^abort$' -e '^failover$')
# What mostly runs programs is too slow on the debug kernel, where one takes a second
# to start; what else is left out there takes long and has kin that does not.
slow='^events_\|^library_\|^tool_\|^life_\(del\|kill\|rmmod\)\|^sessions_\|^promote_command$'
slow="$slow\|^external_\(apply\|failover\|in_place\)\$\|^log_sync\$\|^no_memslot\$\|^clean\$"
slow="$slow\|^controls\$\|^pause_limit\$\|^stop_reasons\$\|^verify\$\|^hotplug\$\|^suspend\$"
slow="$slow\|^reconnect_\(cost\|other\|restart\)\$\|^l\(egacy_log\|arge_pages\)\$"
# What mostly waits is a job with others that there are less of, so that the
# last three of them, on the debug kernel, end at about the same time.
waits="blocked hung"
# What needs what only the debug kernel has, or is asked of it; what is about the checks
# and not kcolo, or a figure that no kernel changes: on one.
debug_only='^life_no\(mem\|copy\)$'
once='^controls$\|^reconnect_cost$'
half() {	# kernel, 0 or 1
	local without=$debug_only some
	[ "$1" = "$stock" ] || without="$without\|$once"
	[ "$1" != debug ] || without="$slow\|^\($(echo "$waits" | sed 's/ /\\|/g')\)\$"
	some=$(echo "$tests" | grep -v "$without")
	# shellcheck disable=SC2046
	in_host "$1" 1 $(echo "$some" | awk "NR % 2 == $2")
}

for k in $stocks; do
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

no_hurry() {
	renice -n 10 $BASHPID >/dev/null
	job lint selftests/lint.sh
	job packages selftests/packaging/run.sh
}
no_hurry &
beside="$beside $!"
at_once=$(nproc)
if [ -n "$stock" ]; then
	awaited "$qemu" "$out/build-qemu.log"
	# All of it before a host looks at any.
	for k in $stocks; do
		job "qemu-$k" built "QEMU for $k" selftests/qemu/prepare.sh "$k"
	done
	job qemu-mutants-built built "mutants of QEMU" selftests/qemu/mutants.sh prepare
	for k in $stocks; do
		start "qemu-two-$k" qemu_two "$k"
		start "qemu-one-$k" qemu_one "$k"
	done
	start qemu-mutants qemu_mutants "$stock"
	start qemu-vfio qemu_vfio "$stock"
fi
if has_debug; then
	awaited "$debug" "$out/build-debug.log"
	job module-debug module debug
	[ -z "$stock" ] || job qemu-debug built "QEMU for debug" selftests/qemu/prepare.sh debug
	# Ten times as slow.
	export FUZZ_COUNT=${FUZZ_COUNT_DEBUG:-100} CHECKPOINTS=${CHECKPOINTS_DEBUG:-60} KILLS=${KILLS_DEBUG:-1}
	export RECONNECTS=${RECONNECTS_DEBUG:-6}
	# The longest first.
	start tests1-debug half debug 1
	start tests0-debug half debug 0
	# In one host: to boot it, and to look for leaks, takes a minute.
	# shellcheck disable=SC2086
	start equal-debug in_host debug 1 ram_equal abort failover $waits
	# shellcheck disable=SC2086
	[ -z "$stock" ] || QEMU_CHECKPOINTS=5 start qemu-one-debug qemu_one debug $qemu_debug
fi
wait
tail -q -n 1 "$out"/build-*.log
jobs_end
