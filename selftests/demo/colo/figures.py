# SPDX-License-Identifier: GPL-2.0
"""What the demo with QEMU comes to: figures, targets, verdict, table.

README.md says what each of them is; the names are those of build/demo.json.
"""

from statistics import median

from load import COMPARED_MIN

# What is promised: a ratio of medians, and its limit.
TARGETS = {'pause_pages_ratio': 0.15, 'pause_ratio': 0.3, 'resend_factor': 1.3}
ROWS = (('pages-before', 'pages sent before the pause', 1),
        ('pages-in-pause', 'pages sent in the pause', 1),
        ('pause', 'pause, ms', 1000))


def measured(story, precopy, key):
    """Of the timer's checkpoints: when packets are held back no round may run."""
    return [c[key] for c in story.checkpoints if c['precopy'] == precopy and
            c['measured'] and c['trigger'] == 'timer']


def spread(values):
    return {'median': median(values), 'min': min(values),
            'max': max(values)} if values else None


def resend_factor(story):
    """Pages sent with pre-copy by pages that the load wrote: it comes to all of its
    pages before it comes to one again."""
    sent = written = 0
    for nr in {c['nr'] for c in story.checkpoints}:
        mine = [c for c in story.checkpoints
                if c['nr'] == nr and c['measured'] and c['precopy'] == 'on']
        for before, c in zip(mine, mine[1:]):
            sent += c['pages-before'] + c['pages-in-pause']
            written += c['written'] - before['written']
    return sent / written if written else None


def ratios(story, figures):
    """The figures that have a target, or None where there is none to be had."""
    if not all(figures['pause'].values()):
        return dict.fromkeys(TARGETS)

    def ratio(key):
        return figures[key]['on']['median'] / max(1, figures[key]['off']['median'])

    return {'pause_pages_ratio': ratio('pages-in-pause'), 'pause_ratio': ratio('pause'),
            'resend_factor': resend_factor(story)}


def evaluate(story):
    """All of the results, from what the Story has seen."""
    figures = {key: {p: spread(measured(story, p, key)) for p in ('off', 'on')}
               for key, _, _ in ROWS}
    end = story.failed_over or {'compared': 0, 'lost': None}
    result = ratios(story, figures)
    missed = [f'{name} is {result[name]}, the target is {limit} at most'
              for name, limit in TARGETS.items()
              if result[name] is None or result[name] > limit]
    problems = []
    if end['compared'] < COMPARED_MIN:
        problems.append(f"RAM was compared at {end['compared']} checkpoints, "
                        f'{COMPARED_MIN} are the least')
    if end['lost'] != 0:
        problems.append('the guest did not go on on host b' if end['lost'] is None else
                        f"{end['lost']} acknowledged writes are lost")
    return {
        'image_equal': end['compared'] >= COMPARED_MIN,
        'failover_ok': end['lost'] == 0,
        'targets_met': not missed,
        'checkpoints': len(story.checkpoints),
        'urgent': sum(c['trigger'] != 'timer' for c in story.checkpoints),
        **result,
        'targets': TARGETS,
        'problems': problems + missed,
        'figures': figures,
        'failover': end,
        'each': story.checkpoints,
    }


# The table

def cell(s, scale):
    if not s:
        return '-'
    return f"{s['median'] / scale:.0f} ({s['min'] / scale:.0f}..{s['max'] / scale:.0f})"


def verdict(name, value):
    if value is None:
        return f'{name:28}not measured'
    return (f'{name:28}{value:.2f}  <= {TARGETS[name]:.2f} '
            f"{'met' if value <= TARGETS[name] else 'MISSED'}")


def table(result):
    """The lines of the table that the demo ends with."""
    lines = [f'{"median (min..max)":28}{"pre-copy off":24}pre-copy on']
    lines.append('-' * 70)
    for key, name, scale in ROWS:
        f = result['figures'][key]
        lines.append(f'{name:28}{cell(f["off"], scale):24}{cell(f["on"], scale)}')
    lines += [verdict(name, result[name]) for name in TARGETS]
    end = result['failover']
    equal = f"{end['compared']} checkpoints"
    lines.append(f'{"RAM of both hosts equal":28}{equal if end["compared"] else "NO"}')
    lines.append(f'{"failed over":28}' + (
        f"after {end['seconds']} s, {end['lost']} of {end['acknowledged']} acknowledged "
        'writes lost' if end['lost'] is not None else 'NO'))
    return lines
