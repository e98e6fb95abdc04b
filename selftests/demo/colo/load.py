# SPDX-License-Identifier: GPL-2.0
"""What the guest of the demo does, and how it is protected."""

# 32 MiB of distinct random pages over 256 MiB every 4 s, one MiB at a time: more would
# take all of an emulated CPU, which has COLO to do as well.
WALKER, MEMORY = '256,1,125,8', '400M'
THRESHOLD, INTERVAL_MS = 1 << 20, 4000
# Where all RAM is hashed at each checkpoint, which is no time to measure.
HASHED_INTERVAL_MS = 2000
# Checkpoints of a turn, beside its first one: that has what the turn before left.
COUNT = 3
TURNS = ['off', 'on', 'off', 'on']
# Checkpoints at which RAM is to have been compared before host a is killed: host b
# has hashed one more, what host a has written down of the last one dies with it.
COMPARED_MIN = 5
