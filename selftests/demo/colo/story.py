# SPDX-License-Identifier: GPL-2.0
"""The demo as it happens: what the hosts print, told so that one can follow it.

A line of the runner is `khost: ...`; of a host `a| ...`.  After that come JSON
objects, for what is measured, and the story lines of the host scripts (`@ ...`).
"""

import json
import re


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
