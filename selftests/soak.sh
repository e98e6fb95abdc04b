#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The long run: 10,000 checkpoints after each of which all RAM of both ends is
# compared, and 1,000 deaths of the primary after each of which the secondary
# goes on, half of the work on each CPU of this machine. Hours. It ends with the
# first failure, or with "N passed, N failed, N skipped".

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

run() {	# name, checkpoints, kills, test
	selftests/host/khost --kernel "$kernel" --cpus 1 --timeout 86400 \
		--out "$out/$1" --env "CHECKPOINTS=$2" --env "KILLS=$3" \
		--env "TIME=43200" -- "selftests/run-in-host.sh $4" |
		results | tee "$out/$1.tap" |
		sed -u "s/^/$((SECONDS / 60)) min, $1: /"
	rc=${PIPESTATUS[0]}
	last_attempt "$out/$1.tap"
	[ "$rc" -eq 0 ] && grep -q '^ok' "$out/$1.tap" ||
		echo "not ok soak-$1" >>"$out/$1.tap"
}

run equal "$checkpoints" 0 ram_equal &
run kills 0 "$kills" failover &
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
