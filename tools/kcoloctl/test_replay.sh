#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each subcommand with what was recorded of a real kernel (recorded/README.md): what
# it asks, prints and ends with. KTAP.
#
# usage: test_replay.sh TEST_REPLAY [--update]
#   --update: take what is printed now for what is to be printed

replay=$1
update=$2
recorded=${0%/*}/recorded
. "${0%/*}/test_lib.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unset KCOLO_FD KCOLO_SESSION NO_COLOR
export TZ=UTC

why() { cat "$dir/why"; }

# Nothing at all is no file. Return: whether both say the same.
same() {	# NAME out|err
	[ -s "$dir/$2" ] && is=$dir/$2 || is=/dev/null
	want=$recorded/expected/$1.$2
	[ -e "$want" ] || want=/dev/null
	diff -u "$want" "$is" >>"$dir/why"
}

keep() {	# NAME out|err
	rm -f "$recorded/expected/$1.$2"
	[ ! -s "$dir/$2" ] || cp "$dir/$2" "$recorded/expected/$1.$2"
}

run() {	# NAME RECORDING ARGUMENTS...
	from=$recorded/$2.nl
	case $1 in
	fd-*)	shift 2
		KCOLO_FD=7 KCOLO_REPLAY=$from timeout 20 "$replay" "$@" 7</dev/null ;;
	*)	shift 2
		KCOLO_REPLAY=$from timeout 20 "$replay" "$@" ;;
	esac >"$dir/out" 2>"$dir/err"
}

check() {	# NAME RECORDING CODE ARGUMENTS...
	name=$1 code=$3
	from=$2
	shift 3
	run "$name" "$from" "$@"
	got=$?
	echo "exit code $got, want $code" >"$dir/why"
	[ -z "$update" ] || { keep "$name" out; keep "$name" err; }
	good=0
	[ $got = "$code" ] || good=1
	same "$name" out || good=1
	same "$name" err || good=1
	ok "replay of $name: kcoloctl $*" $good
}

echo "KTAP version 1"
grep -v '^#' "$recorded/cases" >"$dir/cases"
while read -r name from code args; do
	[ -n "$name" ] || continue
	eval "check $name $from $code $args"
done <"$dir/cases"

# A recording that nothing is tested with is of no use, nor is a result without a case.
for f in "$recorded"/*.nl; do
	f=$(basename "$f" .nl)
	[ "$f" = family ] || awk '{ print $2 }' "$dir/cases" | grep -qx "$f" ||
		echo "$f.nl"
done >"$dir/why"
for f in "$recorded"/expected/*; do
	f=$(basename "$f")
	awk '{ print $1 }' "$dir/cases" | grep -qx "${f%.*}" || echo "expected/$f"
done >>"$dir/why"
ok "each recording is replayed" "$(grep -c . "$dir/why")"

# And each subcommand is: of those that the tool says it has.
KCOLO_REPLAY=/dev/null "$replay" --help | sed -n 's/^  \([a-z][a-z ]*[a-z]\)   *[A-Z].*/\1/p' |
while read -r c; do
	cut -d' ' -f4- "$dir/cases" | grep -q "^$c" || echo "no case has $c"
done >"$dir/why"
ok "each subcommand is replayed" "$(grep -c . "$dir/why")"

# That it can fail: another request, one too many, one too few.
fails() {	# WHAT PATTERN NAME RECORDING ARGUMENTS...
	what=$1 pattern=$2
	shift 2
	run "$@"
	got=$?
	cat "$dir/out" "$dir/err" >"$dir/why"
	[ $got = 99 ] && grep -q "$pattern" "$dir/err"
	ok "$what is seen" $?
}
fails "another value in a request" "byte [0-9]* of a request is" x set \
	set threshold 2M min-gain 5 vm1
fails "another length of a request" "a request has [0-9]* bytes, not\|byte 0 of a request" x set \
	set threshold 1M vm1
fails "another request" "byte [0-9]* of a request is" x abort promote vm1
fails "a request too many" "is sent that was not" x list show
fails "a request too few" "steps were not asked for" x show session list

finish
