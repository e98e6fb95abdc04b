# SPDX-License-Identifier: GPL-2.0
"""From what was measured to runs, ratios and targets."""

import statistics

from loads import LOADS

PAGE = 4096

# (load, clock, numerator, denominator, what, at most)
TARGETS = (
    ('uniform-32M', 'icount', 'kcolo', 'off', 'pause', 0.3),
    ('uniform-32M', 'icount', 'kcolo', 'qemu', 'pause', 0.8),
    ('uniform-128M', 'icount', 'kcolo', 'off', 'pause', 0.25),
    ('uniform-128M', 'icount', 'kcolo', 'qemu', 'pause', 0.8),
    ('overload', 'icount', 'kcolo', 'off', 'pause', 0.55),
    ('overload', 'icount', 'kcolo', 'qemu', 'pause', 0.9),
    ('uniform-32M', 'wall', 'kcolo', 'off', 'pause', 0.25),
    ('hot-16M', 'icount', 'kcolo', 'qemu', 'bytes', 1.0),
    ('uniform-32M', 'icount', 'kcolo', 'qemu', 'bytes', 1.0),
    ('uniform-128M', 'icount', 'kcolo', 'qemu', 'bytes', 1.0),
    ('overload', 'icount', 'kcolo', 'qemu', 'bytes', 0.7),
)


def percentile(values, share):
    """The smallest value that SHARE of them do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values):
    return {'n': len(values), 'min': min(values),
            'median': statistics.median(values), 'p99': percentile(values, 0.99),
            'max': max(values)}


def unique_dirty(load, written, checkpoints):
    """Bytes that differ from checkpoint to checkpoint, by what the load does: it
    comes to all pages of its region before it comes to one again."""
    per_checkpoint = min(written / checkpoints, load.region * 256)
    return per_checkpoint * checkpoints * PAGE


def one_run(samples):
    """Samples of one combination, of all rounds, as a run of the result."""
    first = samples[0]
    load = LOADS[first['load']]
    taken = [c for s in samples for c in s['checkpoints']]
    total = sum(c['bytes-before'] + c['bytes-in-pause'] for c in taken)
    written = sum(s['written'] for s in samples)
    dirty = unique_dirty(load, written, len(taken))
    return {
        'backend': first['backend'],
        'load': first['load'].removesuffix('-2s'),
        'interval_s': load.interval_ms / 1000,
        'clock': first['clock'],
        'link': first['link'],
        'pause_ms': spread([c['pause'] / 1000 for c in taken]),
        'rounds': statistics.median(c['rounds'] for c in taken),
        'pages_before': statistics.median(c['pages-before'] for c in taken),
        'pages_in_pause': statistics.median(c['pages-in-pause'] for c in taken),
        'bytes_total': total,
        'bytes_per_checkpoint': total / len(taken),
        'bytes_per_unique_dirty_byte': total / dirty if dirty else None,
        'secondary_rss_ratio': statistics.median(s['resident'] / s['ram']
                                                 for s in samples),
        'cpu_s': sum(s['cpu_s'] for s in samples),
    }


def runs_of(samples):
    combined = {}
    for s in samples:
        combined.setdefault((s['clock'], s['link'], s['load'], s['backend']),
                            []).append(s)
    return [one_run(found) for found in combined.values()]


def find(runs, load, clock, backend):
    return next((r for r in runs if (r['load'], r['clock'], r['backend']) ==
                 (load, clock, backend)), None)


def value(run, what):
    return (run['pause_ms']['median'] if what == 'pause' else
            run['bytes_per_checkpoint'])


def ratios(runs):
    """All targets that these runs have something to say of."""
    found = []
    for load, clock, above, below, what, most in TARGETS:
        a, b = (find(runs, load, clock, x) for x in (above, below))
        if not a or not b:
            continue
        ratio = value(a, what) / value(b, what)
        found.append({'load': load, 'clock': clock, 'what': what,
                      'ratio_of': above, 'to': below, 'ratio': ratio,
                      'target': most, 'met': ratio <= most})
    return found


def table(runs):
    head = (f'{"load":14}{"clock":8}{"link":10}{"backend":9}{"pause, ms":>11}  '
            f'{"(min..max)":16}{"rounds":>6}{"before":>9}{"in pause":>10}'
            f'{"sent/dirty":>12}{"CPU s":>8}{"RSS":>6}')
    lines = [head, '-' * len(head)]
    for r in runs:
        p, per = r['pause_ms'], r['bytes_per_unique_dirty_byte']
        span = f'({p["min"]:.1f}..{p["max"]:.1f})'
        lines.append(
            f'{r["load"]:14}{r["clock"]:8}{r["link"]:10}{r["backend"]:9}'
            f'{p["median"]:11.1f}  {span:16}{r["rounds"]:6.0f}'
            f'{r["pages_before"]:9.0f}{r["pages_in_pause"]:10.0f}'
            f'{"-" if per is None else f"{per:.2f}":>12}{r["cpu_s"]:8.1f}'
            f'{r["secondary_rss_ratio"]:6.2f}')
    return lines


def verdicts(found):
    return [f'{f["load"]:14}{f["clock"]:8}{f["what"]:6} {f["ratio_of"]} / '
            f'{f["to"]:5} {f["ratio"]:5.2f}  <= {f["target"]}  '
            f'{"met" if f["met"] else "MISSED"}' for f in found]
