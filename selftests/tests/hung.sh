#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: a secondary that hangs is noticed within peer-timeout, wherever it hangs,
# and the session can be deleted at once.
. "$(dirname "$0")/peer_lib.sh"

peer listen hung
