#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""a.py [ROUND]: host a, which is killed in each round and booted for the next.

When the secondary is lost before, its guest goes on.
"""

import json
import os
import sys

sys.dont_write_bytecode = True

import host


def main():
    nr = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    host.prepare()
    host.set_up(nr)
    host.hostctl('barrier', f'secondary-{nr}')
    qemu = host.start(nr)
    qmp = host.protect(nr)
    host.hostctl('barrier', f'protected-{nr}')
    with open(host.path('events', nr), 'w', buffering=1) as f:
        while qemu.poll() is None:
            event = qmp.event('COLO_CHECKPOINT', 1)
            if event:
                f.write(json.dumps(event) + '\n')
                os.sync()       # 9p keeps it for seconds, and this host is to die
            if qmp.event('COLO_PEER_LOST', 0):
                host.say_with(qmp, 'failover-primary')
    return 1                # it was to be killed


if __name__ == '__main__':
    sys.exit(main())
