#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In a fresh Debian 12, with the packages in /run/packaging: installs them with apt-get,
# looks at what is there, purges them, and looks at what is left. Results are "ok NAME"
# or "not ok NAME"; details of the step before are in /run/packaging/log.

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
unset TMPDIR
cd /run/packaging || exit 1
apt="apt-get -q -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io --no-install-recommends"
version=$1

verdict() {	# name, command...
	local name=$1
	shift
	if "$@" >log 2>&1; then
		echo "ok deb-$name"
	else
		echo "not ok deb-$name"
		tail -n 40 log | sed 's/^/# /'
	fi
}

# All that is there, but for what apt and dpkg keep of their own doings, which is theirs
# whatever is installed: caches, logs, the state before the last change, what was
# installed automatically, locks; ldconfig's cache of libraries that it has seen; and what
# is in memory on a host that has booted.
files() {
	find / \( -path /proc -o -path /sys -o -path /dev -o -path /run \
		-o -path /var/cache/apt -o -path /var/lib/apt \
		-o -path /var/log/apt -o -path /var/log/dpkg.log -o -path /var/log/alternatives.log \
		-o -path '/var/lib/dpkg/*-old' -o -path '/var/lib/dpkg/lock*' \
		-o -path /var/cache/ldconfig/aux-cache \) -prune \
		-o -printf '%p %y %m %u:%g %l\n' | sort
}

update() {
	apt-get -q update ||
		echo "# keeping to the lists that are here"
}

# With what is recommended too, as apt-get does it unasked.
headers_come() {
	apt-get install -s ./kcolo-dkms_*.deb | grep '^Inst linux-headers-amd64 '
}

# linux-headers-amd64 is what is recommended.
install() { $apt install ./*.deb linux-headers-amd64; }

module_built() {
	module=$(echo /lib/modules/*/updates/dkms/kcolo.ko*)
	[ -e "$module" ] && dkms status | grep "^kcolo/$version, .*: installed$" &&
		modinfo "$module" && cp "$module" /usr/sbin/kcoloctl . &&
		echo "$module" | cut -d/ -f4 >release
}

tool() {
	[ "$(kcoloctl --version)" = "kcoloctl $version" ] && kcoloctl --help &&
		[ "$(zcat /usr/share/man/man8/kcoloctl.8.gz | grep -c '^\.SH')" -gt 5 ]
}

completed() {
	# shellcheck disable=SC1091
	(. /usr/share/bash-completion/completions/kcoloctl && complete -p kcoloctl)
}

unit() {
	systemd-analyze verify --man=no kcolo@vm1.service && systemctl enable kcolo@vm1.service &&
		systemctl disable kcolo@vm1.service
}

# And the examples, as it says in their documentation. Of this machine's kernel nothing is
# asked, which might load a module.
program() {
	cat >t.c <<-END
	#include <kcolo.h>
	int main(void)
	{
		union kcolo_addr addr;

		return kcolo_addr_parse("10.0.0.2:7000", &addr);
	}
	END
	# shellcheck disable=SC2046
	$apt install gcc pkg-config &&
		gcc -Wall -Wextra -Werror -o t t.c $(pkg-config --cflags --libs kcolo) && ./t &&
		ldd t | grep 'libkcolo\.so\.0 => /lib' &&
		gcc -static -o t t.c $(pkg-config --static --cflags --libs kcolo) && ./t &&
		for f in vmm standby; do
			gcc -Wall -Wextra -Werror -o t \
				/usr/share/doc/libkcolo-dev/examples/minimal-$f.c \
				$(pkg-config --cflags --libs kcolo) || return 1
		done
}

purge() {
	$apt purge kcolo-dkms kcolo-utils libkcolo0 libkcolo-dev &&
		! find / -xdev -name '*kcolo*' ! -path '/run/packaging*' | grep . &&
		! grep -rl kcolo /etc /usr/lib/modules /var/lib/dkms
}

# And what came with them is gone as well. depmod has made an index of a kernel that has
# only headers here: its image would take that with it.
nothing_left() {
	$apt purge gcc pkg-config linux-headers-amd64 &&
		$apt -o APT::AutoRemove::SuggestsImportant=false autoremove --purge &&
		rm /lib/modules/*/modules.* && rmdir /lib/modules/* /lib/modules &&
		files >after && diff before after
}

update
files >before
verdict headers-come headers_come
verdict installs install
verdict module-built module_built
verdict tool tool
verdict completion completed
verdict unit unit
verdict program program
verdict purged purge
verdict nothing-left nothing_left
# Of what is kept for the next time: what cannot be had any more.
apt-get -q autoclean >/dev/null
