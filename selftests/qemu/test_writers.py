# SPDX-License-Identifier: GPL-2.0
"""Those who write guest RAM and are not a vCPU: emulated DMA, the balloon, vhost."""

import os
import subprocess
import threading

from colo import SERVER, Failed, same_ram
from pair import Pair

CHECKPOINTS = int(os.environ.get('QEMU_CHECKPOINTS') or 20)
GUEST = '10.2.0.2'


def protected(name, **kw):
    p = Pair(name, 'kcolo', **{'colo-migrate-ram-threshold': 64 << 10, **kw})
    p.protect()
    return p


def equal(p, least):
    count = same_ram(p.a, p.b)
    if count < least:
        raise Failed(f'only {count} checkpoints were compared')


def test_writers_dma():
    """A disk is read again and again into the page cache."""
    disk = '/var/tmp/dma-@.raw'
    for s in 'ab':
        with open(disk.replace('@', s), 'wb') as f:
            for nr in range(4096):
                f.write(bytes([nr % 251]) * 4096)
    p = protected('dma', append='dma', initrd=SERVER, memory='192M', options=[
        '-drive', f'if=none,id=d,format=raw,file={disk}', '-device',
        'virtio-blk-pci,drive=d'])
    taken = p.checkpoints(CHECKPOINTS, 300)
    p.a.written()
    equal(p, CHECKPOINTS)
    if sum(c['pages-before'] for c in taken) < sum(c['pages-in-pause'] for c in taken):
        raise Failed(f'what the disk wrote waited for the pause: {taken}')
    p.take_over()
    p.goes_on(p.b)


def test_writers_balloon():
    """What is inflated and deflated changes without a trace in any log."""
    p = protected('balloon', append='modules', initrd=SERVER, memory='192M',
                  options=['-device', 'virtio-balloon-pci'])
    for size in (150, 192, 140, 192, 160, 192):
        p.a.qmp('balloon', value=size << 20)
        p.checkpoints(3)
    p.a.written()
    equal(p, 15)
    p.take_over()
    p.goes_on(p.b)


def flood(stop):
    """Packets for the guest's network card."""
    while not stop.is_set():
        subprocess.run(['ping', '-q', '-f', '-c', '2000', '-s', '1400', '-W', '1',
                        GUEST], stdout=subprocess.DEVNULL)


def test_writers_vhost():
    """vhost-net writes to guest RAM in the kernel, and has a log of its own."""
    for where, dev, address in (((), 'tva', '10.2.0.1'),
                                (('ip', 'netns', 'exec', 'b'), 'tvb', '10.2.0.3')):
        subprocess.run([*where, 'ip', 'tuntap', 'add', dev, 'mode', 'tap'], check=True)
        subprocess.run([*where, 'ip', 'addr', 'add', f'{address}/24', 'dev', dev],
                       check=True)
        subprocess.run([*where, 'ip', 'link', 'set', dev, 'up'], check=True)
    p = protected('vhost', append=f'net={GUEST}/24', initrd=SERVER, memory='192M',
                  options=['-netdev', 'tap,id=n,ifname=tv@,script=no,downscript=no,'
                           'vhost=on', '-device', 'virtio-net-pci,netdev=n'])
    stop = threading.Event()
    thread = threading.Thread(target=flood, args=(stop,))
    thread.start()
    try:
        p.checkpoints(CHECKPOINTS, 300)
    finally:
        stop.set()
        thread.join()
    p.a.written()
    equal(p, CHECKPOINTS)
