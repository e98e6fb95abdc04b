# SPDX-License-Identifier: GPL-2.0
"""In an emulated host: a primary and a secondary, and the path between them.

Both ends are kvmm, each in a network namespace of its own, joined by a veth.
iperf3 takes the same path: from the first namespace to the second.
"""

import contextlib
import json
import os
import shutil
import subprocess
import time

KVMM = 'build/vmm/kvmm'
CTL = 'build/tools/kcoloctl'
THERE = '10.1.0.2'
# Generous: a host that emulates slowly is not a peer that is lost.
PATIENCE = ['--peer-timeout', '60000']
ON_B = ['ip', 'netns', 'exec', 'b']


class Bad(Exception):
    pass


def say(text):
    print(text, flush=True)


def run(*argv, **kw):
    return subprocess.run(argv, check=True, capture_output=True, text=True,
                          **kw).stdout


def prepare():
    """KVM, the module, the two namespaces."""
    for m in ('kvm_amd', 'crc32c_intel', 'libcrc32c'):
        subprocess.run(['modprobe', '-q', m], check=False)
    # The first VM makes the kernel patch its code: not while we measure.
    subprocess.Popen([KVMM, 'hold'], stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL)
    kernel = os.environ['KCOLO_KERNEL']
    run('insmod', os.environ.get('MODULE') or f'build/{kernel}/kcolo.ko')
    for line in ('netns add b', 'link add va type veth peer name vb netns b',
                 'addr add 10.1.0.1/24 dev va', 'link set va up',
                 f'-n b addr add {THERE}/24 dev vb', '-n b link set vb up',
                 '-n b link set lo up'):
        run('ip', *line.split())


def path():
    """What the path is, for the record."""
    link = json.loads(run('ip', '-j', '-d', 'link', 'show', 'va'))[0]
    return {'kind': 'veth between two network namespaces of one host',
            'mtu': link['mtu'], 'gso_max_size': link.get('gso_max_size')}


class Pair:
    """A session. @guest goes to both ends, @primary to one of them."""

    count = 0

    def __init__(self, name, guest, primary):
        Pair.count += 1
        port = 7000 + Pair.count * 2
        self.name = name
        self.out = f"{os.environ['KCOLO_OUT']}/{name}-{Pair.count}"
        # Read while it is written, which 9p has no right answer to.
        self.json = f'/tmp/{name}-{Pair.count}'
        address = f'{THERE}:{port}'
        common = ['--name', name, '--side', f'{THERE}:{port + 1}',
                  '--verify-each', '0', '--quiet', '--no-device', '--no-smm',
                  *PATIENCE, *guest]
        self.b = self.start('b', ON_B + [KVMM, 'secondary', '--listen', address]
                            + common)
        time.sleep(0.3)
        self.a = self.start('a', [KVMM, 'primary', '--connect', address,
                                  '--pause-limit', '600000'] + common + primary)

    def start(self, end, argv):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f'{self.json}-{end}.json')    # an earlier run's
        with open(f'{self.out}-{end}.log', 'w') as log:
            return subprocess.Popen(argv + ['--json', f'{self.json}-{end}.json'],
                                    stdout=log, stderr=log)

    def lines(self, end='a'):
        """What has been reported so far; the last line may be half a one."""
        try:
            with open(f'{self.json}-{end}.json') as f:
                return [json.loads(line) for line in f if line.endswith('\n')]
        except FileNotFoundError:
            return []

    def checkpoints(self):
        return [d for d in self.lines() if d['type'] == 'checkpoint']

    def fail(self, why):
        for end in 'ab':
            with open(f'{self.out}-{end}.log') as f:
                for line in f.readlines()[-5:]:
                    say(f'# {self.name} {end}: {line.rstrip()}')
        raise Bad(f'{self.name}: {why}')

    def stats(self, end='b'):
        argv = [CTL, '--json', 'stats', self.name]
        found = json.loads(run(*(ON_B + argv if end == 'b' else argv)))
        return {k.replace('-', '_'): v for k, v in found.items()}   # as kvmm's

    def wait_checkpoints(self, nr, seconds):
        end = time.monotonic() + seconds
        while len(self.checkpoints()) < nr:
            if self.a.poll() is not None or self.b.poll() is not None:
                self.fail('one end has ended')
            if time.monotonic() > end:
                self.fail(f'no checkpoint {nr} within {seconds} s')
            time.sleep(0.5)     # looking is counted, too

    def finish(self, seconds=300):
        """Wait for the end of both: (checkpoints, summary of the primary)."""
        try:
            codes = [p.wait(seconds) for p in (self.a, self.b)]
        except subprocess.TimeoutExpired:
            self.fail(f'has not ended within {seconds} s')
        for end in 'ab':
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(f'{self.json}-{end}.json', f'{self.out}-{end}.json')
        if codes != [0, 0]:
            self.fail(f'ended with {codes[0]} and {codes[1]}')
        return self.checkpoints(), self.lines()[-1]

    def end(self):
        """Have the primary end, and with it the secondary; as finish()."""
        self.a.terminate()
        return self.finish()


def main(phase):
    """Run a phase: what it returns is /out/result.json."""
    try:
        prepare()
        result = phase()
        # What sessions held is freed when their ends have been noticed.
        time.sleep(1)
        run('rmmod', 'kcolo')
    except Bad as e:
        say(f'# {e}')
        return 1
    except subprocess.CalledProcessError as e:
        say(f'# {" ".join(e.cmd)}: {e.stderr.strip() or e.stdout.strip()}')
        return 1
    with open(f"{os.environ['KCOLO_OUT']}/result.json", 'w') as f:
        json.dump(result, f)
    return 0

