#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""qmp.py SOCKET [FILE]: say the QMP commands in FILE, or stdin, one a line.

Prints each answer; stops at the first error, with status 1.
"""

import json
import socket
import sys


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(sys.argv[1])
        qemu = sock.makefile('rw')
        qemu.readline()                 # its greeting
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
