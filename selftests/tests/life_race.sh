#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: Requests while a session ends.
. "$(dirname "$0")/life_lib.sh"

client race
