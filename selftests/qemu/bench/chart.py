# SPDX-License-Identifier: GPL-2.0
"""The pause by dirty rate, as SVG."""

import math

COLOURS = {'off': '#b03030', 'qemu': '#c08a1a', 'kcolo': '#2a6fb0'}
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 400, 70, 50, 40, 90


def rate(run, loads):
    """MiB a second."""
    load = loads[run['load']]
    return load.write * 1000 / load.period_ms


def draw(runs, loads):
    points = [(rate(r, loads), r) for r in runs
              if r['clock'] == 'icount' and (r['load'] == 'idle' or
                                             loads[r['load']].region == 256)]
    if not points:
        return None
    most_x = max(x for x, _ in points) or 1
    most_y = max(r['pause_ms']['max'] for _, r in points)
    step = 10 ** math.floor(math.log10(most_y))

    def at(x, y):
        return (LEFT + x / most_x * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - y / most_y * (HEIGHT - BOTTOM - TOP))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
           ' font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="20" font-size="14">Pause of a COLO checkpoint by '
           'dirty rate: median, and from least to most</text>']
    y = 0
    while y <= most_y:
        x0, py = at(0, y)
        out.append(f'<line x1="{x0}" x2="{WIDTH - RIGHT}" y1="{py:.1f}" '
                   f'y2="{py:.1f}" stroke="#ddd"/><text x="{x0 - 8}" '
                   f'y="{py + 4:.1f}" text-anchor="end">{y:g}</text>')
        y += step
    for x in sorted({x for x, _ in points}):
        px, py = at(x, 0)
        out.append(f'<text x="{px:.1f}" y="{py + 18:.1f}" text-anchor="middle">'
                   f'{x:g}</text>')
    out.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 12}" text-anchor="middle">'
               'written by the guest, MiB/s</text>')
    out.append(f'<text x="18" y="{HEIGHT / 2}" text-anchor="middle" transform='
               f'"rotate(-90 18 {HEIGHT / 2})">pause, ms of 1 M instructions'
               '</text>')
    for nr, (backend, colour) in enumerate(COLOURS.items()):
        mine = sorted((x, r['pause_ms']) for x, r in points
                      if r['backend'] == backend and r['interval_s'] == 0.5)
        path = []
        for x, p in mine:
            px, py = at(x, p['median'])
            path.append(f'{px:.1f},{py:.1f}')
            low, high = at(x, p['min'])[1], at(x, p['max'])[1]
            out.append(f'<line x1="{px:.1f}" x2="{px:.1f}" y1="{low:.1f}" '
                       f'y2="{high:.1f}" stroke="{colour}" stroke-opacity=".4" '
                       f'stroke-width="3"/><circle cx="{px:.1f}" cy="{py:.1f}" '
                       f'r="4" fill="{colour}"/>')
        out.append(f'<polyline points="{" ".join(path)}" fill="none" '
                   f'stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{WIDTH - RIGHT + 12}" y="{TOP + 20 * nr + 12}" '
                   f'fill="{colour}">{backend}</text>')
    return '\n'.join(out + ['</svg>', ''])
