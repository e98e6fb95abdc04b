#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""measure.py CLOCK LINK ROUNDS CHECKPOINTS LOAD...: in an emulated host.

Runs COLO with each backend under each LOAD, in turns, ROUNDS times, and writes
what CHECKPOINTS checkpoints took to $KCOLO_OUT/result.json.  A line on stdout for
each says how far it is.  bench.py starts it.
"""

import glob
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
sys.path.insert(0, HERE)

import pair                                                 # noqa: E402
from loads import LOADS                                     # noqa: E402

BACKENDS = ('off', 'qemu', 'kcolo')
MEMORY = 512
THRESHOLD, ITERATIONS = 4 << 20, 10
# The first ones send what the guest did while it was copied.
WARM_UP = 2
TICK = os.sysconf('SC_CLK_TCK')
PHASES = 'colo_checkpoint_*'    # not colo_ram_hash, which reads all RAM


def cpu_of(pid):
    """Seconds that a process or kernel thread has had."""
    with open(f'/proc/{pid}/stat') as f:
        fields = f.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def kernel_threads():
    for path in glob.glob('/proc/[0-9]*/comm'):
        with open(path) as f:
            if f.read().startswith('kcolo-'):
                yield path.split('/')[2]


def cpu_of_pair(p):
    return (cpu_of(p.a.proc.pid) + cpu_of(p.b.proc.pid) +
            sum(cpu_of(pid) for pid in kernel_threads()))


def resident(p, backend):
    """Bytes that the secondary has: its QEMU's, and what the module stages."""
    with open(f'/proc/{p.b.proc.pid}/status') as f:
        rss = next(int(line.split()[1]) << 10 for line in f
                   if line.startswith('VmRSS:'))
    if backend != 'kcolo':
        return rss
    text = subprocess.run(['ip', 'netns', 'exec', 'b', pair.CTL, 'stats', '--json',
                           pair.SESSION_NAME],
                          check=True, capture_output=True, text=True).stdout
    return rss + json.loads(text)['staging-peak-bytes']


def shape(link):
    """Both directions of the wire between the two sides."""
    if link == 'unshaped':
        return
    rule = ['root', 'tbf', 'rate', f'{link[:-1]}mbit', 'burst', '64k', 'latency',
            '100ms']
    for where, dev in (((), 'va'), (('ip', 'netns', 'exec', 'b'), 'vb')):
        subprocess.run([*where, 'tc', 'qdisc', 'replace', 'dev', dev, *rule],
                       check=True)


# Of a guest that is up in three seconds by the clock of instructions, whose seconds are
# long, and in some ten by the other.
BOOT_S = {'icount': 8, 'wall': 60}
# So many checkpoints in which the load has written nothing are no coincidence.
STILL = 4


def taken_while_it_writes(p, load, count):
    """COUNT checkpoints; raises where the guest stands still."""
    taken, said = [], []
    while len(taken) < count:
        taken += p.checkpoints(1, 600)
        said.append(p.a.written())
        if load.write and len(said) > STILL and said[-1] == said[-1 - STILL]:
            raise pair.colo.Still(f'{p.a.name}: the guest stands still')
    return taken


def one(name, clock, backend, load, count):
    """COUNT checkpoints of one pair."""
    # Both guests share a CPU with all that is measured: they check what they can.
    walker = f'{load.region},{load.write},{load.period_ms},8'
    p = pair.Pair(name, backend, delay=load.interval_ms, load=walker,
                  memory=f'{MEMORY}M', trace=PHASES, boot=BOOT_S[clock],
                  **{'colo-migrate-ram-threshold': THRESHOLD,
                     'colo-migrate-ram-iterations': ITERATIONS})
    try:
        p.protect()
        p.checkpoints(WARM_UP, 600)
        written, cpu = p.a.written(), cpu_of_pair(p)
        taken = taken_while_it_writes(p, load, count)
        found = {'checkpoints': taken, 'written': p.a.written() - written,
                 'cpu_s': cpu_of_pair(p) - cpu, 'resident': resident(p, backend),
                 'ram': MEMORY << 20}
        return found
    finally:
        pair.clean_up()


def measured(name, *args):
    """The same, once more where the emulator has stopped the guest (README.md): it
    has measured nothing."""
    try:
        return one(name, *args)
    except pair.colo.Still as e:
        print(f'{name}: {e}: once more', flush=True)
        return one(f'{name}-again', *args)


def main():
    clock, link, rounds, count, *names = sys.argv[1:]
    subprocess.run(['sh', os.path.join(HERE, '../host.sh')], check=True)
    shape(link)
    found = []
    for nr in range(int(rounds)):
        for name in names:
            for backend in BACKENDS:
                r = measured(f'{name}-{backend}-{nr}', clock, backend, LOADS[name],
                             int(count))
                found.append({'backend': backend, 'load': name, 'clock': clock,
                              'link': link, **r})
                pauses = sorted(c['pause'] / 1000 for c in r['checkpoints'])
                print(f'{name}, {backend}: pause {pauses[0]:.1f} '
                      f'{pauses[len(pauses) // 2]:.1f} {pauses[-1]:.1f} ms',
                      flush=True)
    with open(os.path.join(os.environ['KCOLO_OUT'], 'result.json'), 'w') as f:
        json.dump(found, f)
    return 0


if __name__ == '__main__':
    sys.exit(main())
