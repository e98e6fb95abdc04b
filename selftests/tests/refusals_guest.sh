#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I6: VMs, regions and device state that are refused.
. "$(dirname "$0")/life_lib.sh"

client regions vm devstate
