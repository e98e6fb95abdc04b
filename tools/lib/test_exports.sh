#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What can be seen of the library from without: what it exports, and that it keeps
# nothing of its own between two calls; and that the examples of its documentation are
# what they are said to be. KTAP.
#	test_exports.sh DIRECTORY-WITH-THE-LIBRARY
cd "$(dirname "$0")" || exit 1
out=$1
docs=../../Documentation
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
n=0
bad=0

verdict() {	# name, command...: what that prints is wrong
	name=$1
	shift
	n=$((n + 1))
	"$@" >"$log/said" 2>&1
	if [ $? -eq 0 ] && [ ! -s "$log/said" ]; then
		echo "ok $n $name"
	else
		echo "not ok $n $name"
		sed 's/^/# /' "$log/said" | head -n 20
		bad=1
	fi
}

exported() { nm -D --defined-only "$out/libkcolo.so" | awk '$2 == "T" { print $3 }' | sort; }

# Of the header without its comments: each name that a parenthesis follows.
declared() {
	${CC:-gcc} -I../../include/uapi -fpreprocessed -dD -E -P kcolo.h |
		grep -o '\bkcolo_[a-z0-9_]*(' | tr -d '(' | sort -u
}

same_names() {
	declared >"$log/declared"
	[ -s "$log/declared" ] || echo "nothing is declared"
	exported | sed 's/@.*//' | diff "$log/declared" -
}

all_versioned() {
	exported | grep -v '@@KCOLO_[0-9]*\.[0-9]*$'
	objdump -p "$out/libkcolo.so" | grep -q '^  SONAME  *libkcolo\.so\.[0-9]*$' ||
		echo "no SONAME with a number"
}

# In a static program they are beside those of everybody.
prefixed() {
	nm -g --defined-only "$out/libkcolo.a" | awk 'NF == 3 && $3 !~ /^kcolo_/ { print $3 }'
}

# Sections that are written to while the program runs, and that are not empty. What is
# only relocated when it is loaded is const (.data.rel.ro).
no_data() {
	readelf -SW "$out/libkcolo.a" | sed 's/^ *\[[ 0-9]*\] *//' |
		awk '$1 ~ /^\.(text|rodata)/ { seen = 1 }
		     $1 !~ /^\.data\.rel\.ro/ && $7 ~ /W/ && $5 !~ /^0*$/ { print $1, $5 }
		     END { if (!seen) print "there are no sections" }'
	nm "$out/libkcolo.a" | grep ' [Cc] ' || true
}

# The first code block of C in a document.
block() {	# document
	awk '/^\.\. code-block:: c/ { on = 1; next }
	     on && /^[^ ]/ { exit }
	     on { sub(/^    /, ""); print }' "$1" | sed -e '/./,$!d' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

compiles() {	# file
	${CC:-gcc} -std=gnu11 -Wall -Wextra -Werror -I. -I../../include/uapi -c -o "$log/x.o" "$1"
}

whole_example() { block $docs/protecting-a-vm.rst >"$log/whole.c"; compiles "$log/whole.c"; }

small() {	# file
	compiles "$1"
	[ "$(wc -l <"$1")" -le 60 ] || echo "$1 has more than 60 lines"
}

shown() { block $docs/libkcolo.rst | diff $docs/examples/minimal-vmm.c -; }

echo "KTAP version 1"
verdict "what kcolo.h declares is what is exported" same_names
verdict "each symbol has a version" all_versioned
verdict "no name but kcolo_... is global" prefixed
verdict "no global state" no_data
verdict "the example of protecting-a-vm.rst compiles" whole_example
for f in $docs/examples/*.c; do
	verdict "$(basename "$f") compiles, and has 60 lines at most" small "$f"
done
verdict "minimal-vmm.c is the one in libkcolo.rst" shown
echo "1..$n"
exit $bad
