#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Bugs built into the library on purpose, one at a time: its own tests have to find
# each. KTAP.
#
# usage: test_mutants.sh, in tools

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
nr=0
failed=0

mutant() {	# NAME FILE SED-SCRIPT
	nr=$((nr + 1))
	rm -rf "$dir/tools"
	mkdir -p "$dir/tools"
	cp -r Makefile lib kcoloctl "$dir/tools/"
	ln -sfn "$(cd ../include && pwd)" "$dir/include"
	sed -i -e "$3" "$dir/tools/lib/$2"
	if cmp -s "lib/$2" "$dir/tools/lib/$2"; then
		why="there is nothing to change in lib/$2"
	elif ! make -C "$dir/tools" --no-print-directory O="$dir/out" \
		"$dir/out/test_lib" >"$dir/log" 2>&1; then
		why="it does not build: $(tail -n 1 "$dir/log")"
	elif timeout 120 "$dir/out/test_lib" >"$dir/log" 2>&1; then
		why="no test has found it"
	else
		echo "ok $nr mutant of the library: $1"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $nr mutant of the library: $1"
	echo "# $why"
}

echo "KTAP version 1"
mutant "lost events, and nothing is read again" events.c \
	'/if (ret == -ENOBUFS)/{n;s/kcolo_event_lost(k);/;/}'
mutant "a number that is missing is no loss" events.c \
	's/^static bool after_gap(.*/&/;/^static bool after_gap(/,/^}/s/if (!t->known || .*/if (1)/'
mutant "what was read is told again when it comes" reread.c \
	's/return ev->seq <= t->seq ||/return/'
mutant "a link that was lost and came back is not told" reread.c \
	's/bool other = info->links > t->links && t->known;/bool other = false;/'
mutant "what became of an epoch is told after the new link" reread.c \
	's/if (info->role != KCOLO_ROLE_PRIMARY || info->committed > t->epoch)/if (1)/'
echo "1..$nr"
echo "# $failed failed"
[ $failed = 0 ]
