#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What is malformed, or not to be sent at that time, ends the connection with an
# error that names it, and nothing else.
. "$(dirname "$0")/peer_lib.sh"

peer connect malformed
peer listen answers
