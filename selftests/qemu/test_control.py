# SPDX-License-Identifier: GPL-2.0
"""Parameters, statistics and events: what QEMU says, and the tool, is the same."""

import json

import pair
from colo import Failed
from pair import Pair, tool

THRESHOLD = 'x-colo-migrate-ram-threshold'
ITERATIONS = 'x-colo-migrate-ram-iterations'


def expect(condition, text):
    if not condition:
        raise Failed(text)


def session(key):
    return json.loads(tool('get', '--json'))[key]


def test_control_parameters():
    p = Pair('control', 'kcolo')
    by_default = p.a.qmp('query-migrate-parameters')
    expect((by_default[THRESHOLD], by_default[ITERATIONS]) == (100 << 20, 10),
           f'{by_default}')
    p.a.set(**{'colo-migrate-ram-threshold': 1 << 20})
    p.protect()
    expect(session('threshold') == 1 << 20, 'what was set before COLO is not there')
    p.a.qmp('migrate-set-parameters', **{THRESHOLD: 2 << 20, ITERATIONS: 3})
    expect((session('threshold'), session('max-iterations')) == (2 << 20, 3),
           'what QEMU sets is not in the session')
    tool('set', 'threshold', '3M')
    tool('set', 'max-iterations', '7')
    p.until(lambda: [p.a.qmp('query-migrate-parameters')[k]
                     for k in (THRESHOLD, ITERATIONS)] == [3 << 20, 7], 20,
            'what kcoloctl sets is not seen in QEMU')
    text = p.a.hmp('info migrate_parameters')
    for words in (f'{THRESHOLD}: {3 << 20}', f'{ITERATIONS}: 7',
                  'x-colo-migrate-ram-backend: kcolo',
                  'x-colo-auto-failover: off'):
        expect(words in text, f'{words} is not in {text}')
    for line in (f'{THRESHOLD} 4M', f'{ITERATIONS} 9', 'x-colo-auto-failover on'):
        said = p.a.hmp(f'migrate_set_parameter {line}')
        expect(not said, f'{line}: {said}')
    expect((session('threshold'), session('max-iterations')) == (4 << 20, 9),
           'what is set by hand is not in the session')
    expect(p.a.qmp('query-migrate-parameters')['x-colo-auto-failover'],
           'auto-failover is not set')


NEVER = 3600000


def demand(p, delay):
    """A checkpoint that is demanded, as one is when the delay is set."""
    p.a.set(**{'checkpoint-delay': delay})
    return p.checkpoints(1)


def taken_by_all(p):
    """Three that are demanded, some by the timer, and one that is demanded."""
    taken = demand(p, NEVER) + demand(p, NEVER) + demand(p, 300)
    for c in taken:
        expect((c['trigger'], c['reason'], c['rounds']) == ('demand', 'urgent', 0),
               f'rounds ran for one that was demanded: {c}')
    taken += p.checkpoints(4)
    p.a.set(**{'checkpoint-delay': NEVER})
    while True:
        c = p.a.qmp.event('COLO_CHECKPOINT', 5 * pair.slow())
        if not c:
            return taken
        taken.append(c)


def same_sums(stats, taken):
    for what in ('timer', 'packet', 'demand'):
        expect(stats[what] == sum(c['trigger'] == what for c in taken),
               f'{what}: {stats} {taken}')
    for what in ('rounds', 'pages-before', 'pages-in-pause', 'bytes-before',
                 'bytes-in-pause'):
        expect(stats[what] == sum(c[what] for c in taken), f'{what}: {stats}')
    pauses = [c['pause'] for c in taken]
    expect(stats['pause-longest'] == max(pauses) and
           stats['pause-mean'] == sum(pauses) // len(pauses), f'{stats} {pauses}')
    expect(stats['last'] == taken[-1], f'{stats["last"]}, {taken[-1]}')


def test_control_statistics():
    p = Pair('stats', 'kcolo', delay=NEVER, **{'colo-migrate-ram-threshold': 64 << 10})
    p.protect()
    taken = taken_by_all(p)
    stats = p.a.qmp('query-migrate')['colo']
    same_sums(stats, taken)
    expect(sum(c['rounds'] for c in taken) > 0, f'there were no rounds: {taken}')
    expect(f'demand {stats["demand"]}' in p.a.hmp('info migrate'), 'info migrate')
    kernel = json.loads(tool('stats', '--json'))
    expect(kernel['checkpoints'] == len(taken), f'{kernel}, {len(taken)}')


def in_rounds(p):
    """Whether the last checkpoint that began has looked at what is pending."""
    last = p.a.text('trace').rpartition('colo_checkpoint_begin')[2]
    return 'colo_migrate_pending' in last and 'colo_vm_state_change' not in last


# So long that the first round takes long enough to be seen: all of the load is dirty.
SELDOM = 4000


def hurry(backend, running):
    """Rounds that run end when a checkpoint is demanded."""
    p = Pair(f'hurry-{backend}', backend, delay=SELDOM, load='64,1,0', memory='192M',
             session=('--min-gain', '0'),
             **{'colo-migrate-ram-threshold': 4096, 'colo-migrate-ram-iterations': 1000})
    p.protect()
    taken = []
    for _ in range(20):
        p.until(lambda: running(p), 60, 'there are no rounds')
        p.a.set(**{'checkpoint-delay': SELDOM})
        taken += p.checkpoints(1)
        if any(c['trigger'] == 'timer' and c['reason'] == 'urgent' for c in taken):
            return
    raise Failed(f'rounds were never ended: {taken}')


def test_control_hurry():
    hurry('kcolo', lambda p: tool('get', 'state') == 'precopy')


def test_control_hurry_qemu():
    hurry('qemu', in_rounds)


def test_control_handed():
    """A session that was made by somebody else, when QEMU ran already."""
    p = Pair('handed', 'kcolo', handed=True)
    p.protect()
    p.checkpoints(3)
    p.take_over()
    p.goes_on(p.b)
