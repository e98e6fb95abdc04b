#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Streams with things done to them, from a seed (FUZZ_SEED, FUZZ_COUNT): nothing
# of them is committed, and both the host and the base image stand.
. "$(dirname "$0")/peer_lib.sh"

peer connect fuzz --seed "${FUZZ_SEED:-1}" --count "${FUZZ_COUNT:-300}"
