#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Make what is generated from Documentation/netlink/specs/kcolo.yaml: the uAPI
# header, the kernel's policy tables, and the page of the documentation. With
# --check nothing is written; the exit code says whether the files in the tree
# are what the generator makes.
#
# The generator is the kernel's own (tools/net/ynl). It looks for a MAINTAINERS
# file above the spec and for the schema at <spec>/../../, so it is given a tree
# of that shape.

set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
spec=Documentation/netlink/specs/kcolo.yaml

die() { echo "ynl-regen: $*" >&2; exit 1; }

ynl=$("$top/tools/kernel-source.sh")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/MAINTAINERS"
mkdir -p "$work/Documentation/netlink/specs"
cp "$ynl"/Documentation/netlink/*.yaml "$work/Documentation/netlink/"
cp "$top/$spec" "$work/Documentation/netlink/specs/"

gen() {
	# The system's own python3: the one that Debian's python3-yaml is for.
	(cd "$work" && timeout 120 /usr/bin/python3 "$ynl/tools/net/ynl/ynl-gen-c.py" \
		--spec "$spec" --mode "$1" "$2" -o "$3")
}

gen uapi --header kcolo.h
gen kernel --header netlink_gen.h
gen kernel --source netlink_gen.c
timeout 120 /usr/bin/python3 "$ynl/tools/net/ynl/ynl-gen-rst.py" \
	-i "$work/$spec" -o "$work/uapi.rst" >/dev/null

bad=0
place() {
	if [ "${check:-}" ]; then
		cmp -s "$work/$1" "$top/$2" && return
		echo "ynl-regen: $2 is not what $spec makes: run tools/ynl-regen.sh" >&2
		bad=1
	else
		cp "$work/$1" "$top/$2"
	fi
}

case ${1:-} in
--check) check=1 ;;
"") ;;
*) die "usage: ynl-regen.sh [--check]" ;;
esac
place kcolo.h include/uapi/linux/kcolo.h
place netlink_gen.h kernel/netlink_gen.h
place netlink_gen.c kernel/netlink_gen.c
place uapi.rst Documentation/uapi.rst
exit $bad
