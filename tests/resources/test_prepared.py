"""Prepared statements, on PostgreSQL."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "connections['default'].vendor != 'postgresql'", reason='SQLite prepares by itself'
    ),
]


@pytest.fixture
def connection() -> Iterator[Any]:
    """The connection, with a table of its own."""
    django = connections['default']
    with django.cursor() as cursor:
        cursor.execute('CREATE TABLE prepared_things (id int, price int)')
        cursor.execute('INSERT INTO prepared_things VALUES (1, 5), (2, NULL)')
    yield django
    with django.cursor() as cursor:
        cursor.execute('DROP TABLE prepared_things')


def asked(connection: Any, sql: str, *params: Any, prepare: bool = True) -> Any:
    from backstay.engine.prepared import PreparedCursor

    cursor = PreparedCursor(connection.connection, prepare=prepare)
    cursor.execute(sql, params)
    return cursor.columns


@pytest.mark.parametrize('prepare', [True, False])
def test_cells_come_as_bytes_column_by_column(connection: Any, prepare: bool) -> None:
    sql = 'SELECT id, price FROM prepared_things WHERE id <= %s::int ORDER BY id'

    assert asked(connection, sql, '2', prepare=prepare) == [[b'1', b'2'], [b'5', None]]


def test_constants_keep_their_types(connection: Any) -> None:
    sql = "SELECT %s + 1, CASE WHEN %s THEN 'yes' END, %s * 2, '100%%'"

    assert asked(connection, sql, 1, True, Decimal('1.5')) == [
        [b'2'],
        [b'yes'],
        [b'3.0'],
        [b'100%'],
    ]


def test_a_statement_is_prepared_once(connection: Any) -> None:
    for number in ('1', '2', '1'):
        asked(connection, 'SELECT price FROM prepared_things WHERE id = %s::int', number)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%prepared_things%'"
        )
        assert cursor.fetchone() == (1,)


def test_a_column_whose_type_changes_is_read_all_the_same(connection: Any) -> None:
    sql = 'SELECT price FROM prepared_things WHERE id = %s::int'
    assert asked(connection, sql, '1') == [[b'5']]

    with connection.cursor() as cursor:
        cursor.execute('ALTER TABLE prepared_things ALTER price TYPE numeric(8, 2)')

    assert asked(connection, sql, '1') == [[b'5.00']]


def _kept(connection: Any, like: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s', [like]
        )
        return int(cursor.fetchone()[0])


def test_a_statement_is_prepared_when_it_comes_again(connection: Any) -> None:
    """Most shapes are asked for once: they cost the server no memory."""
    sql = 'SELECT 17, price FROM prepared_things WHERE id = %s::int'

    kept = []
    for number in ('1', '2', '1'):
        asked(connection, sql, number)
        kept.append(_kept(connection, '%SELECT 17, price%'))

    assert kept == [0, 1, 1]


@pytest.mark.parametrize('columns', [1, 40])
def test_what_a_connection_has_prepared_is_bounded_by_its_size(
    connection: Any, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr('backstay.engine.prepared.MAX_PREPARED', 8_000)
    connection.connection.__dict__.pop('_backstay_prepared', None)
    listed = ', '.join(['price + 1'] * columns)
    statements = [f'SELECT {at} AS bounded, {listed} FROM prepared_things' for at in range(200)]

    for sql in statements:
        for _ in range(2):
            assert asked(connection, sql)[1] == [b'6', None]

    kept = _kept(connection, '%AS bounded%')
    assert 1 < kept < 200
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT sum(length(statement)) FROM pg_prepared_statements'
            " WHERE statement LIKE '%AS bounded%'"
        )
        assert cursor.fetchone()[0] <= 8_000
    assert asked(connection, statements[0])[0] == [b'0', b'0']


def test_a_statement_that_would_push_out_all_others_is_not_prepared(
    connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('backstay.engine.prepared.MAX_PREPARED', 8_000)
    sql = f'SELECT {", ".join(["price AS pushing"] * 100)} FROM prepared_things'

    for _ in range(3):
        asked(connection, sql)

    assert _kept(connection, '%AS pushing%') == 0
