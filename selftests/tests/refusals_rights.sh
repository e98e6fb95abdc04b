#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I6: Without CAP_NET_ADMIN, and from another network namespace.
. "$(dirname "$0")/life_lib.sh"

client rights
