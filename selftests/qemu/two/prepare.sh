#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What an emulated host needs for a guest of an ordinary user's.
. selftests/tests/lib.sh

prepare
modprobe -q tun
chmod 666 /dev/kvm /dev/net/tun
[ -d /sys/module/kcolo ] || insmod "$MODULE"
. selftests/qemu/place.sh
