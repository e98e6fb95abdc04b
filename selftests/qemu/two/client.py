# SPDX-License-Identifier: GPL-2.0
"""A client of the guest's redis: writes without end, and remembers what was
acknowledged."""

import socket
import threading
import time


class Redis:
    """One connection, one command at a time."""

    def __init__(self, address, timeout):
        self.sock = socket.create_connection(address, timeout)
        self.sock.settimeout(timeout)
        self.file = self.sock.makefile('rb')

    def __call__(self, *words):
        parts = [f'*{len(words)}\r\n'] + [f'${len(w)}\r\n{w}\r\n' for w in words]
        self.sock.sendall(''.join(parts).encode())
        line = self.file.readline()
        if not line.endswith(b'\r\n') or line[:1] == b'-':
            raise OSError(f'redis: {line!r}')
        if line[:1] != b'$':
            return line[1:-2].decode()
        length = int(line[1:])
        return self.file.read(length + 2)[:-2].decode() if length >= 0 else None

    def close(self):
        self.sock.close()


# The answers of both guests differ, and so their packets.
DIFFERS = ('EVAL', "return redis.call('TIME')[2]", '0')


class Writer(threading.Thread):
    """Sets key after key; .acknowledged of them were.  After each EVERY of them, if
    that is not 0, it asks for what differs on both hosts."""

    def __init__(self, address, timeout, every=0):
        super().__init__(daemon=True)
        self.address, self.timeout, self.every = address, timeout, every
        self.acknowledged = 0
        self.connections = 0
        self.stopped = False

    @staticmethod
    def pair(number):
        return f'key:{number}', f'{number * 2654435761 % 2 ** 32:08x}' * 8

    def run(self):
        while not self.stopped:
            try:
                redis = Redis(self.address, self.timeout)
                self.connections += 1
                while not self.stopped:
                    if redis('SET', *self.pair(self.acknowledged)) == 'OK':
                        self.acknowledged += 1
                    if self.every and self.acknowledged % self.every == 0:
                        redis(*DIFFERS)
                redis.close()
            except OSError:
                time.sleep(0.2)

    def wait_for(self, count, timeout):
        """Whether COUNT writes have been acknowledged within TIMEOUT seconds."""
        end = time.monotonic() + timeout
        while self.acknowledged < count and time.monotonic() < end:
            time.sleep(0.1)
        return self.acknowledged >= count

    def stop(self):
        self.stopped = True
        self.join(self.timeout * 2)

    def lost(self):
        """The keys that were acknowledged and are not there."""
        redis = Redis(self.address, self.timeout)
        return [key for key, value in map(self.pair, range(self.acknowledged))
                if redis('GET', key) != value]
