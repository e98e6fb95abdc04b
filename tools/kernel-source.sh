#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Print where the kernel's own kselftest headers and lib.mk, checkpatch, kernel-doc
# and the netlink generator are: taken once from Debian's linux-source-6.12
# package into the cache, since the headers packages do not have them.

set -eu

home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
cache=${XDG_CACHE_HOME:-$home/.cache}/kcolo
tarball=/usr/src/linux-source-6.12.tar.xz

[ -e "$tarball" ] || {
	echo "kernel-source: $tarball is missing: selftests/host/deps.sh installs it" >&2
	exit 1
}
version=$(dpkg-query -W -f '${Version}' linux-source-6.12)
dir=$cache/source-$version
if [ ! -d "$dir" ]; then
	echo "kernel-source: unpacking from linux-source-6.12 $version" >&2
	mkdir -p "$cache"
	new=$(mktemp -d "$cache/source.XXXXXX")
	tar -C "$new" --strip-components=1 -xJf "$tarball" --wildcards \
		'linux-source-6.12/tools/testing/selftests/*.h' \
		'linux-source-6.12/tools/testing/selftests/lib.mk' \
		'linux-source-6.12/tools/testing/selftests/run_kselftest.sh' \
		'linux-source-6.12/tools/testing/selftests/kselftest' \
		'linux-source-6.12/tools/net/ynl' \
		'linux-source-6.12/Documentation/netlink' \
		'linux-source-6.12/scripts/checkpatch.pl' \
		'linux-source-6.12/scripts/spelling.txt' \
		'linux-source-6.12/scripts/const_structs.checkpatch' \
		'linux-source-6.12/scripts/kernel-doc'
	# Another run may have been quicker: what it made is as good.
	mv -T "$new" "$dir" 2>/dev/null || rm -rf "$new"
fi
echo "$dir"
