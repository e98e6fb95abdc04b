# SPDX-License-Identifier: GPL-2.0
"""From samples to figures: medians, ranges, targets, verdicts."""

import statistics

MET, MISSED, NONE = 'met', 'missed', '-'


def spread(values):
    return {'median': statistics.median(values), 'min': min(values),
            'max': max(values), 'n': len(values)}


def figure(name, unit, values, least=None, most=None):
    """@least or @most is what the median is to reach or not to pass."""
    f = {'name': name, 'unit': unit, **spread(values), 'target': None,
         'verdict': NONE}
    if least is not None:
        f['target'] = f'>= {least}'
        f['verdict'] = MET if f['median'] >= least else MISSED
    elif most is not None:
        f['target'] = f'<= {most}'
        f['verdict'] = MET if f['median'] <= most else MISSED
    return f


def ratio(name, above, below, **target):
    """Of two medians; the range is that of @above over the median of @below."""
    base = statistics.median(below)
    return figure(name, '1', [v / base for v in above], **target)


def rates(samples):
    return [s['bytes'] / s['us'] for s in samples]


def per_page(samples):
    """Thousands of instructions are microseconds: the clock counts them."""
    return [s['us'] * 1000 / (s['bytes'] / 4096) for s in samples]


def of_stream(samples):
    iperf = rates(samples['iperf3'])
    yield figure('iperf3', 'MB/s', iperf)
    yield figure('iperf3_instructions', 'per 4 KiB', per_page(samples['iperf3']))
    for crc, least in (('off', 0.7), ('on', 0.6)):
        end = '' if crc == 'off' else '_crc'
        for pattern, infix in (('uniform', ''), ('seq', '_seq')):
            s = samples.get(f'{pattern}-{crc}')
            if not s:
                continue
            yield figure(f'stream{infix}{end}', 'MB/s', rates(s))
            yield figure(f'stream{infix}{end}_instructions', 'per 4 KiB',
                         per_page(s))
            yield ratio(f'stream{infix}_vs_iperf3{end}', rates(s), iperf,
                        **({} if infix else {'least': least}))


def of_idle(samples):
    small, big = ([s['us'] for s in samples[f'idle-{n}']] for n in ('256m', '4g'))
    yield figure('idle_256m', 'us', small)
    yield figure('idle_4g', 'us', big)
    yield ratio('idle_4g_vs_256m', big, small, most=2)


def of_staging(samples):
    for pattern, most in (('uniform', 0.10), ('sparse', 0.20)):
        s = samples[f'staging-{pattern}']
        yield figure(f'staging_{pattern}', 'MiB', [x['staged_bytes'] / 2 ** 20
                                                   for x in s])
        yield figure(f'staging_{pattern}_overhead', '1',
                     [x['overhead'] for x in s], most=most)
        yield figure(f'staging_{pattern}_kept_after', 'MiB',
                     [x['kept_after_bytes'] / 2 ** 20 for x in s])


OF = {'stream': of_stream, 'idle': of_idle, 'staging': of_staging}


def number(v):
    if abs(v) >= 100:
        return f'{v:.0f}'
    return f'{v:.1f}' if abs(v) >= 10 else f'{v:.3f}'


def table(figures):
    rows = [('figure', 'median', 'range', 'unit', 'n', 'target', 'verdict')]
    rows += [(f['name'], number(f['median']),
              f"{number(f['min'])} .. {number(f['max'])}", f['unit'], str(f['n']),
              f['target'] or '', f['verdict']) for f in figures]
    width = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        yield '  '.join(v.ljust(w) for v, w in zip(row, width)).rstrip()
