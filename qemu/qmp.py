#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""qmp.py SOCKET [FILE]: say the QMP commands in FILE, or stdin, one a line.

Waits half a minute for a QEMU that is about to start.  Prints each answer; stops at
the first error, with status 1.
"""

import json
import socket
import sys
import time

WAIT_S = 30


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


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    with socket.socket(socket.AF_UNIX) as sock:
        connect(sock, sys.argv[1])
        qemu = sock.makefile('rw')
        greet(qemu, sock, sys.argv[1])
        commands = open(sys.argv[2]) if len(sys.argv) > 2 else sys.stdin
        for command in ['{"execute": "qmp_capabilities"}', *commands]:
            if not command.strip():
                continue
            qemu.write(command.rstrip() + '\n')
            qemu.flush()
            answer = {}
            while 'return' not in answer and 'error' not in answer:
                answer = json.loads(qemu.readline())
            if 'error' in answer:
                print(f'{command.strip()}: {answer["error"]["desc"]}',
                      file=sys.stderr)
                return 1
            if answer['return'] not in ({}, ''):
                print(json.dumps(answer['return']))
    return 0


if __name__ == '__main__':
    sys.exit(main())
