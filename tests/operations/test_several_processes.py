"""Limits on secrets over processes that know nothing of each other but the database."""

import base64
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
from django.db import connection
from sample_site.running import Site, free_port, launch, wait_until_live

from backstay.testing.postgres import find_or_start
from tests.proofs import SHARE, record_proof

pytestmark = pytest.mark.skipif(not SHARE, reason='it starts two sites: part of `make prove`')


@pytest.fixture(scope='module')
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database of this engine that processes can share."""
    if connection.vendor == 'sqlite':
        yield f'sqlite:///{tmp_path_factory.mktemp("shared") / "db.sqlite3"}'
        return
    name = f'backstay_processes_{secrets.token_hex(4)}'
    server = find_or_start()
    with psycopg.connect(server, autocommit=True) as made:
        made.execute(f'CREATE DATABASE {name}')
        yield server.rpartition('/')[0] + f'/{name}'
        made.execute(f'DROP DATABASE {name} WITH (FORCE)')


@pytest.fixture(scope='module')
def sites(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Site]]:
    """Two sites that serve, each with two processes."""
    folder: Path = tmp_path_factory.mktemp('sites')
    (folder / 'var').mkdir()
    variables = {'ENV': 'test', 'DATABASE_URL': database, 'LOG_LEVEL': 'ERROR'}
    migrate = launch(folder, 'migrate', free_port(), variables)
    assert migrate.process.wait(timeout=120) == 0, migrate.output()
    variables['BACKSTAY_PROCESSES'] = '2'
    found = [launch(folder, 'serve', free_port(), variables) for _ in range(2)]
    for site in found:
        wait_until_live(site, 60)
    yield found
    for site in found:
        site.stop()


def basic(_: int) -> dict[str, str]:
    """A wrong password for one name."""
    return {'Authorization': 'Basic ' + base64.b64encode(b'nobody:wrong').decode()}


def key(number: int) -> dict[str, str]:
    """A wrong API key, another each time."""
    return {'X-Api-Key': f'cak_{number:012}.{secrets.token_urlsafe(32)}'}


def token(_: int) -> dict[str, str]:
    """A wrong access token, another each time."""
    return {'Authorization': f'Bearer cat_{secrets.token_urlsafe(48)}'}


@pytest.mark.parametrize(('make', 'limit'), [(basic, 5), (key, 100), (token, 300)])
def test_are_exact(
    sites: list[Site],
    request: pytest.FixtureRequest,
    make: Callable[[int], dict[str, str]],
    limit: int,
) -> None:
    asked = limit + 40

    def ask(number: int) -> int:
        url = f'{sites[number % 2].url}/auth/me'
        return httpx.get(url, headers=make(number), timeout=60, trust_env=False).status_code

    with ThreadPoolExecutor(16) as threads:
        statuses = Counter(threads.map(ask, range(asked)))

    told = f'{asked} wrong by {make.__name__}, limit {limit}, 2 sites of 2 processes: {statuses}'
    record_proof(request, told)
    assert statuses == {401: limit, 429: 40}, told
