#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Builds the Debian packages of this tree, as it is, in build/deb.
#
# The packaging is not where Debian wants it: what a build writes beside it would be
# in the checkout, and its changelog, which has the version, is made here of the one
# version that there is. With DEB_BUILD_OPTIONS=nocheck library and tool are not
# tested.

set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/deb
log=$out/build.log

fail() {
	echo "deb: $1" >&2
	[ ! -s "$log" ] || { echo "deb: the end of $log:"; tail -n 15 "$log"; } >&2
	exit 1
}

version=$(sed -n 's/^VERSION[[:space:]]*:= *//p' tools/Makefile)
[ -n "$version" ] || fail "tools/Makefile has no VERSION"
grep -qx "PACKAGE_VERSION=\"$version\"" dkms.conf ||
	fail "dkms.conf is to have PACKAGE_VERSION=\"$version\", as tools/Makefile"
# Of the last commit, so that who builds it again gets the same; a tarball has none.
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Kbuild)}"
export SOURCE_DATE_EPOCH

changelog() {
	cat <<-END
	kcolo ($version) unstable; urgency=medium

	  * Built from the tree of kcolo $version; its commits say what changed.

	 -- $(sed -n 's/^Maintainer: //p' packaging/debian/control)  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
	END
}

src=$out/kcolo-$version
rm -rf "$out"
mkdir -p "$src"
rsync -rlpt --exclude='*.o' --exclude='*.ko' --exclude='*.mod*' --exclude='.*.cmd' \
	--exclude=__pycache__ COPYING README.md Kbuild dkms.conf kernel include tools \
	Documentation packaging/debian "$src/"
changelog >"$src/debian/changelog"

echo "deb: building kcolo $version, the details are in $log"
export DEB_BUILD_OPTIONS="noautodbgsym ${DEB_BUILD_OPTIONS:-}"
(cd "$src" && unset MAKEFLAGS MFLAGS MAKELEVEL &&
	dpkg-buildpackage -us -uc -b -j"$(nproc)") >"$log" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null' EXIT
while kill -0 $pid 2>/dev/null; do
	sleep 3
	echo "deb: $(grep -o -e '^   dh_[a-z_]*' -e '^  [A-Z][A-Z]* .*' "$log" | tail -n 1)"
done
wait $pid || fail "dpkg-buildpackage failed"
trap - EXIT
ls -1 "$out"/*.deb
