#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I6: What each command refuses of its attributes, and what it names.
. "$(dirname "$0")/life_lib.sh"

client attrs new
