#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host a of the demo with QEMU: the guest runs here, until the host is killed."""

import json
import sys

sys.dont_write_bytecode = True

import phases
from phases import host, tell


def checkpoints(phase, qmp, count):
    """Each as a line of JSON; COUNT of them, or without end."""
    seen = 0
    while seen < count or phase.last:
        event = qmp.event('COLO_CHECKPOINT', 60)
        if event is None:
            raise host.colo.Failed('there are no more checkpoints')
        seen += 1
        if seen > 1:            # the first has what was done while RAM was copied
            print(json.dumps({'type': 'checkpoint', 'backend': phase.backend,
                              'nr': phase.nr, 'measured': not phase.last,
                              'written': host.walked(phase.nr), **event}), flush=True)


def show(phase):
    phases.set_up(phase)
    host.hostctl('barrier', f'secondary-{phase.nr}')
    tell('QEMU starts, as an ordinary user; its guest, Linux with a redis, boots')
    qemu = host.start(phase.nr)
    qmp = host.protect(phase.nr)
    tell(f'the guest is protected: COLO, RAM by {phase.backend}')
    host.hostctl('barrier', f'protected-{phase.nr}')
    checkpoints(phase, qmp, phases.COUNT + 1)
    qemu.kill()
    qemu.wait()
    host.hostctl('barrier', f'end-{phase.nr}')


def main():
    host.prepare()
    for phase in phases.PHASES:
        show(phase)
    return 1                # it was to be killed


if __name__ == '__main__':
    sys.exit(main())
