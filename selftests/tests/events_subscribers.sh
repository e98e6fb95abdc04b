#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I7: Who hears events, and what becomes of those that are not read.
. "$(dirname "$0")/life_lib.sh"

client subscribers flood
