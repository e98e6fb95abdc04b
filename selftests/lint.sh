#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What a reader should not have to look for: the module with W=1 -Werror on
# each kernel, sparse, checkpatch --strict, kernel-doc, generated code that is
# what the specification makes, files that are short, and no two that need each
# other. KTAP.

set -u

cd "$(dirname "$0")/.." || exit 1
tools=$(tools/kernel-source.sh) || exit 1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
n=0
bad=0

result() {	# exit code, name
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		sed 's/^/# /' "$log" | head -n 60
		bad=1
	fi
}

# Without git: the tree may be a tarball, or another user's.
sources() {	# directory...
	find "$@" -name '*.[ch]' ! -name 'netlink_gen.*' ! -name '*.mod.c' | sort
}

# A list of nothing is good in every respect.
has_sources() {
	[ "$(sources kernel tools selftests | wc -l)" -gt 100 ] && return
	echo "there are no sources to look at in $PWD"
	return 1
}

# Types of reports that do not fit, files. In one go, for it takes long to start.
checkpatch_but() {
	ignore=SPDX_LICENSE_TAG,FILE_PATH_CHANGES$1
	shift
	perl "$tools/scripts/checkpatch.pl" --no-tree --strict --terse \
		--no-summary --ignore "$ignore" -f "$@"
}

# What differs between kernels is in compat.h, and only there; a trace header
# is written the way the macros want it.
checkpatch() {
	has_sources || return 1
	rc=0
	# shellcheck disable=SC2046
	checkpatch_but "" $(sources kernel | grep -v -e /compat.h -e /trace.h) || rc=1
	checkpatch_but ,LINUX_VERSION_CODE,CONSTANT_COMPARISON,MACRO_ARG_UNUSED \
		kernel/compat.h || rc=1
	checkpatch_but ,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT kernel/trace.h || rc=1
	# shellcheck disable=SC2046
	checkpatch_but ,PREFER_KERNEL_TYPES,ENOSYS,NEW_TYPEDEFS,CAMELCASE,STRCPY,STRNCPY,AVOID_EXTERNS,VOLATILE,SYMBOLIC_PERMS,CONSTANT_COMPARISON,BIT_MACRO,PREFER_DEFINED_ATTRIBUTE_MACRO,COMPLEX_MACRO \
		$(sources tools selftests) || rc=1
	return $rc
}

# What it says is to be nothing, whatever its status is.
kernel_doc() {
	has_sources || return 1
	# shellcheck disable=SC2046
	said=$(perl "$tools/scripts/kernel-doc" -Werror -none $(sources kernel) \
		tools/lib/kcolo.h 2>&1)
	rc=$?
	echo "$said"
	[ $rc -eq 0 ] && [ -z "$said" ]
}

# The compiler's warnings are errors, those of sparse are not; and a build that
# failed may have looked at nothing. C=2 looks at every file each time.
sparse() {
	said=$(KCOLO_MAKE='C=2 CF=-D__CHECK_ENDIAN__' \
		selftests/host/build-module.sh "$1" 2>&1)
	rc=$?
	if [ $rc -ne 0 ]; then
		echo "$said" | tail -n 20
		return 1
	fi
	echo "$said" | grep -q '^  CHECK  .*kernel/main\.c$' || {
		echo "sparse looked at nothing"
		return 1
	}
	! echo "$said" | grep -E 'kernel/.*(warning|error):'
}

# A file that does not fit one's head is two.
LINES=620
short() {
	has_sources || return 1
	# shellcheck disable=SC2046
	wc -l $(sources kernel tools selftests include) \
		$(find tools selftests -name '*.sh' -o -name '*.py') |
		awk -v most=$LINES '$2 != "total" && $1 > most {
			print $2 " has " $1 " lines, " most " are the most"; bad = 1
		} END { exit bad }'
}

# The debug kernel is 6.12 with other options, and takes long to make.
kernels=$(echo "${KERNELS:-6.1 6.12}" | tr ' ' '\n' | grep -v '^debug$')
kernels=${kernels:-6.12}
echo "TAP version 13"
for k in $kernels; do
	selftests/host/build-module.sh "$k" >"$log" 2>&1
	result $? "module builds on $k with W=1 -Werror"
done
for k in $kernels; do
	sparse "$k" >"$log" 2>&1
	result $? "sparse is silent on $k"
done
checkpatch >"$log" 2>&1
result $? "checkpatch --strict is silent"
kernel_doc >"$log" 2>&1
result $? "kernel-doc is silent"
tools/ynl-regen.sh --check >"$log" 2>&1
result $? "generated code is up to date"
short >"$log" 2>&1
result $? "no source file is longer than $LINES lines"
selftests/cycles.py "build/$k/kernel" >"$log" 2>&1
result $? "no files of the module use each other in a circle"
echo "1..$n"
exit $bad
