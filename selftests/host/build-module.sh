#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Builds the module out of the checkout, for one of the kernels that the
# emulated hosts boot.
#
# kbuild builds an external module where its sources are, so the sources are
# mirrored, one directory a kernel and variant: several kernels and mutants can
# be built at once.  What has not changed is left alone, so a second build is
# quick.

usage() {
	cat <<-END
	usage: build-module.sh 6.1|6.12|debug [VARIANT]
	Makes build/KERNEL[-VARIANT]/kcolo.ko, with W=1 and -Werror, and says where.
	VARIANT is passed on as KCOLO_MUTANT: a deliberate fault that a test has to
	find.  KCOLO_MAKE holds more arguments for make, e.g. "C=2" or "V=1".
	END
}

case ${1:-} in
6.1|6.12|debug) kernel=$1 ;;
-h|--help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac
variant=${2:-}

set -e
unset MAKEFLAGS MFLAGS MAKELEVEL	# of a make that called us
top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$top/build/$kernel
out=$dir
# Mutants share a directory: most of what they are made of is the same.
[ -z "$variant" ] || { dir=$top/build/$kernel-mutants; out=$top/build/$kernel-$variant; }
kdir=$(python3 "$top/selftests/host/kernels.py" kdir "$kernel")

mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9
# By content, and with the time of the copy: make has to see that a file became
# an older one.  What was generated there is excluded, and so spared.
rsync -rlp --checksum --delete --exclude='*.o' --exclude='*.ko' --exclude='*.mod' \
	--exclude='*.mod.c' --exclude='.*.cmd' --exclude='*.gcno' --exclude='*.d' \
	"$top/Kbuild" "$top/kernel" "$top/include" "$dir/"
# Another kernel version, or another flag, is not seen by every rule of kbuild.
if [ "$(cat "$dir/.kdir" 2>/dev/null)" != "$kdir" ]; then
	find "$dir" \( -name '*.o' -o -name '.*.cmd' -o -name '*.mod*' \) -delete
	echo "$kdir" >"$dir/.kdir"
fi

# No BTF: Debian's configuration wants it, the headers do not suffice for it.
# shellcheck disable=SC2086
make -C "$kdir" M="$dir" -j"$(nproc)" W=1 KCFLAGS=-Werror --no-print-directory \
	CONFIG_DEBUG_INFO_BTF_MODULES= \
	${variant:+KCOLO_MUTANT="$variant"} ${KCOLO_MAKE:-} modules 9>&- >&2
if [ "$out" != "$dir" ]; then
	mkdir -p "$out"
	cp "$dir/kcolo.ko" "$out/kcolo.ko"
fi
echo "$out/kcolo.ko"
