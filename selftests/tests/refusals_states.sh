#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I6: Each command in each state in which it has no place.
. "$(dirname "$0")/life_lib.sh"

client states
