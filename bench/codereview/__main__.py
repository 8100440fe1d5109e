"""`python -m bench.codereview`: the service at a million links, beside plain DRF, and 50 bots.

Seeds the database if needed, starts both with two processes of four threads, checks that their
answers are equal, measures one request at a time over HTTP, and prints the tables of README.md.
"""

import argparse
from typing import TYPE_CHECKING

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
    site.choose(asked.links)
    site.prepare(asked.links)
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


def _row(taken: 'Taken') -> str:
    case = taken.case
    over = ' **over**' if taken.median > case.aim else ''
    return f'| {case.title} | {case.aim:g} | {taken.median:.1f}{over} | {taken.ratio:.1f} |'


if __name__ == '__main__':
    main()
