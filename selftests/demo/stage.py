# SPDX-License-Identifier: GPL-2.0
"""What both demos need: two emulated hosts whose lines are told as they come, and
results in build/demo.json.

A demo is told by a story: an object with .tell, which takes each line of the hosts'
runner in .line().
"""

import argparse
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.realpath(os.path.join(HERE, '../..'))
OUT = os.path.join(TOP, 'build/demo')
RESULT = os.path.join(TOP, 'build/demo.json')
LINK = '300mbit'


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


def progress(tell, text, *cmd):
    """Run CMD, which says itself how far it is."""
    tell(text)
    if subprocess.run(cmd, cwd=TOP, stdout=subprocess.DEVNULL).returncode:
        raise Failed(f'{" ".join(cmd)} failed')


def khost(kernel, timeout, *options):
    """The command that boots two hosts, joined by a link that is shaped."""
    return ['selftests/host/khost', '--kernel', kernel, '--hosts', '2', '--cpus', '1',
            '--rate', LINK, '--timeout', str(timeout), '--out', OUT, '--verbose',
            *options]


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


def told(kind, make, argv):
    """MAKE what ARGV, the hosts, want, and follow them. Returns the story, of that
    KIND, and the hosts' exit status; exits when there is none to tell."""
    os.makedirs(OUT, exist_ok=True)
    if os.path.exists(RESULT):
        os.unlink(RESULT)       # of an earlier run, not of this one
    tell = Teller(os.path.join(OUT, 'story.log'))
    try:
        make(tell)
        story = kind(tell)
        return story, follow(argv, story)
    except Failed as e:
        print(f'demo: {e}', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print('demo: interrupted', file=sys.stderr)
        sys.exit(130)


def runner_result():
    """KEY -> value of the runner's own `result`."""
    try:
        with open(os.path.join(OUT, 'result')) as f:
            return dict(line.rstrip('\n').split(' ', 1) for line in f)
    except FileNotFoundError:
        return {}


def results(result, kernel, load, status, tell):
    """What goes to build/demo.json: RESULT, what a story comes to, and how it ran."""
    said = runner_result()
    if status:
        result['problems'].append(f'the runner of the hosts ended with status {status} '
                                  '(see selftests/host/khost --help)')
    return {
        'ok': not result['problems'],
        **result,
        'host_status': status,
        'emulator_faults': int(said.get('emulator-faults', 0)),
        'kernel': kernel,
        'release': said.get('kernel'),
        'load': {**load, 'link': LINK},
        'seconds': round(time.monotonic() - tell.began, 1),
    }


def finish(result, table, tell):
    """Print and write the results. Returns the exit status."""
    print()
    with open(os.path.join(OUT, 'table.txt'), 'w') as f:
        for line in table:
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
    return 0 if result['ok'] else 1


def parser(text):
    """Of the command line that a demo has, whose help is TEXT."""
    ap = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--kernel', choices=('6.1', '6.12'), default='6.12')
    return ap
