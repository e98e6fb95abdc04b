#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Who does not fit is refused by name, by both ends; the one that fits connects.
. "$(dirname "$0")/peer_lib.sh"

peer connect hello
peer listen refuse
