"""`python -m bench.rights`: what rights cost on a list of 50 rows with two joins and a count.

One resource is open to all, the other has three grants: the active rows for everybody, one field
more in scope, all of them a level higher. Asked for the active rows, both show the same. Asked for
drafts, who holds ten companies sees theirs; beside it stands the open list with the same condition
as a filter. CPU of this process, which on SQLite is the database too; on PostgreSQL the wall time
of the statement is measured instead.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from bench import database
from bench.stages import set_up

ROUNDS, TIMES = 15, 20
#: `none` leaves the page alone.
COUNT = os.environ.get('BENCH_COUNT', 'exact')


Reads = dict[str, Callable[[], Any]]


def cases() -> list[Reads]:
    """Lists of the same rows, first without rights and then with those of some callers."""
    from django.db import connection
    from django.db.models import Q

    from backstay.caller import GUEST, Caller, Held
    from backstay.resources import ALL, Grant, Resource, Scope, anyone, level_somewhere
    from backstay.resources.execute import run
    from backstay.resources.plan.cache import plans
    from backstay.resources.query.asked import Asked
    from backstay.resources.query.parameters import read_query
    from bench.peers import backstay

    fields = backstay.ProductResource.Meta.fields
    some = tuple(name for name in fields if name != 'rating')

    def resource(grants: tuple[Grant, ...]) -> type[Resource]:
        members = {
            'Meta': type('Meta', (), dict(vars(backstay.ProductResource.Meta))),
            'company': backstay.ProductResource.declared['company'],
            'category': backstay.ProductResource.declared['category'],
        }
        return type('MeasuredResource', (Resource,), {**members, 'grants': grants})

    relations = ('company', 'category')
    granted = resource(
        (
            Grant(anyone, read=(*some, *relations), rows=Q(status='active')),
            Grant(
                level_somewhere(2),
                read=(*fields, *relations),
                rows=Q(company_id__in=Scope('shops', 2)),
            ),
            Grant(level_somewhere(3), read=ALL, rows=Q(company_id__in=Scope('shops', 3))),
        )
    )

    def listing(
        listed: type[Resource], caller: Caller, status: str = 'active', **filters: list[str]
    ) -> Callable[[], Any]:
        parameters = {'limit': ['50'], 'status': [status], 'count': [COUNT], **filters}

        def read() -> Any:
            asked = Asked(
                resource=listed,
                caller=caller,
                parameters=parameters,
                mask='*',
                origin='https://shop.test',
            )
            query = read_query(asked, 'x')
            return run(plans.plan(asked.readable, query.shape, connection), query, asked.facts)

        return read

    scopes = tuple(Held(over='shops', id=key, level=2 + key % 2) for key in range(1, 11))
    everything = (Held(over='shops', level=3),)
    manager = Caller(kind='account', account_id=1, scopes=scopes)
    owner = Caller(kind='account', account_id=2, scopes=everything)
    unlimited = resource((Grant(anyone, read=ALL),))
    held = {'company_id__in': [','.join(str(each.id) for each in scopes)]}
    return [
        {
            'open to all': listing(unlimited, GUEST),
            'as a guest: one grant': listing(granted, GUEST),
            'as a manager of ten of 50 companies: three grants': listing(granted, manager),
            'as the owner of all: pruned': listing(granted, owner),
        },
        {
            'drafts of ten companies, open to all': listing(unlimited, GUEST, 'draft', **held),
            'drafts, as the manager of these ten': listing(granted, manager, 'draft'),
        },
    ]


def main() -> None:
    """Measure in turn, check, print."""
    set_up()
    clock = time.process_time if database.engine() == 'sqlite' else time.perf_counter
    groups = cases()
    for made in groups:
        counts = {read().count for read in made.values()}
        if len(counts) != 1 or any(len(read().objects) != 51 for read in made.values()):
            raise SystemExit(f'the lists differ: {counts}')
    taken: dict[str, list[float]] = {name: [] for made in groups for name in made}
    for made in groups:
        for _ in range(ROUNDS):
            for name, read in made.items():
                start = clock()
                for _ in range(TIMES):
                    read()
                taken[name].append((clock() - start) / TIMES * 1e3)
    print(f'| list of 50 rows on {database.engine()} | ms | ratio |\n|---|--:|--:|')
    for made in groups:
        first = min(taken[next(iter(made))])
        for name in made:
            print(f'| {name} | {min(taken[name]):.2f} | {min(taken[name]) / first:.2f} |')


if __name__ == '__main__':
    main()
