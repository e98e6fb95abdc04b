# SPDX-License-Identifier: GPL-2.0
"""What kcolo cannot protect is refused, with words that say why."""

import os
import socket
import struct
import subprocess
import threading
import time

import colo
import pair
from colo import Failed
from pair import B, SESSION_NAME, STREAM, Pair, launcher, side

BACKEND = 'x-colo-migrate-ram-backend'
ITERATIONS = 'x-colo-migrate-ram-iterations'
PAUSED = ('-S',)


def contains(text, words):
    if words not in text:
        raise Failed(f'"{text}" does not say "{words}"')


def refused(s, words):
    """Backend kcolo is refused to S, and nothing has changed."""
    contains(s.qmp.refused('migrate-set-parameters', **{BACKEND: 'kcolo'}), words)
    now = s.qmp('query-migrate-parameters')[BACKEND]
    if now != 'off':
        raise Failed(f'the backend is {now}')


def lone(name, options=(), prefix=None, **kw):
    """One QEMU in a session of its own, whose guest does not run."""
    return side(name, launcher('primary') if prefix is None else prefix,
                options=(*PAUSED, *options), **kw)


def test_refused_without_session():
    refused(lone('bare', prefix=()), "kcoloctl session add")


def test_refused_bad_fd():
    refused(lone('word', prefix=(), env={'KCOLO_FD': 'seven'}), 'is no fd')
    refused(lone('none', prefix=(), env={'KCOLO_FD': '777'}), 'fd 777')
    fd = os.open('/dev/null', os.O_RDWR)
    refused(lone('null', prefix=(), env={'KCOLO_FD': str(fd)}, fds=(fd,)), 'session')
    os.close(fd)


def test_refused_without_module():
    s = lone('unloaded', prefix=(), env={'KCOLO_FD': '0'})
    subprocess.run(['rmmod', 'kcolo'], check=True)
    try:
        refused(s, 'modprobe kcolo')
    finally:
        module = f'build/{os.environ["KCOLO_KERNEL"]}/kcolo.ko'
        subprocess.run(['insmod', module], check=True)


def test_refused_role():
    listen = ['ip', 'netns', 'exec', 'b', *launcher('secondary')]
    refused(lone('role', prefix=listen), 'not a primary')


def test_refused_dirty_ring():
    refused(lone('ring', ['-accel', 'kvm,dirty-ring-size=1024']), 'dirty-ring-size')


def test_refused_without_kvm():
    refused(lone('tcg', accel='tcg'), 'KVM')


def test_refused_virtio_mem():
    refused(lone('vmem', ['-m', '128M,maxmem=1G', '-object',
                          'memory-backend-ram,id=m1,size=128M', '-device',
                          'virtio-mem-pci,memdev=m1']), 'virtio-mem')


GET_FEATURES = 1
HEADER = struct.Struct('<III')      # request, flags, size of what follows


def vhost_user(listening):
    """A vhost-user backend that has no feature at all, and so keeps no log."""
    peer, _ = listening.accept()
    with peer, peer.makefile('rb') as f:
        while head := f.read(HEADER.size):
            request, _, size = HEADER.unpack(head)
            f.read(size)
            if request == GET_FEATURES:
                peer.sendall(HEADER.pack(request, 1 | 4, 8) + bytes(8))


def test_refused_vhost_user_without_log():
    with socket.create_server('/tmp/vhost-user', family=socket.AF_UNIX) as listening:
        threading.Thread(target=vhost_user, args=(listening,), daemon=True).start()
        s = lone('vhost-user', [
            '-chardev', 'socket,id=c,path=/tmp/vhost-user', '-netdev',
            'vhost-user,id=n,chardev=c', '-device', 'virtio-net-pci,netdev=n'])
    s.setup(**{'colo-migrate-ram-backend': 'kcolo'})
    contains(s.qmp.refused('migrate', uri='tcp:127.0.0.1:9'),
             'vhost-user backend lacks VHOST_USER_PROTOCOL_F_LOG_SHMFD')


def capable(s, name):
    return s.qmp.ask('migrate-set-capabilities', capabilities=[
        {'capability': name, 'state': True}])


def test_refused_capabilities():
    s = lone('caps')
    for name in ('multifd', 'xbzrle', 'postcopy-ram', 'compress', 'release-ram',
                 'x-ignore-shared'):
        s.setup(**{'colo-migrate-ram-backend': 'kcolo'})
        answer = capable(s, name)
        if 'return' in answer:
            answer = s.qmp.ask('migrate', uri='tcp:127.0.0.1:9')
        if 'error' not in answer:
            raise Failed(f'{name} was not refused')
        contains(answer['error']['desc'], name)
        s.qmp('migrate-set-capabilities', capabilities=[
            {'capability': name, 'state': False}])


