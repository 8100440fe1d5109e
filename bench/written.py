"""The writes of one tree, as a process that is told what to write and says what it cost.

Run by path, so that `bench` and `backstay` are those of the tree in PYTHONPATH: this file serves
trees that do not have it yet. Each line on standard input is the name of a case; the answer is the
CPU that it took, of this process and of its session in PostgreSQL, in seconds. The database is a
copy that belongs to this process. What is written stays: a rollback would make the session forget
its prepared statements.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOST = {'Host': 'localhost'}
ROWS, PATCHES = 1_000, 200
#: Times that a block does its case: long enough for clocks that tick every 10 ms.
TIMES = {'bulk': 3, 'patch': 1}
TICK = 1 / os.sysconf('SC_CLK_TCK')


def cases() -> dict[str, Callable[[int], None]]:
    """What can be written; each is given a number that differs from block to block."""
    from django.test import RequestFactory

    from backstay.resources import ALL, Grant, Resource, anyone, view_set_of
    from bench.peers import backstay
    from bench.shop.models import Product
    from bench.writes import members

    shown = backstay.ProductResource.Meta.fields

    class WrittenResource(Resource):
        class Meta:
            model = Product
            fields = shown
            require_idempotency_key = ()

        grants = (Grant(anyone, read=ALL, create=ALL, write=('price', 'name')),)

    view_set = view_set_of(WrittenResource)
    bulk, patch = view_set.as_view({'post': 'bulk'}), view_set.as_view({'patch': 'partial_update'})
    rows = json.dumps([members(at) for at in range(ROWS)])

    def sent(view: Any, method: str, body: str, **path: Any) -> None:
        request = getattr(RequestFactory(), method)('/', body, 'application/json', headers=HOST)
        answer = view(request, **path)
        if answer.status_code != 200:
            raise SystemExit(f'{answer.status_code}: {getattr(answer, "content", b"")[:500]}')

    def many(_: int) -> None:
        sent(bulk, 'post', rows)

    def one_by_one(number: int) -> None:
        for key in range(1, PATCHES + 1):
            body = json.dumps({'price': f'{number + 1}.50', 'name': f'Renamed {key}'})
            sent(patch, 'patch', body, **{view_set.lookup_url_kwarg: str(key)})

    return {'bulk': many, 'patch': one_by_one}


def main() -> None:
    """Prepare, say so, and do what is asked until nothing more comes."""
    from bench import database

    if copy := os.environ.get('BENCH_SQLITE_COPY'):
        database.SQLITE_FILE = Path(copy)
    from bench.stages import set_up
    from bench.writes import prepare

    set_up()
    prepare()
    from django.db import connection

    session = None
    if database.engine() == 'postgresql':
        with connection.cursor() as cursor:
            cursor.execute('SELECT pg_backend_pid()')
            session = cursor.fetchone()[0]

    def spent() -> float:
        return time.process_time() + (_cpu(session) if session else 0.0)

    known = cases()
    print('ready', flush=True)
    for number, line in enumerate(sys.stdin):
        name = line.strip()
        taken = 0.0
        for _ in range(TIMES[name]):
            start = spent()
            known[name](number)
            taken += spent() - start
        print(taken, flush=True)


def _cpu(pid: int) -> float:
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return TICK * sum(map(int, fields[11:13]))


if __name__ == '__main__':
    main()
