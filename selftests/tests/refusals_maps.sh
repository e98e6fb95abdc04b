#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I6: What may be mapped, read and written of a session fd.
. "$(dirname "$0")/life_lib.sh"

client maps