def test_refused_dirty_rate():
    s = lone('rate')
    s.qmp('calc-dirty-rate', **{'calc-time': 10, 'mode': 'dirty-bitmap'})
    # It is begun by a thread of its own.
    end = time.monotonic() + 9
    while 'return' in s.qmp.ask('migrate-set-parameters', **{BACKEND: 'kcolo'}):
        s.qmp('migrate-set-parameters', **{BACKEND: 'off'})
        if time.monotonic() > end:
            raise Failed('it is not refused while a dirty rate is measured')
    refused(s, 'dirty rate')


def test_refused_dirty_rate_meanwhile():
    """From when RAM is copied for the first time."""
    def rate():
        contains(p.a.qmp.refused('calc-dirty-rate', **{
            'calc-time': 1, 'mode': 'dirty-bitmap'}), 'while kcolo reads')

    p = Pair('rate-colo', 'kcolo')
    p.a.qmp('migrate-set-parameters', **{'max-bandwidth': 1 << 20})
    p.a.qmp('migrate', uri=f'tcp:{B}:{STREAM}')
    p.a.wait_status('active')
    rate()
    p.a.qmp('migrate-set-parameters', **{'max-bandwidth': 10 << 30})
    p.a.wait_status('colo')
    rate()
    p.checkpoints(2)
    rate()


def job_error(s, command):
    """What ends a job at once."""
    s.qmp(command, **{'job-id': command, 'tag': 'x', 'vmstate': 'no', 'devices': []})
    try:
        Pair.until(lambda: s.qmp('query-jobs')[0]['status'] == 'concluded', 20,
                   f'{command} does not end')
        return s.qmp('query-jobs')[0]['error']
    finally:
        s.qmp('job-dismiss', id=command)


def plugged(s):
    """What a DIMM is refused with."""
    s.qmp('object-add', qom_type='memory-backend-ram', id='more', size=128 << 20)
    return s.qmp.refused('device_add', driver='pc-dimm', id='dimm', memdev='more')


def test_refused_while_protected():
    """All of this is refused on both sides, and COLO goes on."""
    p = Pair('busy', 'kcolo', memory='128M,slots=2,maxmem=1G')
    p.protect()
    for s in (p.a, p.b):
        contains(s.qmp.refused('stop'), 'while COLO runs')
        contains(s.qmp.refused('migrate-set-parameters', **{BACKEND: 'off'}),
                 'while COLO')
        for line in ('savevm x', 'loadvm x'):
            contains(s.hmp(line), 'snapshot while COLO runs')
        contains(s.qmp.refused('dump-guest-memory', paging=False,
                               protocol='file:/dev/null'), 'while COLO runs')
        for job in ('snapshot-save', 'snapshot-load'):
            contains(job_error(s, job), 'snapshot while COLO runs')
        for name in ('multifd', 'xbzrle', 'x-colo'):
            contains(s.qmp.refused('migrate-set-capabilities', capabilities=[
                {'capability': name, 'state': name != 'x-colo'}]), 'while COLO runs')
    for s, words in ((p.a, 'while migrating'), (p.b, 'this VM is the secondary')):
        contains(plugged(s), words)
    contains(p.a.qmp.refused('migrate-set-parameters', **{ITERATIONS: 32768}),
             '32767')
    contains(p.a.qmp.refused('migrate', uri=f'tcp:{B}:{STREAM}'), 'while COLO runs')
    contains(p.a.qmp.refused('calc-dirty-rate', **{'calc-time': 1,
                                                   'mode': 'dirty-bitmap'}),
             'kcolo')
    p.checkpoints(3)
    if colo.same_ram(p.a, p.b) < 3:
        raise Failed('too few checkpoints were compared')


def ended(s):
    event = s.qmp.event('COLO_EXIT', 90 * pair.slow())
    if not event or event['reason'] != 'error':
        raise Failed(f'{s.name}: COLO_EXIT {event}')


def goes_on_alone(p):
    p.a.qmp('x-colo-lost-heartbeat')
    p.goes_on(p.a)


def test_refused_missing_peer():
    """The secondary has no session, and so another backend: COLO ends."""
    p = Pair('peerless', 'kcolo', secondary_backend='off')
    p.a.qmp('migrate', uri=f'tcp:{B}:{STREAM}')
    ended(p.a)
    contains(p.a.qmp('query-migrate')['error-desc'], 'other side has not connected')
    goes_on_alone(p)


def test_refused_other_backend():
    """Only the secondary has one: neither waits for the other."""
    p = Pair('mixed', 'off', secondary_backend='kcolo')
    p.protect()
    for s in (p.a, p.b):
        ended(s)
    contains(p.b.text('log'), 'kcolo: session vm is connecting')
    contains(p.a.qmp('query-migrate')['error-desc'], 'COLO message')
    goes_on_alone(p)
