# SPDX-License-Identifier: GPL-2.0
"""The demo as it happens: what the hosts print, told so that one can follow it.

A line of the runner is `khost: ...`; of a host `a| ...`.  After that come JSON
objects (kvmm's results, kcoloctl's events), kvmm's own messages, and the story
lines of the host scripts (`@ ...`, `| ...`).
"""

import json
import re
import time

import figures

MIB_PAGES = figures.MIB // figures.PAGE
HOST = re.compile(r'([ab])\| ?(.*)')
KVMM = re.compile(r'\[ *\d+\.\d+\] kvmm: (.*)')
# Of kvmm's messages: those that its JSON says better, or that come again below.
DULL = re.compile(r'#\d+ epoch|   |epoch \d+ is committed|promoted|waiting for a primary|'
                  r'replay of|the primary is lost|\d+ epochs committed')
STATES = {True: 'on', False: 'off'}


def mib(pages):
    return f'{pages / MIB_PAGES:.1f} MiB'


class Story:
    """What has been seen; `tell` is called with each line for the watcher."""

    def __init__(self, tell):
        self.tell = tell
        self.begin()

    def begin(self):
        """Nothing was seen yet: also when the runner starts anew."""
        self.checkpoints = []
        self.full_sync = None
        self.summary = None         # of kvmm on host b
        self.lost = None            # the event
        self.kill = None            # what host b had of the checkpoint then
        self.stopped_at = None      # host a, just before it was killed
        self.killed_at = self.lost_at = self.promoted_at = None

    def since_kill(self, at):
        return round(at - self.killed_at, 2) if at and self.killed_at else None

    def line(self, text):
        host = HOST.fullmatch(text)
        if host:
            self.from_host(host[1], host[2])
        elif text.startswith('khost: '):
            self.from_runner(text[7:])
        else:
            self.tell(text)

    def from_runner(self, text):
        up = re.fullmatch(r'([ab]) is up after ([\d.]+) s', text)
        if up:
            self.tell(f'host {up[1]}: booted in {up[2]} s')
        elif text.startswith('b asks: freeze a'):
            self.stopped_at = time.monotonic()
        elif text.startswith('b asks: kill a'):
            self.killed_at = self.stopped_at
            self.tell('host a: KILLED, as by a power cut')
        elif re.match('b asks: thaw a|status 0', text):
            pass
        else:
            if text.endswith('trying once more'):
                self.begin()
            self.tell(f'runner: {text}')

    def from_host(self, host, text):
        kvmm = KVMM.fullmatch(text)
        if text.startswith('@ '):
            self.tell(f'host {host}: {text[2:]}')
        elif text.startswith('| '):
            self.tell(f'    {text[2:]}')
        elif text.startswith('{'):
            self.record(host, text)
        elif kvmm:
            if not DULL.match(kvmm[1]):
                self.tell(f'host {host}: kvmm: {kvmm[1]}')
        elif text:
            self.tell(f'host {host}: {text}')

    def record(self, host, text):
        try:
            record = json.loads(text)
        except ValueError:      # the last line of a host that was killed
            return
        kind = record.get('type', record.get('event'))
        if (host, kind) == ('a', 'checkpoint'):
            self.checkpoint(record)
        elif (host, kind) == ('b', 'peer-lost'):
            self.primary_lost(record)
        elif (host, kind) == ('b', 'promoted'):
            self.promoted_at = time.monotonic()
            self.tell(f"host b: took over with epoch {record['epoch']}, "
                      f'{self.since_kill(self.promoted_at)} s after the kill; '
                      'the guest is restored and runs on here')
        elif (host, kind) == ('b', 'kill'):
            self.killed(record)
        elif (host, kind) == ('a', 'full-sync'):
            self.full_sync = {k: record[k] for k in ('pages', 'zero_pages')}
            self.tell(f"full sync: {mib(record['pages'])}, "
                      f"{mib(record['zero_pages'])} of it zero")
        elif (host, kind) == ('b', 'summary'):
            self.summary = record
            self.ran_on(record)
        elif kind in ('checkpoint-aborted', 'checkpoint'):
            self.tell(f"host {host}: epoch {record['epoch']} is dropped")

    def checkpoint(self, record):
        c = figures.measured(record)
        image = 'equal' if c['image_equal'] else 'NOT FOUND EQUAL'
        self.checkpoints.append(c)
        n = len(self.checkpoints)
        if c['outcome'] != 'committed':
            self.tell(f"checkpoint {n}: {c['outcome']} ({record['abort_reason']}, "
                      f"{record['error']})")
        elif n == 1:
            self.tell(f"checkpoint {n}: the full sync took {c['precopy_ms'] / 1000:.1f} s; "
                      f"{mib(c['pause_pages'])} dirtied meanwhile, sent in the pause of "
                      f"{c['pause_ms']:.0f} ms; all RAM {image}")
        else:
            before = (f"{mib(c['precopy_pages'])} in {c['rounds']} rounds while the guest "
                      'ran, ' if c['precopy'] else '')
            self.tell(f"checkpoint {n}: pre-copy {STATES[c['precopy']]:3}  "
                      f"{mib(c['dirtied_pages'])} dirtied, sent {before}"
                      f"{mib(c['pause_pages'])} in the pause of {c['pause_ms']:.0f} ms; "
                      f'all RAM {image}')

    def killed(self, record):
        self.kill = record
        self.tell(f"host b: epoch {record['epoch']} is open, {mib(record['staged_pages'])} "
                  f"of it have come; epoch {record['committed']} is the last whole one")
        self.tell('host b: hears nothing any more, waits until peer-timeout is over')

    def primary_lost(self, record):
        self.lost_at = time.monotonic()
        self.lost = record
        after = (f', {self.since_kill(self.lost_at)} s after the kill'
                 if self.killed_at else '')
        self.tell(f"host b: host a is lost ({record['abort-reason']}){after}")

    def ran_on(self, s):
        if not s['promoted']:
            self.tell(f"host b: has not taken over (exit code {s['exit_code']})")
            return
        ran = s['steps_after'] - s['steps']
        base = ('the hash that host a had told of it' if s['base_known'] else
                'not hashed by host a before it died')
        self.tell(f"host b: RAM at epoch {s['epoch']}: {base}"
                  f"{': equal' if s['base_known'] and s['base_equal'] else ''}")
        self.tell(f'host b: the guest ran on for {ran} steps; every byte of its RAM '
                  f"{'is what it has to be' if s['guest_good'] else 'is NOT what it has to be'}")
