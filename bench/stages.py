"""`python -m bench.stages`: what each stage of a read costs, and what depth costs a cursor.

CPU time of this process, the least of several rounds; of cursors the wall time of the statement, on
1 200 000 rows, page by page in turn. Prints a table for bench/README.md.
"""

import os
import time
from collections.abc import Callable
from typing import Any

import django

from bench import data, database

ROUNDS = 9
ROWS = 1_200_000
DEEP = 1_000_000
SECRET = 'not a secret: the bench serves made-up data on the loopback interface'


def set_up() -> None:
    """Django as the contender Backstay has it."""
    os.environ.setdefault('BENCH_URLS', 'bench.peers.backstay')
    os.environ['DJANGO_SETTINGS_MODULE'] = 'bench.peers.settings'
    database.OUTPUT.mkdir(parents=True, exist_ok=True)
    django.setup()
    data.ensure()


def cost(work: Callable[[], Any], times: int) -> float:
    """Microseconds of CPU that one call takes."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - start) / times * 1e6)
    return min(rounds)


def stages() -> dict[str, float]:
    """Parsing, planning and finding a plan, for a list with two filters and three levels."""
    from django.db import connections

    from backstay.resources.declaration.readable import Readable
    from backstay.resources.plan.cache import plans
    from backstay.resources.plan.plan import make_plan
    from backstay.resources.query.asked import Asked
    from backstay.resources.query.parameters import read_query
    from bench.peers.deep import CompanyResource

    connection = connections['default']
    parameters = {
        'name__icontains': ['a'],
        'id__lte': ['50'],
        'ordering': ['-name,id'],
        'limit': ['50'],
    }
    mask = '{id,name,products{id,name,price,category{name},variants{sku,price,stock}}}'

    def read() -> Any:
        return read_query(Asked(resource=CompanyResource, parameters=parameters, mask=mask), SECRET)

    query, readable = read(), Readable(CompanyResource)
    plans.plan(readable, query.shape, connection)
    return {
        'parse: mask header, two filters, order, limit': cost(read, 500),
        'compile: a plan of depth 3, with count': cost(
            lambda: make_plan(readable, query.shape, connection), 20
        ),
        'find it in the plan cache': cost(
            lambda: plans.plan(readable, read().shape, connection), 500
        )
        - cost(read, 500),
    }


def depths() -> dict[str, float]:
    """Milliseconds of a page of 50 by cursor, at the front and a million rows deep."""
    from django.db import connections

    from backstay.resources.declaration.readable import Readable
    from backstay.resources.execute import run
    from backstay.resources.plan.plan import make_plan
    from backstay.resources.query.nodes import CursorPage, Key, Query, Shape
    from bench.peers.deep import EventResource, fill_events

    connection = connections['default']
    fill_events(connection, ROWS)
    readable = Readable(EventResource)
    order = (Key(field='happened_at'), Key(field='id'))
    front = Shape(order=order, page=CursorPage(limit_slot=0))
    deep = Shape(order=order, page=CursorPage(limit_slot=0, key_slots=(1, 2)))
    boundary = EventResource.options.model._base_manager.get(pk=DEEP)
    pages = {
        'a page of 50 by cursor, at the front': Query(shape=front, values=(51,)),
        'the same, one million rows deep': Query(
            shape=deep, values=(51, boundary.happened_at, boundary.pk)
        ),
    }
    plans = {name: make_plan(readable, page.shape, connection) for name, page in pages.items()}
    taken: dict[str, list[float]] = {name: [] for name in pages}
    for _ in range(300):
        for name, page in pages.items():
            start = time.perf_counter()
            rows = run(plans[name], page, {}, timeout=5)
            taken[name].append((time.perf_counter() - start) * 1e3)
            if len(rows.objects) != 51:
                raise SystemExit(f'{name}: {len(rows.objects)} rows')
    return {name: sorted(each)[len(each) // 2] for name, each in taken.items()}


def main() -> None:
    """Measure and print."""
    set_up()
    print('| stage | µs of CPU |\n|---|--:|')
    for name, microseconds in stages().items():
        print(f'| {name} | {microseconds:,.1f} |', flush=True)
    print('\n| statement | ms, median of 300 |\n|---|--:|')
    for name, milliseconds in depths().items():
        print(f'| {name} | {milliseconds:.3f} |', flush=True)


if __name__ == '__main__':
    main()
