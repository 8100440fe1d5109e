"""`python -m bench.codereview`: every read at a million links, beside plain DRF, and 50 bots.

Fills the database if needed, and with `--links` another one; measures every endpoint, page and list
of the admin over HTTP and in the database, sizes side by side. Then it starts ours and the peer
with two processes of four threads, checks that their answers are equal, measures one request at a
time, and prints the tables of README.md.
"""

import argparse
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from bench.codereview import site

if TYPE_CHECKING:
    from bench.codereview.measure import Taken

#: Issues of a bulk, and milliseconds that it may take.
BULKS = ((100, 15), (1_000, 80))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--only', default='', help='titles of cases that begin so')
    parser.add_argument('--links', type=int, default=site.SEEDED, help='links of the database')
    parser.add_argument('--bots', type=float, default=20, help='seconds that 50 bots publish; 0')
    asked = parser.parse_args()
    sizes = sorted({site.SEEDED, asked.links})
    for links in sizes:
        site.choose(links)
        site.prepare(links)
        site.choose(site.SEEDED)
    _print_growth(sizes, asked.only)
    site.choose(asked.links)
    site.set_up()
    cookie = site.accounts()
    from bench.codereview.bots import publish, report
    from bench.codereview.cases import bulk, reads
    from bench.codereview.measure import compared
    from bench.codereview.stored import clean, deadlocks, faults

    clean()
    try:
        print('| | aim, ms | Backstay, ms | DRF ÷ Backstay |\n|---|--:|--:|--:|')
        with site.served('ours') as ours, site.served('peer') as peer:
            ports = {'ours': ours, 'peer': peer}
            for case in reads():
                if case.title.startswith(asked.only):
                    print(_row(compared(case, ports, cookie)), flush=True)
            for count, aim in BULKS:
                case = bulk(count, aim)
                if case.title.startswith(asked.only):
                    print(_row(compared(case, ports, cookie)), flush=True)
        print(f'\nHashing the password takes {site.hashing():.0f} ms of each bulk of the peer.\n')
        if asked.bots:
            with site.served('ours') as port:
                before = deadlocks()
                published = publish(
                    port,
                    name=site.NAME,
                    password=site.PASSWORD,
                    bots=50,
                    seconds=asked.bots,
                )
                print('\n'.join([report(published), *faults(before)]))
    finally:
        clean()


def _print_growth(sizes: list[int], only: str) -> None:
    """The table of every read: each size is measured by a process of its own."""
    columns = [f'{kind} at {links // site.SEEDED} M' for kind in _KINDS for links in sizes]
    print(f'| ms | aims | {" | ".join(columns)} |\n|---|--:{"|--:" * len(columns)}|')
    measured = [_measured(links, only) for links in sizes]
    for rows in zip(*measured, strict=True):
        cells = [f'{row[kind]:.1f}' for kind in _KINDS for row in rows]
        aims = ' and '.join(f'{aim:g}' for aim in rows[0]['aims'])
        print(f'| {rows[0]["title"]} | {aims} | {" | ".join(cells)} |{_wrong(rows)}')
    print()


#: What is measured of a read, in the order of its aims.
_KINDS = ('http', 'database')
#: How many times as long the same may take at any other size, and milliseconds that do not matter.
MAX_GROWTH, NO_MATTER = 1.5, 3


def _measured(links: int, only: str) -> list[dict[str, Any]]:
    command = [
        sys.executable,
        '-m',
        'bench.codereview.growth',
        f'--links={links}',
        f'--only={only}',
    ]
    done = subprocess.run(command, cwd=site.ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{')]


def _wrong(rows: tuple[dict[str, Any], ...]) -> str:
    """Return the mistakes of a row of the table, to stand behind it."""
    first, last = rows[0], rows[-1]
    over = any(last[kind] > aim for kind, aim in zip(_KINDS, last['aims'], strict=True))
    more = last['database'] > max(MAX_GROWTH * first['database'], NO_MATTER)
    return ' **over**' * over + ' **grew**' * (more and not last['grows'])


def _row(taken: 'Taken') -> str:
    case = taken.case
    over = ' **over**' if taken.median > case.aim else ''
    return f'| {case.title} | {case.aim:g} | {taken.median:.1f}{over} | {taken.ratio:.1f} |'


if __name__ == '__main__':
    main()
