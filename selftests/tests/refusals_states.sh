#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I6: Each command in each state in which it has no place.
. selftests/tests/life_lib.sh

client states
