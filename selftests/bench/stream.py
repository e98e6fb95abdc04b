#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""In an emulated host: the rate at which dirty pages get staged, and iperf3's.

The guest writes 64 MiB of random words to random pages each 700 ms, nothing is
sent before the pause (threshold 0), and the pause sends all of it: the guest
and the VMM stand still.  Timed is, on the primary, from the request to flush to
the secondary's word that it has all of the epoch (harvest + flush + received):
so the last byte is staged, and nothing of it is in place.  The first checkpoint
goes straight to the base image and is not counted.

Runs of iperf3, without and with the checksum take turns.
"""

import json
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import pair                                                 # noqa: E402

ROUNDS = int(os.environ.get('ROUNDS') or 5)
CHECKPOINTS = 4
RAM_MIB = 256
BURST_MIB = 64
GUEST = ['--ram', f'{RAM_MIB}M', '--ram1', '0', '--vram', '0', '--content', 'pages',
         '--zero-every', '0', '--rate', f'{BURST_MIB}M/700ms', '--burst']
PRIMARY = ['--threshold', '0', '--interval', '800', '--count', str(CHECKPOINTS)]
IPERF_MIB = 256


def iperf3():
    out = pair.run('iperf3', '-c', pair.THERE, '-n', f'{IPERF_MIB}M', '-J')
    end = json.loads(out)['end']['sum_received']
    return {'bytes': end['bytes'], 'us': end['seconds'] * 1e6}


def sample(c):
    """What a checkpoint says; None if it was not one to be counted."""
    nr = c['last_pause_pages']
    if c['outcome'] != 'committed':
        raise pair.Bad(f"checkpoint {c['n']}: {c['outcome']}")
    if c['n'] == 1:
        return None
    if c['last_precopy_pages'] or nr << 12 < BURST_MIB << 19:
        raise pair.Bad(f"checkpoint {c['n']} has {nr} pages in the pause and "
                       f"{c['last_precopy_pages']} before it")
    parts = {k: c[f'last_{k}_us'] for k in ('harvest', 'flush', 'received')}
    return {'n': c['n'], 'bytes': nr << 12, 'us': sum(parts.values()), **parts}


def check(zero, summary):
    """Every page of the samples went as it is: none as a zero page.

    But one a pause: the vCPU may stand between its first fault on a page, which
    makes it dirty, and the write.
    """
    more = summary['pages_zero'] - zero
    if summary['pages_sync'] != RAM_MIB << 8:
        raise pair.Bad('the initial sync is not all of RAM')
    if not 0 <= more < CHECKPOINTS:
        raise pair.Bad(f'there are {more} zero pages among what the guest wrote')
    if summary['pages_raw'] + summary['pages_zero'] != \
       summary['pages_sync'] + summary['pages_pause']:
        raise pair.Bad('the counts of pages do not add up')


def staged(pattern, checksum):
    p = pair.Pair(f'{pattern}-{checksum}', GUEST + ['--pattern', pattern],
                  PRIMARY + ['--checksum', checksum])
    # The initial sync has zero pages, most of RAM; from here on no more may come.
    p.wait_checkpoints(1, 600)
    zero = p.stats('a')['pages_zero']
    checkpoints, summary = p.finish()
    check(zero, summary)
    return [s for s in map(sample, checkpoints) if s]


def show(what, samples):
    rates = ' '.join(f"{s['bytes'] / s['us']:.0f}" for s in samples)
    pair.say(f'{what:<16}{rates} MB/s')


def phase():
    subprocess.Popen(pair.ON_B + ['iperf3', '-s'], stdout=subprocess.DEVNULL)
    time.sleep(1)
    found = {'iperf3': []}
    for n in range(ROUNDS):
        pair.say(f'round {n + 1} of {ROUNDS}')
        # Random pages are what the target is about; runs of them are beside it.
        turns = [('uniform', 'off'), ('uniform', 'on')]
        if n < 2:
            turns += [('seq', 'off'), ('seq', 'on')]
        for pattern, checksum in turns:
            if checksum == 'off':
                samples = [iperf3()]
                found['iperf3'] += samples
                show('iperf3', samples)
            name = f'{pattern}-{checksum}'
            samples = staged(pattern, checksum)
            found.setdefault(name, []).extend(samples)
            show(name, samples)
    found['iperf3'].append(iperf3())
    show('iperf3', found['iperf3'][-1:])
    return {'path': pair.path(), 'samples': found}


if __name__ == '__main__':
    sys.exit(pair.main(phase))
