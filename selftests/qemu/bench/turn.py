# SPDX-License-Identifier: GPL-2.0
"""What is done, and looked at, in one turn of one backend under one load."""

import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
sys.path.insert(0, HERE)

import pair                                                 # noqa: E402
from loads import LOADS                                     # noqa: E402

BACKENDS = ('off', 'qemu', 'kcolo')
MEMORY = 512
PARAMETERS = {'colo-migrate-ram-threshold': 4 << 20, 'colo-migrate-ram-iterations': 10}
# The first ones send what the guest did while it was copied.
WARM_UP = 2
# So many checkpoints in which the load has written nothing are no coincidence.
STILL = 4
TICK = os.sysconf('SC_CLK_TCK')


def turns(rounds, names):
    """(name of the turn, load, backend), in the order of the benchmark."""
    return [(f'{name}-{backend}-{nr}', name, backend) for nr in range(rounds)
            for name in names for backend in BACKENDS]


def guest(name):
    """Options of a Side under load NAME."""
    load = LOADS[name]
    # Both guests share their CPU with all that is measured: they check what they can.
    return {'load': f'{load.region},{load.write},{load.period_ms},8',
            'memory': f'{MEMORY}M',
            'trace': 'colo_checkpoint_*'}   # not colo_ram_hash, which reads all RAM


def cpu_of(pid):
    """Seconds that a process or kernel thread has had."""
    with open(f'/proc/{pid}/stat') as f:
        fields = f.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def kernel_threads():
    """kcolo's, of all sessions of this host."""
    for path in glob.glob('/proc/[0-9]*/comm'):
        with open(path) as f:
            if f.read().startswith('kcolo-'):
                yield path.split('/')[2]


def cpu(*sides):
    """Seconds that QEMUs on this host, and kcolo, have had."""
    return (sum(cpu_of(s.proc.pid) for s in sides) +
            sum(cpu_of(pid) for pid in kernel_threads()))


def resident(secondary, backend, where=()):
    """Bytes that the secondary has: its QEMU's, and what the module stages."""
    with open(f'/proc/{secondary.proc.pid}/status') as f:
        rss = next(int(line.split()[1]) << 10 for line in f
                   if line.startswith('VmRSS:'))
    if backend != 'kcolo':
        return rss
    text = subprocess.run([*where, pair.CTL, 'stats', '--json', pair.SESSION_NAME],
                          check=True, capture_output=True, text=True).stdout
    return rss + json.loads(text)['staging-peak-bytes']


def taken_while_it_writes(primary, name, count):
    """COUNT checkpoints; raises where the guest stands still."""
    taken, said = [], []
    while len(taken) < count:
        taken += pair.colo.checkpoints(primary, 1, 600)
        said.append(primary.written())
        if LOADS[name].write and len(said) > STILL and said[-1] == said[-1 - STILL]:
            raise pair.colo.Still(f'{primary.name}: the guest stands still')
    return taken


def tell(name, backend, taken):
    pauses = sorted(c['pause'] / 1000 for c in taken)
    print(f'{name}, {backend}: pause {pauses[0]:.1f} {pauses[len(pauses) // 2]:.1f} '
          f'{pauses[-1]:.1f} ms', flush=True)


def write(what, found):
    with open(os.path.join(os.environ['KCOLO_OUT'], what), 'w') as f:
        json.dump(found, f)
