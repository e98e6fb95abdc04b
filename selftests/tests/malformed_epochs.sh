#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I2, seen by a primary played by hand: the base image is a committed epoch, the
# newest round of a page is it, and what stops half way has touched nothing.
. "$(dirname "$0")/peer_lib.sh"

peer connect epochs
peer connect cut
