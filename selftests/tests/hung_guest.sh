#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: the same with a guest that runs: it goes on, and is what it has to be, and
# a VMM that dies meanwhile takes its session with it.
. "$(dirname "$0")/peer_lib.sh"

hung_vmm hung-pages 4 60 2000
hung_vmm hung-end 4 60 2000
hung_vmm hung-loaded 4 60 2000
# timeout exits with 137 itself.
hung_vmm vmm-dies 137 5 30000
