#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The whole story of kcolo with QEMU, on two emulated hosts, told while it happens.

A Linux guest that serves clients (redis) runs in QEMU on host a and is protected by
COLO, its RAM by kcolo: pre-copy off and on, in turns.  Host a dies; the guest goes on
on host b; no write is lost that a client was told of.  It ends with a table and with
build/demo.json (see selftests/demo/README.md).

Exit status: 0 only if all of that held and the targets are met, 1 if not, 2 if it
could not be run.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from demo import LINK, OUT, RESULT, TOP, Failed, told      # noqa: E402

TIMEOUT = 1800
TARGETS = {'pause_pages_ratio': 0.15, 'pause_ratio': 0.3, 'resend_factor': 1.3}


class Story:
    """What has been seen; `tell` is called with each line for the watcher."""

    def __init__(self, tell):
        self.tell = tell
        self.checkpoints = []
        self.failed_over = None

    def line(self, text):
        host = re.fullmatch(r'([ab])\| ?(.*)', text)
        if not host:
            if 'is up after' in text or 'kill a' in text:
                self.tell(text.replace('khost: ', '').replace(
                    'b asks: kill a', 'host a: KILLED, as by a power cut').strip())
        elif host[2].startswith('@ '):
            self.tell(f'host {host[1]}: {host[2][2:]}')
        elif host[2].startswith('{'):
            self.record(host[2])
        elif host[2]:
            self.tell(f'host {host[1]}: {host[2]}')

    def record(self, text):
        try:
            r = json.loads(text)
        except ValueError:          # the last line of a host that was killed
            return
        if r['type'] == 'checkpoint':
            self.checkpoints.append(r)
            self.tell(f"pre-copy {r['precopy']:3}, by {r['trigger']:6}: "
                      f"{r['pages-before']:6} pages before the pause, "
                      f"{r['pages-in-pause']:6} in it, {r['pause'] / 1000:.0f} ms")
        elif r['type'] == 'failed-over':
            self.failed_over = r
            self.tell(f"host b: {r['acknowledged']} writes were acknowledged, over "
                      f"{r['connections']} connections: {r['lost']} are lost")
            self.tell(f"host b: RAM was equal at {r['compared']} checkpoints")

    def measured(self, precopy, key):
        """Of the timer's checkpoints: when packets are held back no round may run."""
        return [c[key] for c in self.checkpoints if c['precopy'] == precopy and
                c['measured'] and c['trigger'] == 'timer']


def build(tell, kernel):
    tell('QEMU with kcolo: Debian 12\'s source, patched (10 minutes the first time)')
    if subprocess.run(['selftests/qemu/prepare.sh', kernel], cwd=TOP,
                      stdout=subprocess.DEVNULL).returncode:
        raise Failed('QEMU could not be made ready')


def khost(opts):
    return ['selftests/host/khost', '--kernel', opts.kernel, '--cpus', '1', '--mem',
            '3G', '--rate', LINK, '--timeout', str(TIMEOUT), '--out', OUT, '--verbose',
            '--append', 'nohz=off highres=off',     # why: see qemu/check.sh
            '--b', 'selftests/demo/colo/b.py', '--', 'selftests/demo/colo/a.py']


def spread(values):
    return {'median': statistics.median(values), 'min': min(values),
            'max': max(values)} if values else None


def resend_factor(story):
    """Pages sent with pre-copy by pages that the load wrote: it comes to all of its
    pages before it comes to one again."""
    sent = written = 0
    for nr in {c['nr'] for c in story.checkpoints}:
        mine = [c for c in story.checkpoints
                if c['nr'] == nr and c['measured'] and c['precopy'] == 'on']
        for before, c in zip(mine, mine[1:]):
            sent += c['pages-before'] + c['pages-in-pause']
            written += c['written'] - before['written']
    return sent / written if written else None


def evaluate(story, status):
    figures = {key: {p: spread(story.measured(p, key)) for p in ('off', 'on')}
               for key in ('pause', 'pages-before', 'pages-in-pause')}
    end = story.failed_over or {}
    result = {'image_equal': end.get('compared', 0) > 0,
              'failover_ok': bool(end) and not end['lost'],
              'checkpoints': len(story.checkpoints),
              'urgent': sum(c['trigger'] != 'timer' for c in story.checkpoints),
              'figures': figures,
              'failed_over': end, 'host_status': status, 'targets': TARGETS}
    problems = [] if result['failover_ok'] else ['the guest did not go on on host b']
    if all(figures['pause'].values()):
        def ratio(key):
            return (figures[key]['on']['median'] /
                    max(1, figures[key]['off']['median']))
        result.update(pause_pages_ratio=ratio('pages-in-pause'),
                      pause_ratio=ratio('pause'), resend_factor=resend_factor(story))
        problems += [f'{key} is {result[key]:.2f}, not <= {most}'
                     for key, most in TARGETS.items() if not result[key] <= most]
    else:
        problems.append('there are no checkpoints to compare')
    if status:
        problems.append(f'the runner of the hosts ended with status {status}')
    return {'ok': not problems, **result, 'problems': problems}


def table(r):
    lines = [f'{"median (min..max)":26}{"pre-copy off":24}{"pre-copy on":24}']
    for key, name, scale in (('pages-before', 'pages before the pause', 1),
                             ('pages-in-pause', 'pages in the pause', 1),
                             ('pause', 'pause, ms', 1000)):
        cells = []
        for p in ('off', 'on'):
            s = r['figures'][key][p]
            cells.append('-' if not s else f"{s['median'] / scale:.0f} "
                         f"({s['min'] / scale:.0f}..{s['max'] / scale:.0f})")
        lines.append(f'{name:26}{cells[0]:24}{cells[1]:24}')
    for key, most in TARGETS.items():
        if r.get(key) is not None:
            lines.append(f'{key:26}{r[key]:.2f}  <= {most}')
    return lines


def finish(result, tell):
    print('\n' + '\n'.join(table(result)) + '\n')
    with open(RESULT, 'w') as f:
        json.dump(result, f, indent=2)
        f.write('\n')
    for text in result['problems']:
        tell(f'NOT GOOD: {text}')
    tell('all of it held' if result['ok'] else 'it did NOT all hold')
    tell('results in build/demo.json, logs in build/demo/')


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--kernel', choices=('6.1', '6.12'), default='6.12')
    opts = ap.parse_args()
    story, status = told(Story, opts.kernel, build, khost(opts))
    tell = story.tell
    result = {'seconds': round(time.monotonic() - tell.began, 1),
              **evaluate(story, status)}
    finish(result, tell)
    return 0 if result['ok'] else 1


if __name__ == '__main__':
    sys.exit(main())
