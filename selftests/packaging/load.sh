#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In an emulated host, with DKMS's module among the kernel's: nobody loads it, but
# kcoloctl asks for it, and it is there; and goes.
modules=$1
ctl=$2
release=$(uname -r)

fail() {
	echo "# $1"
	exit 1
}

mount --bind "$modules/lib/modules/$release" "/lib/modules/$release" || fail "no modules"
[ ! -e /sys/module/kcolo ] || fail "it is loaded before it is asked for"
said=$("$ctl" session show) || fail "kcoloctl does not get an answer"
[ -z "$said" ] || fail "kcoloctl is to find that there is no session"
[ -e /sys/module/kcolo ] || fail "it is not loaded"
modprobe -r kcolo || fail "it does not go"
[ ! -e /sys/module/kcolo ] || fail "it is still there"
