#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A peer that comes back: what it says in HELLO decides what was in doubt and how
# much is sent, and it is believed no more than can be checked.
. "$(dirname "$0")/peer_lib.sh"

peer connect again
peer listen doubt
