# SPDX-License-Identifier: GPL-2.0
"""What the checkpoints of the demo come to: figures, targets, verdict, table.

README.md says what each of them is; the names are those of build/demo.json.
"""

from statistics import median

PAGE = 4096
MIB = 1 << 20

# What is promised: a ratio of medians, and its limit.
TARGETS = {'pause_pages_ratio': 0.15, 'pause_ratio': 0.3, 'resend_factor': 1.3}
EACH_MIN = 5        # measured checkpoints of each kind
# What the guest is to write in an interval (demo.py), and how much of it has to be.
LOAD_PAGES = 32 * MIB // PAGE
LOAD_MIN = 0.8


def measured(record):
    """A checkpoint as the results have it, from kvmm's JSON line RECORD."""
    return {
        'epoch': record['epoch'],
        'precopy': record['stop_reason'] != 'disabled',
        'outcome': record['outcome'],
        'stop_reason': record['stop_reason'],
        'rounds': record['rounds'],
        'dirtied_pages': record['dirtied_pages'],
        'precopy_pages': record['last_precopy_pages'],
        'left_pages': record['pending'] // PAGE,
        'pause_pages': record['last_pause_pages'],
        'sent_pages': record['last_precopy_pages'] + record['last_pause_pages'],
        'precopy_ms': record['last_precopy_us'] / 1000,
        'pause_ms': (record['pause_us'] - record['verify_us']) / 1000,
        'kernel_pause_ms': record['last_pause_us'] / 1000,
        'image_equal': record.get('hash_equal', False),
    }


FIGURES = ('rounds', 'dirtied_pages', 'precopy_pages', 'left_pages', 'pause_pages',
           'sent_pages', 'precopy_ms', 'pause_ms', 'kernel_pause_ms')


def spread(values):
    return {'median': round(median(values), 3), 'min': min(values), 'max': max(values)}


def figures(checkpoints):
    """Median and range of each figure over CHECKPOINTS of one kind."""
    if not checkpoints:
        return {'checkpoints': 0}
    result = {'checkpoints': len(checkpoints)}
    for name in FIGURES:
        result[name] = spread([c[name] for c in checkpoints])
    return result


def ratio(over, under):
    return round(over / under, 4) if under else None


def ratios(off, on):
    """The figures that have a target, or None where there is none to be had."""
    if not off['checkpoints'] or not on['checkpoints']:
        return dict.fromkeys(TARGETS)
    return {
        'pause_pages_ratio': ratio(on['pause_pages']['median'],
                                   off['pause_pages']['median']),
        'pause_ratio': ratio(on['pause_ms']['median'], off['pause_ms']['median']),
        'resend_factor': ratio(on['sent_pages']['median'],
                               on['dirtied_pages']['median']),
    }


def failover(story):
    """How host b took over, from what it said."""
    summary = story.summary or {}
    lost, kill = story.lost or {}, story.kill or {}
    heard = [c['epoch'] for c in story.checkpoints if c['outcome'] == 'committed']
    return {
        'killed': story.killed_at is not None,
        'killed_in_epoch': kill.get('epoch'),
        'killed_in_state': kill.get('state'),
        'killed_staged_pages': kill.get('staged_pages'),
        'committed_then': kill.get('committed'),
        'lost_reason': lost.get('abort-reason'),
        'promoted': summary.get('promoted', False),
        'epoch': summary.get('epoch'),
        'last_epoch_heard': max(heard, default=None),
        'detect_s': story.since_kill(story.lost_at),
        'takeover_s': story.since_kill(story.promoted_at),
        'restore_ms': summary.get('restore_us', 0) / 1000,
        'steps_at_restore': summary.get('steps'),
        'steps_run_on': summary.get('steps_after', 0) - summary.get('steps', 0),
        'base_hash_known': summary.get('base_known', False),
        'base_equal': summary.get('base_equal', False),
        'ram_equal': summary.get('guest_good', False),
    }


def failover_problems(f):
    """What is wrong with the failover F, in words."""
    if not f['killed']:
        yield 'host a was not killed'
        return
    if not f['promoted']:
        yield 'host b has not taken over'
        return
    # Once the end has come the epoch counts if all of it has come, too.
    right = [f['committed_then']]
    if f['killed_in_state'] == 'committing':
        right.append(f['killed_in_epoch'])
    if f['epoch'] not in right or f['epoch'] < (f['last_epoch_heard'] or 0):
        yield (f"host b went on from epoch {f['epoch']}; it had committed epoch "
               f"{f['committed_then']}, host a had heard of epoch {f['last_epoch_heard']}")
    if not f['base_equal']:
        yield 'RAM on host b was not that of the last committed checkpoint'
    if f['steps_run_on'] <= 0:
        yield 'the guest did not run on'
    if not f['ram_equal']:
        yield 'RAM of the guest that ran on is not what it has to be'


