#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: Sessions are ended in each state, at each end.
. "$(dirname "$0")/life_lib.sh"

client ends
