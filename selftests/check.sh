#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# All tests: lint, unit, and the kselftests in emulated hosts on each kernel.
# The last line counts them; the exit code is 0 only when none failed.

set -u
cd "$(dirname "$0")/.." || exit 1
kernels=${KERNELS:-6.1 6.12 debug}
out=build/check
mkdir -p $out
: >$out/all.tap

# Runs a command whose output has KTAP lines; one that fails without saying
# which test is a failed test itself.
stage() {	# name, command...
	local name=$1 began=$SECONDS rc
	shift
	echo "== $name"
	"$@" 2>&1 | tee "$out/$name.log"
	rc=${PIPESTATUS[0]}
	# A host prefixes its lines; a harness indents its subtests.
	sed -n 's/^\(a| \|b| \)\?\(\(not \)\?ok .*\)/\2/p' "$out/$name.log" >"$out/$name.tap"
	if [ "$rc" -ne 0 ] && ! grep -q '^not ok' "$out/$name.tap"; then
		echo "not ok $name exited with $rc" | tee -a "$out/$name.tap"
	fi
	grep -q . "$out/$name.tap" || echo "not ok $name ran no test" | tee "$out/$name.tap"
	cat "$out/$name.tap" >>$out/all.tap
	echo "== $name: $((SECONDS - began)) s"
}

host() {	# kernel, seconds, script and its arguments
	local kernel=$1 seconds=$2
	shift 2
	# One CPU: with two the emulator itself fails now and then (a guest's
	# triple fault, a stale breakpoint in the scheduler).
	selftests/host/khost --kernel "$kernel" --cpus 1 --timeout "$seconds" \
		--out "$out/host-$kernel-$(basename "$1" .sh)" \
		--env "CHECKPOINTS=${CHECKPOINTS:-}" --env "KILLS=${KILLS:-}" -- "$*"
}

stage lint selftests/lint.sh
stage unit make --no-print-directory -C selftests/unit run
stage tools make --no-print-directory -C tools check
make --no-print-directory -C selftests/vmm >$out/vmm.log 2>&1 || {
	tail $out/vmm.log; echo "not ok kvmm builds" >>$out/all.tap; }

for k in $kernels; do
	if ! selftests/host/build-module.sh "$k" >"$out/module-$k.log" 2>&1; then
		tail "$out/module-$k.log"
		echo "not ok module for $k" >>$out/all.tap
		continue
	fi
	if [ "$k" = debug ]; then
		CHECKPOINTS=${CHECKPOINTS:-18} KILLS=1 stage "host-$k" host "$k" 2000 \
			selftests/run-in-host.sh ram_equal abort failover
	else
		CHECKPOINTS=${CHECKPOINTS:-60} KILLS=${KILLS:-5} stage "host-$k" host "$k" 900 \
			selftests/run-in-host.sh ram_equal abort failover refusals
	fi
done

# One stock kernel is enough to see the tests fail.
k=$(echo "$kernels" | tr ' ' '\n' | grep -v debug | tail -n 1)
if [ -n "$k" ]; then
	for m in skip_page lose_user_log forget_unacked; do
		selftests/host/build-module.sh "$k" $m >"$out/module-$k-$m.log" 2>&1
	done
	stage mutants host "$k" 600 selftests/mutants-in-host.sh
fi

passed=$(grep -c '^ok' $out/all.tap)
failed=$(grep -c '^not ok' $out/all.tap)
skipped=$(grep -c '^ok.*# SKIP' $out/all.tap)
grep '^not ok' $out/all.tap
echo "$((passed - skipped)) passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