def image_problems(story, off, on):
    committed = [c for c in story.checkpoints if c['outcome'] == 'committed']
    for c in story.checkpoints:
        if c['outcome'] != 'committed':
            yield f"the checkpoint of epoch {c['epoch']} ended as {c['outcome']}"
    for c in committed:
        if not c['image_equal']:
            yield f"RAM of both hosts was not found equal in epoch {c['epoch']}"
    for name, kind in (('off', off), ('on', on)):
        if kind['checkpoints'] < EACH_MIN:
            yield (f"{kind['checkpoints']} checkpoints with pre-copy {name}, "
                   f'{EACH_MIN} are the least')
    if (story.summary or {}).get('mismatch'):
        yield 'host b found RAM different'


def load_problems(off):
    """Ratios under a load that was not there say nothing."""
    dirtied = off['dirtied_pages']['median'] if off['checkpoints'] else 0
    if dirtied < LOAD_MIN * LOAD_PAGES:
        yield (f'the guest wrote {dirtied:.0f} pages an interval with pre-copy off, '
               f'{LOAD_MIN * LOAD_PAGES:.0f} are the least: its host was too busy')


def evaluate(story):
    """All of the results, from what the Story has seen."""
    # The first checkpoint has the full sync in it and is of neither kind.
    rest = [c for c in story.checkpoints[1:] if c['outcome'] == 'committed']
    off = figures([c for c in rest if not c['precopy']])
    on = figures([c for c in rest if c['precopy']])
    result = ratios(off, on)
    fail = failover(story)
    images, fails = list(image_problems(story, off, on)), list(failover_problems(fail))
    load = list(load_problems(off))
    missed = [f'{name} is {result[name]}, the target is {limit} at most'
              for name, limit in TARGETS.items()
              if result[name] is None or result[name] > limit]
    return {
        'image_equal': not images,
        'failover_ok': not fails,
        'load_met': not load,
        'targets_met': not missed,
        'checkpoints': sum(c['outcome'] == 'committed' for c in story.checkpoints),
        **result,
        'targets': TARGETS,
        'problems': images + fails + load + missed,
        'precopy_off': off,
        'precopy_on': on,
        'full_sync': story.full_sync,
        'failover': fail,
        'each': story.checkpoints,
    }


# The table

def cell(kind, name, scale=1.0, digits=0):
    f = kind.get(name)
    if not f:
        return '-'
    low, mid, high = (f'{f[k] / scale:.{digits}f}' for k in ('min', 'median', 'max'))
    return mid if low == high else f'{mid} ({low}..{high})'


def verdict(result, name):
    value = result[name]
    if value is None:
        return '-', 'not measured'
    limit = TARGETS[name]
    return f'{value:.2f}', f"<= {limit:.2f} {'met' if value <= limit else 'MISSED'}"


def equal(kind, checkpoints, precopy):
    good = sum(c['image_equal'] for c in checkpoints if c['precopy'] == precopy)
    return f"{good} of {kind['checkpoints']}"


def table(result):
    """The lines of the table that the demo ends with."""
    off, on = result['precopy_off'], result['precopy_on']
    each = [c for c in result['each'][1:] if c['outcome'] == 'committed']
    rows = [('median (min..max)', 'pre-copy off', 'pre-copy on', 'on / off', 'target')]

    def row(text, name, scale=1.0, digits=0, target=None):
        rows.append((text, cell(off, name, scale, digits), cell(on, name, scale, digits),
                     *(verdict(result, target) if target else ('', ''))))

    pages = MIB / PAGE
    row('dirtied since the last pause, MiB', 'dirtied_pages', pages, 1)
    row('sent before the pause, MiB', 'precopy_pages', pages, 1)
    row('sent in the pause, MiB', 'pause_pages', pages, 1)
    row('pages left when the pause began', 'left_pages')
    row('pages sent in the pause', 'pause_pages', target='pause_pages_ratio')
    row('pause, ms', 'pause_ms', target='pause_ratio')
    rows.append(('pages sent / pages dirtied', '', '', *verdict(result, 'resend_factor')))
    rows.append(('image equal', equal(off, each, False), equal(on, each, True), '',
                 'yes' if result['image_equal'] else 'NO'))
    fail = result['failover']
    took = fail['takeover_s']
    rows.append(('failed over', f"epoch {fail['epoch']}" if fail['promoted'] else '-',
                 f'{took:.1f} s after the kill' if took else '-', '',
                 'yes' if result['failover_ok'] else 'NO'))
    widths = [max(len(r[i]) for r in rows) for i in range(5)]
    lines = ['  '.join(c.ljust(w) for c, w in zip(r, widths)).rstrip() for r in rows]
    return [lines[0], '-' * (sum(widths) + 8), *lines[1:]]
