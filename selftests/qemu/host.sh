#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Make an emulated host ready for pairs of QEMUs: KVM, the module, and a network
# namespace for the second one.
. selftests/tests/lib.sh

prepare
[ ! -e "$MODULE" ] || insmod "$MODULE"
for m in tun vhost_net; do modprobe -q $m; done
network
ip link set lo up
. selftests/qemu/place.sh
