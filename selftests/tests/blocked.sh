#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: a primary that waits for room to send is called away by pause-limit, an
# abort or its end; the guest goes on, and nothing is lost.
. "$(dirname "$0")/peer_lib.sh"

peer listen blocked
