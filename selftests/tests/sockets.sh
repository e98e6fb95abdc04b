#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Connections that a VMM or its launcher makes, with TLS or without, and hands in.
. "$(dirname "$0")/life_lib.sh"

modprobe tls
client sockets
