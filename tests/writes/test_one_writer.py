"""Writes behind SQLite's one writer: each waits for as long as the limit of one lock, in all."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, connections

from tests.lending.models import Branch, Item
from tests.writes.conftest import Ask

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != 'sqlite', reason='PostgreSQL lets several write'),
]
#: Seconds that a connection waits for the writer; of a site, five.
_WAIT = 0.4


@pytest.fixture
def file(tmp_path: Path, north: Branch) -> Iterator[Path]:
    """The tables and their rows in a SQLite file."""
    path, usual = tmp_path / 'waiting.sqlite3', connections['default']
    path.write_bytes(usual.connection.serialize())
    options = {**usual.settings_dict['OPTIONS'], 'timeout': _WAIT}
    there = {**usual.settings_dict, 'NAME': str(path), 'OPTIONS': options}
    connections['default'] = type(usual)(there, 'default')
    yield path
    connections['default'].close()
    connections['default'] = usual


@pytest.mark.parametrize('headers', [{}, {'HTTP_IDEMPOTENCY_KEY': 'a-key-of-its-own'}])
@pytest.mark.parametrize(
    ('method', 'path'),
    [
        ('post', '/items/'),
        ('patch', '/items/1/'),
        ('delete', '/items/1/'),
        ('delete', '/items/bulk/'),
    ],
)
def test_a_write_waits_once(
    file: Path, ask: Ask, north: Branch, method: str, path: str, headers: dict[str, Any]
) -> None:
    Item.objects.create(pk=1, code='drill', title='Drill', branch=north)
    body: Any = {'code': 'saw', 'title': 'Saw', 'branch_id': north.pk}
    with closing(sqlite3.connect(file, isolation_level=None)) as somebody:
        somebody.execute('BEGIN IMMEDIATE')
        started = time.perf_counter()
        waits: list[str] = []

        def count(execute: Any, sql: str, *rest: Any) -> Any:
            try:
                return execute(sql, *rest)
            except OperationalError:
                waits.append(sql)
                raise

        if method == 'delete':
            body = [1] if 'bulk' in path else None
        if 'bulk' in path:
            headers = headers or {'HTTP_IDEMPOTENCY_KEY': 'bulk'}
        with connections['default'].execute_wrapper(count):
            answer = ask('owner', method, path, body, **headers)

        took = time.perf_counter() - started
        somebody.execute('ROLLBACK')
    assert (answer.status_code, answer.json()['code']) == (503, 'busy')
    assert answer['Retry-After'] == '1'
    assert len(waits) == 1, waits  # however long the machine takes for the rest
    assert took > _WAIT * 0.9
    assert Item.objects.count() == 1


def test_a_site_waits_as_long_as_its_page_says(root: Path) -> None:
    limit = connections.settings['default']['OPTIONS']['timeout']
    page = (root / 'docs/explanation/limits.md').read_text()
    assert f'one that waits longer than {limit} s is answered with 503 `busy`' in page
