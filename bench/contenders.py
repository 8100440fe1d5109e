"""Who takes part, and how each is tuned; all get the same processes, connections and clients."""

import os
from dataclasses import replace
from pathlib import Path

from bench import statements
from bench.pgbench import Pgbench
from bench.servers import Server, granian

Contender = Server | Pgbench

#: The contender that the others are compared with.
OURS = 'backstay'

BOTH = ('postgresql', 'sqlite')


def django(name: str, title: str, tuning: str, **more: str) -> Server:
    """A Django contender on Granian: as many threads as connections."""
    return Server(
        name=name,
        title=title,
        command=granian('wsgi', 'bench.peers.wsgi:application', '--blocking-threads', '{pool}'),
        environment={
            'DJANGO_SETTINGS_MODULE': 'bench.peers.settings',
            'BENCH_URLS': f'bench.peers.{name}',
            **more,
        },
        engines=('postgresql',) if name == 'ninja' else BOTH,
        tuning=tuning,
    )


QUERYSETS = (
    'only(), select_related, prefetch_related, page cut from ids, psycopg pool, '
    'server-side binding, prepared statements, orjson; Granian WSGI'
)
CORE = 'SQLAlchemy Core rows, autocommit, no reset on return, prepared statements, one generic plan'

CONTENDERS: tuple[Contender, ...] = (
    django(
        OURS,
        'Backstay',
        'one prepared statement, one generic plan; Granian WSGI',
        BENCH_PLANS='force_generic_plan',
    ),
    django('drf', 'Django REST Framework', QUERYSETS),
    django('ninja', 'django-ninja', QUERYSETS),
    Server(
        name='fastapi',
        title='FastAPI + SQLAlchemy async',
        command=granian('asgi', 'bench.peers.fastapi:application'),
        tuning=f'{CORE}, orjson bytes without response validation; Granian ASGI, uvloop',
    ),
    Server(
        name='fastapi-orm',
        title='FastAPI + SQLAlchemy ORM, as its template',
        command=granian('asgi', 'bench.peers.fastapi_orm:application'),
        tuning='ORM objects, joins and selectin, response models; Granian ASGI, uvloop',
    ),
    Server(
        name='litestar',
        title='Litestar + SQLAlchemy async',
        command=granian('asgi', 'bench.peers.litestar:application'),
        tuning=f'{CORE}, msgspec structs; Granian ASGI, uvloop',
    ),
    Server(
        name='handwritten',
        title='ASGI by hand + asyncpg',
        command=granian('asgi', 'bench.peers.handwritten:application'),
        tuning='the statement of `statements.py`, prepared, one generic plan; Granian ASGI, uvloop',
    ),
    Pgbench(
        name='pgbench',
        title='the database alone, JSON',
        statements=statements.POSTGRESQL,
        writes_json=True,
        tuning='the same statement, prepared, one generic plan; no application',
    ),
    Pgbench(
        name='rows',
        title='the database alone, plain rows',
        statements=statements.ROWS,
        writes_json=False,
        tuning='the same rows as columns, prepared, one generic plan; no application',
    ),
)


def against() -> tuple[Contender, ...]:
    """Ours as it stands here, and as it stands in the checkout that `BENCH_AGAINST` names."""
    other = os.environ.get('BENCH_AGAINST', '')
    ours = CONTENDERS[0]
    there = replace(ours, name='other', title='Backstay, the other', tree=Path(other))
    return (ours, there) if other else (ours,)
