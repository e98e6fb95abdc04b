# SPDX-License-Identifier: GPL-2.0
"""Those who write guest RAM and are not a vCPU: emulated DMA, the balloon, vhost."""

import contextlib
import os
import socket
import subprocess
import threading

from colo import LOGS, SERVER, Failed, same_ram
from pair import IN_B, Pair, clean_up, slow

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


def not_in_pause(taken):
    """What is written is sent before the pause, most of it: who wrote it has been
    asked then, too."""
    before, in_pause = (sum(c[f'pages-{k}'] for c in taken)
                        for k in ('before', 'in-pause'))
    print(f'# {before} pages before the pause, {in_pause} in it')
    if before < 3 * in_pause:
        raise Failed(f'what was written waited for the pause: {taken}')


# Of the vCPU's own pages there are to be few.
LIGHT = '1,1,1000'


def disks(path):
    """16 MiB for either side, hardly any of them zeroes."""
    for s in 'ab':
        with open(path.replace('@', s), 'wb') as f:
            for nr in range(4096):
                f.write(bytes([nr % 251]) * 4096)


def test_writers_dma():
    """A disk is read again and again into the page cache.  It is slow: there is always
    a read under way, which is ended when the guest is to stop, after the last harvest.
    """
    disk = '/var/tmp/dma-@.raw'
    disks(disk)
    p = protected('dma', append='init_on_alloc=0 dma', load=LIGHT, initrd=SERVER,
                  memory='192M', options=[
                      '-drive', f'if=none,id=d,format=raw,file={disk},'
                      f'throttling.bps-total={8 << 20}',
                      '-device', 'virtio-blk-pci,drive=d'])
    taken = p.checkpoints(CHECKPOINTS, 300)
    p.a.written()
    equal(p, CHECKPOINTS)
    not_in_pause(taken)
    p.take_over()
    p.goes_on(p.b)


def test_writers_balloon():
    """What is inflated changes without a trace in any log.  It does not when the guest
    has zeroed it: it gives away pages that it has used, as they are."""
    p = protected('balloon', append='init_on_alloc=0 used', initrd=SERVER, memory='192M',
                  options=['-device', 'virtio-balloon-pci'])
    for size in (150, 192, 140, 192, 160, 192):
        p.a.qmp('balloon', value=size << 20)
        p.checkpoints(3)
    p.a.written()
    equal(p, 15)
    p.take_over()
    p.goes_on(p.b)


def flood(stop):
    """Packets for the guest's network card; the guest is to have time for more."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        while not stop.wait(0.01 * slow()):
            for _ in range(20):
                try:
                    sock.sendto(bytes(1400), (GUEST, 9))
                except OSError:     # nobody has answered to ARP
                    pass


def tap(dev, address, where=()):
    for words in (['tuntap', 'add', dev, 'mode', 'tap'],
                  ['addr', 'replace', f'{address}/24', 'dev', dev],
                  ['link', 'set', dev, 'up']):
        subprocess.run([*where, 'ip', *words], check=True)


def flooded(p):
    stop = threading.Event()
    thread = threading.Thread(target=flood, args=(stop,))
    thread.start()
    try:
        return p.checkpoints(CHECKPOINTS, 300)
    finally:
        stop.set()
        thread.join()


def test_writers_vhost():
    """vhost-net writes to guest RAM in the kernel, and has a log of its own."""
    tap('tva', '10.2.0.1')
    tap('tvb', '10.2.0.3', IN_B)
    try:
        p = protected('vhost', append=f'net={GUEST}/24', load=LIGHT, initrd=SERVER,
                      delay=max(500, 200 * slow()), memory='192M', options=[
                          '-netdev', 'tap,id=n,ifname=tv@,script=no,downscript=no,'
                          'vhost=on', '-device', 'virtio-net-pci,netdev=n'])
        taken = flooded(p)
        p.a.written()
        equal(p, CHECKPOINTS)
        not_in_pause(taken)
    finally:
        clean_up()
        subprocess.run(['ip', 'link', 'del', 'tva'])
        subprocess.run([*IN_B, 'ip', 'link', 'del', 'tvb'])


def listens(path):
    """Whether somebody does on this Unix socket; to connect would be the one time."""
    with open('/proc/net/unix') as f:
        return any(words[3] == '00010000' and words[-1] == path
                   for words in map(str.split, f))


def backend(s, disk):
    """A process that is a disk for the guest of side S."""
    path = f'/tmp/vub-{s}.sock'
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    p = subprocess.Popen(['/run/qemu/bin/vhost-user-blk', '-s', path,
                          '-b', disk.replace('@', s)])
    Pair.until(lambda: listens(path), 20, 'vhost-user-blk does not listen')
    return p


def test_writers_vhost_user():
    """Another process writes to guest RAM, and has a log of its own."""
    # It opens it with O_DIRECT, which tmpfs has not had before 6.6.
    disk = f'{LOGS}/vub-@.raw'
    disks(disk)
    backends = []
    try:
        backends += [backend(s, disk) for s in 'ab']
        p = protected('vub', append='init_on_alloc=0 dma', load=LIGHT, initrd=SERVER,
                      memory='192M', options=[
                          '-object', 'memory-backend-memfd,id=ram,size=192M,share=on',
                          '-machine', 'memory-backend=ram',
                          '-chardev', 'socket,id=c,path=/tmp/vub-@.sock',
                          '-device', 'vhost-user-blk-pci,chardev=c'])
        p.checkpoints(CHECKPOINTS, 300)
        p.a.written()
        equal(p, CHECKPOINTS)
        p.take_over()
        p.goes_on(p.b)
        if backends[1].poll() is not None:
            raise Failed('the vhost-user-blk of the secondary has died')
    finally:
        clean_up()
        for b in backends:
            b.kill()
            b.wait()
