"""Where the data of the bench lives, on either engine, and how Django is told of it."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings

#: What the bench writes: the SQLite file, raw results, server logs. Git ignores it.
OUTPUT = Path(__file__).resolve().parent.parent / 'var' / 'bench'
SQLITE_FILE = OUTPUT / 'shop.sqlite3'
DEFAULT_URL = 'postgres://postgres@127.0.0.1:5432/backstay_bench'


def url() -> str:
    """The PostgreSQL URL, as psycopg and asyncpg take it."""
    return os.environ.get('BENCH_DATABASE_URL', DEFAULT_URL)


def engine() -> str:
    """`postgresql` or `sqlite`; the harness sets it for the servers that it starts."""
    return os.environ.get('BENCH_ENGINE', 'postgresql')


def pool_size() -> int:
    """Connections of one server process."""
    return int(os.environ.get('BENCH_POOL', '4'))


def django_database() -> dict[str, Any]:
    """The value of `DATABASES['default']`: pooled and server-prepared, or one SQLite file."""
    if engine() == 'sqlite':
        return {
            'ENGINE': 'django.db.backends.sqlite3',
            'NAME': SQLITE_FILE,
            # Keeps a connection per thread: what the pool does on PostgreSQL.
            'CONN_MAX_AGE': None,
            'OPTIONS': {'init_command': 'PRAGMA journal_mode=WAL; PRAGMA cache_size=-65536;'},
        }
    parts = urlsplit(url())
    return {
        'ENGINE': 'django.db.backends.postgresql',
        'NAME': parts.path.lstrip('/'),
        'HOST': parts.hostname or '',
        'PORT': parts.port or '',
        'USER': unquote(parts.username or ''),
        'PASSWORD': unquote(parts.password or ''),
        'OPTIONS': {
            'pool': {'min_size': pool_size(), 'max_size': pool_size()},
            'server_side_binding': True,
            'prepare_threshold': 1,
            'options': '-c plan_cache_mode=' + os.environ.get('BENCH_PLANS', 'auto'),
        },
    }


def set_up_django() -> None:
    """Makes the models usable in the harness itself; a server has its settings module instead."""
    if not settings.configured:
        database = django_database()
        database['OPTIONS'].pop('pool', None)
        settings.configure(
            DATABASES={'default': database},
            INSTALLED_APPS=['bench.shop'],
            DEFAULT_AUTO_FIELD='django.db.models.BigAutoField',
            USE_TZ=True,
        )
        django.setup()
