#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The whole story of kcolo, on two emulated hosts, told while it happens.

A KVM guest runs on host a and is protected by kcolo; checkpoints are taken with
pre-copy off and on in turns; host a dies in one of them; the guest goes on on
host b, and every byte of its RAM is right.  It ends with a table and with
build/demo.json (see selftests/demo/README.md).

Exit status: 0 only if all of that held and the targets are met, 1 if not, 2 if
it could not be run.
"""

import argparse
import json
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import figures                                              # noqa: E402
from story import Story                                     # noqa: E402

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.realpath(os.path.join(HERE, '../..'))
OUT = os.path.join(TOP, 'build/demo')
RESULT = os.path.join(TOP, 'build/demo.json')

# The load: 32 MiB of distinct random pages over 256 MiB of RAM every 2 s.
GUEST = ('--ram 256M --ram1 0 --vram 0 --no-device --pattern uniform '
         '--content pages --zero-every 0 --rate 32M/2s')
LINK = '300mbit'
THRESHOLD = '4M'
INTERVAL_MS = 2000
RUN_ON_MS = 5000
PEER_TIMEOUT = '10s'
KILL_WITHIN_MS = 1500
TIMEOUT = 420


class Failed(Exception):
    """What keeps the demo from being run, and what to do about it."""


class Teller:
    """Lines for the watcher, with the time; also kept in build/demo/story.log."""

    def __init__(self, path):
        self.began = time.monotonic()
        self.log = open(path, 'w')

    def __call__(self, text):
        line = f'[{time.monotonic() - self.began:6.1f} s] {text}'
        print(line, flush=True)
        print(line, file=self.log, flush=True)


def step(tell, text, log, *cmd):
    """Run CMD, its output to the file LOG."""
    tell(text)
    path = os.path.join(OUT, log)
    with open(path, 'w') as f:
        if subprocess.run(cmd, cwd=TOP, stdout=f, stderr=f).returncode == 0:
            return
    with open(path, errors='replace') as f:
        sys.stderr.writelines(f.readlines()[-15:])
    raise Failed(f'{" ".join(cmd)} failed, see {path}')


def build(tell, kernel):
    tell(f"Debian's kernel {kernel} (downloaded the first time)")
    if subprocess.run(['python3', 'selftests/host/kernels.py', 'prepare', kernel],
                      cwd=TOP, stdout=subprocess.DEVNULL).returncode:
        raise Failed('there is no kernel to boot the hosts with')
    step(tell, f'building kcolo.ko for {kernel}', 'build-module.log',
         'selftests/host/build-module.sh', kernel)
    step(tell, 'building libkcolo and kcoloctl', 'build-tools.log', 'make', 'tools')
    step(tell, 'building kvmm, a small VMM', 'build-vmm.log',
         'make', '-C', 'selftests/vmm')


def khost(opts):
    env = {'GUEST': GUEST, 'PEER_TIMEOUT': PEER_TIMEOUT, 'PAIRS': str(opts.pairs),
           'INTERVAL': str(INTERVAL_MS), 'THRESHOLD': THRESHOLD,
           'RUN_ON': str(RUN_ON_MS), 'KILL_WITHIN': str(KILL_WITHIN_MS)}
    cmd = ['selftests/host/khost', '--kernel', opts.kernel, '--hosts', '2',
           '--cpus', '1', '--rate', LINK, '--timeout', str(TIMEOUT),
           '--out', OUT, '--verbose', '--b', 'sh selftests/demo/host-b.sh']
    for key, value in env.items():
        cmd += ['--env', f'{key}={value}']
    return [*cmd, '--', 'sh selftests/demo/host-a.sh']


def follow(argv, story):
    """Boot the hosts and tell a story each line of theirs. Returns the exit status."""
    story.tell(f'two emulated hosts boot, joined by a link of {LINK}')
    proc = subprocess.Popen(argv, cwd=TOP, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, errors='replace')
    try:
        for line in proc.stdout:
            story.line(line.rstrip('\n'))
        return proc.wait()
    finally:
        if proc.poll() is None:
            proc.terminate()        # it ends the hosts
            proc.wait()


def runner_result():
    """KEY -> value of the runner's own `result`."""
    try:
        with open(os.path.join(OUT, 'result')) as f:
            return dict(line.rstrip('\n').split(' ', 1) for line in f)
    except FileNotFoundError:
        return {}


def results(opts, story, status, seconds):
    """What goes to build/demo.json."""
    said = runner_result()
    result = figures.evaluate(story)
    if status:
        result['problems'].append(f'the runner of the hosts ended with status {status} '
                                  '(see selftests/host/khost --help)')
    return {
        'ok': not result['problems'],
        **result,
        'host_status': status,
        'emulator_faults': int(said.get('emulator-faults', 0)),
        'kernel': opts.kernel,
        'release': said.get('kernel'),
        'load': {'guest': GUEST, 'interval_ms': INTERVAL_MS, 'threshold': THRESHOLD,
                 'link': LINK, 'peer_timeout': PEER_TIMEOUT, 'run_on_ms': RUN_ON_MS,
                 'kill_within_ms': KILL_WITHIN_MS},
        'seconds': round(seconds, 1),
    }


def finish(result, tell):
    print()
    with open(os.path.join(OUT, 'table.txt'), 'w') as f:
        for line in figures.table(result):
            print(line)
            print(line, file=f)
    print()
    with open(RESULT, 'w') as f:
        json.dump(result, f, indent=2)
        f.write('\n')
    for text in result['problems']:
        tell(f'NOT GOOD: {text}')
    tell('all of it held' if result['ok'] else 'it did NOT all hold')
    tell('results in build/demo.json, logs in build/demo/')


def parse():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--kernel', choices=('6.1', '6.12'),
                    default='6.12')
    ap.add_argument('--pairs', type=int, default=6, metavar='N',
                    help='checkpoints without and with pre-copy, each (default 6; '
                         f'{figures.EACH_MIN} are the least that count)')
    return ap.parse_args()


def told(kind, kernel, make, argv):
    """MAKE what ARGV, the hosts, want, and follow them. Returns the story, of that
    KIND, and the hosts' exit status; exits when there is none to tell."""
    os.makedirs(OUT, exist_ok=True)
    if os.path.exists(RESULT):
        os.unlink(RESULT)       # of an earlier run, not of this one
    tell = Teller(os.path.join(OUT, 'story.log'))
    try:
        make(tell, kernel)
        story = kind(tell)
        return story, follow(argv, story)
    except Failed as e:
        print(f'demo: {e}', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print('demo: interrupted', file=sys.stderr)
        sys.exit(130)


def main():
    opts = parse()
    story, status = told(Story, opts.kernel, build, khost(opts))
    tell = story.tell
    result = results(opts, story, status, time.monotonic() - tell.began)
    finish(result, tell)
    return 0 if result['ok'] else 1


if __name__ == '__main__':
    sys.exit(main())
