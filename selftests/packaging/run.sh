#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The Debian packages: built, looked at by lintian, installed in a fresh Debian 12 and
# purged there (inside.sh), and their module loaded in an emulated host. As root.
#
# That Debian works on this machine's kernel, but it has mounts and processes of its own,
# which go with its last process, and may load no module.

cd "$(dirname "$0")/../.." || exit 1
work=build/packaging
root=$work/root

verdict() {	# name, command...
	local name=$1
	shift
	if "$@" >$work/log 2>&1; then
		echo "ok deb-$name"
	else
		echo "not ok deb-$name"
		tail -n 40 $work/log | sed 's/^/# /'
		return 1
	fi
}

# All that it has to say, but that nobody can be reached by mail: true.
lint() {
	! lintian --allow-root --display-info --tag-display-limit 0 \
		--suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog \
		build/deb/*.changes | grep .
}

in_debian() {	# command...
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child --propagation private \
		sh -c 'root=$1 && packages=$2 && shift 2 &&
		mount --bind "$packages" "$root/var/cache/apt/archives" &&
		mount -t proc proc "$root/proc" && mount -t devpts devpts "$root/dev/pts" &&
		exec setpriv --bounding-set=-sys_module,-sys_boot,-sys_rawio,-sys_time \
			chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"' \
		sh "$root" "$packages" "$@"
}

fresh() {
	rm -rf $root && cp -a "$base" $root && cp -L /etc/resolv.conf /etc/hosts $root/etc/ &&
		mkdir -p $root/run/packaging &&
		cp build/deb/*.deb selftests/packaging/inside.sh $root/run/packaging/
}

stock_modules() {
	selftests/host/kernels.py prepare 6.1 | sed -n "s|^modules='\?\([^']*\)'\?|\1|p"
}

# The modules of RELEASE as they are when the package is installed, for the host to mount.
modules() {	# release
	local stock mods=$work/modules/lib/modules
	stock=$(stock_modules)
	# The lists of this machine may be older.
	[ "$(basename "$stock")" = "$1" ] ||
		{ apt-get -q update >&2 && stock=$(stock_modules); }
	[ "$(basename "$stock")" = "$1" ] || return 1
	mkdir -p "$mods" && cp -rs "$stock" "$mods/" && mkdir -p "$mods/$1/updates/dkms" &&
		cp $root/run/packaging/kcolo.ko "$mods/$1/updates/dkms/" &&
		rm -f "$mods/$1"/modules.*.bin &&
		PATH=$PATH:/usr/sbin:/sbin depmod -b $work/modules "$1"
}

loads() {
	mkdir -p $work/host
	selftests/host/khost --kernel 6.1 --cpus 1 --timeout 300 --out $work/host -- \
		sh selftests/packaging/load.sh $work/modules $root/run/packaging/kcoloctl
}

rm -rf $work
mkdir -p $work
version=$(sed -n 's/^VERSION[[:space:]]*:= *//p' tools/Makefile)
DEB_BUILD_OPTIONS=nocheck verdict builds packaging/build.sh || exit 1
verdict lintian lint
if [ "$(id -u)" != 0 ]; then
	echo "ok deb-installs # SKIP wants root"
	exit 0
fi
deb=$(selftests/host/debian.py) || exit 1
base=$(echo "$deb" | head -n 1)
packages=$(echo "$deb" | tail -n 1)
fresh || exit 1
exec 9<"$packages"	# one at a time: they share what was downloaded
flock 9
in_debian /bin/bash /run/packaging/inside.sh "$version" || exit 1
flock -u 9
release=$(cat $root/run/packaging/release 2>/dev/null)
if modules "$release"; then
	verdict loads loads
else
	echo "# deb-loads: no modules of ${release:-a kernel that was installed} here"
	echo "not ok deb-loads"
fi
