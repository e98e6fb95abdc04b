#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""qmp.py [--session] SOCKET [FILE]: say the QMP commands in FILE, or stdin, one a line.

Waits half a minute for a QEMU that is about to start.  Prints each answer; stops at
the first error, with status 1.  A line {"event": NAME} waits for an event, which may
have come since the last such line.

--session hands QEMU a session of kcolo first, the one that this is run in:

  kcoloctl session add ... -- qmp.py --session SOCKET FILE
"""

import json
import os
import socket
import sys
import time

WAIT_S = 30
GETFD = '{"execute": "getfd", "arguments": {"fdname": "kcolo"}}'


def connect(sock, path):
    end = time.monotonic() + WAIT_S
    while True:
        try:
            return sock.connect(path)
        except OSError as e:
            if time.monotonic() > end:
                sys.exit(f'{path}: {e.strerror}: does QEMU run?')
            time.sleep(0.1)


def greet(qemu, sock, path):
    """QEMU talks to one at a time."""
    sock.settimeout(WAIT_S)
    try:
        qemu.readline()
    except socket.timeout:
        sys.exit(f'{path}: no greeting: is somebody else connected to it?')
    sock.settimeout(None)


class Talk:
    def __init__(self, sock, path):
        connect(sock, path)
        self.sock, self.qemu, self.events = sock, sock.makefile('r'), []
        greet(self.qemu, sock, path)

    def read(self):
        line = self.qemu.readline()
        if not line:
            sys.exit('QEMU is gone')
        return json.loads(line)

    def say(self, command, fds=()):
        """Whether QEMU does as it is told; open files FDS go with it."""
        socket.send_fds(self.sock, [command.encode() + b'\n'], fds)
        while 'event' in (answer := self.read()):
            self.events.append(answer['event'])
        if 'error' in answer:
            print(f'{command}: {answer["error"]["desc"]}', file=sys.stderr)
            return False
        if answer['return'] not in ({}, ''):
            print(json.dumps(answer['return']))
        return True

    def wait(self, name):
        while name not in self.events:
            self.events.append(self.read().get('event'))
        self.events.clear()
        return True

    def do(self, line):
        try:
            name = json.loads(line).get('event')
        except (ValueError, AttributeError):
            name = None                 # QEMU says what is wrong with it
        return self.wait(name) if name else self.say(line)


def session():
    fd = os.environ.get('KCOLO_FD', '')
    if not fd.isdigit():
        sys.exit("no session: run this by 'kcoloctl session add ... --'")
    return int(fd)


def main():
    words = sys.argv[1:]
    fds = []
    if words[:1] == ['--session']:
        words.pop(0)
        fds = [session()]
    if len(words) not in (1, 2) or words[0].startswith('-'):
        print(__doc__, file=sys.stderr)
        return 2
    with socket.socket(socket.AF_UNIX) as sock:
        talk = Talk(sock, words[0])
        lines = open(words[1]) if len(words) > 1 else sys.stdin
        if not talk.say('{"execute": "qmp_capabilities"}') or \
                fds and not talk.say(GETFD, fds):
            return 1
        return 0 if all(talk.do(c.strip()) for c in lines if c.strip()) else 1


if __name__ == '__main__':
    sys.exit(main())
