#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# "clean" asked by hand: what it makes of the log and of staging, who may ask, when,
# and that no vCPU runs meanwhile.
. "$(dirname "$0")/life_lib.sh"

client clean
