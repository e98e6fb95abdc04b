#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: the module goes at any moment, also while each of its requests is made.
. "$(dirname "$0")/life_lib.sh"

KCOLO_MODULE=$(realpath "$MODULE") || exit
export KCOLO_MODULE
client unload
