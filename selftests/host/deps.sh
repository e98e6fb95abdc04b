#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Installs what the project needs on Debian 12, and only what is missing.
#
# Kernel images are not installed, here or later: the emulated hosts boot from
# unpacked packages (kernels.py).  For the same reason 6.12's headers, which
# depend on its image, are not asked for: kernels.py unpacks them as well.

usage() {
	cat <<-END
	usage: deps.sh [build|test|qemu|deb|all]
	  build  what the module, the library and kcoloctl are built with
	  test   and what the checks, the emulated hosts and the debug kernel need
	  qemu   what QEMU as a client is built with, and what its guests need
	  deb    what the Debian packages are built and tested with
	  all    build and test (default)
	As root.  Quick if nothing is missing.  Details go to \$KCOLO_DEPS_LOG, by
	default /tmp/kcolo-deps.log.
	END
}

build='gcc make pkg-config libc6-dev libnl-3-dev libnl-genl-3-dev libjson-c-dev
	kmod rsync xz-utils linux-headers-amd64'
test='sparse bc flex bison libelf-dev libssl-dev cpio zstd dpkg-dev perl
	python3 python3-yaml python3-jsonschema python3-docutils
	linux-source-6.12 groff-base man-db
	iproute2 iputils-ping iperf3 procps util-linux busybox-static qemu-system-x86'
# The firmware comes with Debian's own qemu-system-x86.
qemu='gcc make pkg-config libc6-dev libnl-3-dev libnl-genl-3-dev dpkg-dev patch rsync
	python3 meson ninja-build bison flex libglib2.0-dev libpixman-1-dev
	libfdt-dev zlib1g-dev qemu-system-x86 qemu-utils busybox-static cpio'
deb='build-essential pkg-config libnl-genl-3-dev libjson-c-dev rsync
	dpkg-dev debhelper dh-dkms lintian mmdebstrap util-linux'

case ${1:-all} in
build) want=$build ;;
test) want=$test ;;
qemu) want=$qemu ;;
deb) want=$deb ;;
all) want="$build $test" ;;
-h|--help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac

log=${KCOLO_DEPS_LOG:-/tmp/kcolo-deps.log}

fail() {
	echo "deps: $1" >&2
	[ ! -s "$log" ] || { echo "deps: the end of $log:"; tail -n 15 "$log"; } >&2
	exit 1
}

step() {	# text, command...
	echo "deps: $1"
	shift
	"$@" >>"$log" 2>&1 </dev/null
}

missing=
for p in $want; do
	# A name may be that of a virtual package: pkg-config is pkgconf's, later.
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed ||
		missing="$missing $p"
done
if [ -z "$missing" ]; then
	echo "deps: nothing missing"
	exit 0
fi

[ "$(id -u)" = 0 ] || { echo "deps: missing:$missing" >&2; log=; fail "run me as root"; }
: >"$log" || exit 1
export DEBIAN_FRONTEND=noninteractive
apt="apt-get -q -y -o DPkg::Lock::Timeout=300"

# Lists that are a day old name packages which the archive has replaced.
fresh=$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -1 2>/dev/null | head -n 1)
if [ -z "$fresh" ]; then
	step "reading the package lists" $apt update ||
		fail "apt-get update failed: is there a network?"
fi

install="$apt install --no-install-recommends"
step "installing$missing" $install $missing || {
	step "again, with fresh package lists" $apt update &&
		step "installing$missing" $install $missing ||
		fail "cannot install them: is there a network, is this Debian 12?"
}
echo "deps: done"
