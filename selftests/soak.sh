#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The long run: 10,000 checkpoints after each of which all RAM of both ends is
# compared, and 1,000 ends of a primary after each of which the secondary goes on:
# half of them its VMM killed, half its host killed, frozen or cut off. Hours. It
# ends with the first failure, or with "N passed, N failed, N skipped".

cd "$(dirname "$0")/.." || exit 1
. selftests/results.sh
kernel=${KERNEL:-6.12}
checkpoints=${CHECKPOINTS:-10000}
kills=${KILLS:-1000}
out=build/soak
mkdir -p $out
rm -f $out/*.tap
trap 'kill $(jobs -p) 2>/dev/null' EXIT

selftests/host/build-module.sh "$kernel" >/dev/null 2>$out/module.log || {
	tail $out/module.log; exit 1; }
make --no-print-directory -C selftests install >/dev/null || exit 1

run() {	# name, options and command of khost
	local name=$1 line
	shift
	selftests/host/khost --kernel "$kernel" --cpus 1 --timeout 172800 \
		--env TEST_TIMEOUT=172800 --out "$out/$name" "$@" |
		results | tee "$out/$name.tap" |
		while IFS= read -r line; do
			echo "$((SECONDS / 60)) min, $name: $line"
		done
	rc=${PIPESTATUS[0]}
	last_attempt "$out/$name.tap"
	[ "$rc" -eq 0 ] && grep -q '^ok' "$out/$name.tap" ||
		echo "not ok soak-$name" >>"$out/$name.tap"
}

run equal --env "CHECKPOINTS=$checkpoints" --env TIME=43200 \
	-- "selftests/run-in-host.sh ram_equal" &
run kills --env "KILLS=$((kills / 2))" -- "selftests/run-in-host.sh failover" &
run hosts --env "FAILURES=$((kills - kills / 2))" \
	--b 'sh selftests/failures/b.sh' -- 'sh selftests/failures/a.sh' &
while sleep 60; do
	echo "$((SECONDS / 60)) min: $(cat $out/*.tap | grep -c '^ok') ok," \
		"$(cat $out/*/equal-*-b.log 2>/dev/null | grep -c 'RAM equal') checkpoints equal"
	[ "$(jobs -rp | wc -l)" -gt 0 ] || break
	grep -q '^not ok' $out/*.tap && break
done
cat $out/*.tap >$out/all
grep '^not ok' $out/all
echo "$(grep -c '^ok' $out/all) passed, $(grep -c '^not ok' $out/all) failed," \
	"$(grep -c '^ok.*# SKIP' $out/all) skipped"
! grep -q '^not ok' $out/all
