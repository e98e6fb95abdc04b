#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: A VMM dies, and its launcher holds the session.
. "$(dirname "$0")/life_lib.sh"

client gone
