#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# pause-limit is changed while a VMM is waited for; what a first epoch that was given
# up leaves for the next one's pause.
. "$(dirname "$0")/life_lib.sh"

client pause
