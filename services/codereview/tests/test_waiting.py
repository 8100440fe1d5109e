"""Writers that wait for others longer than they may."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from backstay.engine import engine_of
from services.codereview.api import ReviewView
from services.codereview.models import Revision
from services.codereview.tests import data
from services.codereview.tests.data import Bot


@pytest.fixture
def file(tmp_path: Path, db: None) -> Iterator[Path]:
    """The tables in a SQLite file, whose one writer at a time nobody waits for."""
    if engine_of(connection).name != 'sqlite':
        pytest.skip('PostgreSQL lets several write')
    path, usual = tmp_path / 'waiting.sqlite3', connections['default']
    path.write_bytes(usual.connection.serialize())
    options = {**usual.settings_dict['OPTIONS'], 'timeout': 0}
    there = {**usual.settings_dict, 'NAME': str(path), 'OPTIONS': options}
    connections['default'] = type(usual)(there, 'default')
    yield path
    connections['default'].close()
    connections['default'] = usual


def test_who_writes_while_somebody_else_does_shall_come_again(file: Path) -> None:
    data.bot_account()
    assert Bot().get('/v1/').status_code == 200  # the attempt is counted, and the password known
    revision = data.stored_revision()
    requests: list[tuple[str, Any]] = [
        ('/v1/revision/', data.revision_body(provider_id=2)),
        (f'/v1/revision/{revision.pk}/diffs/', data.diff_body()),
        (f'/v1/revision/{revision.pk}/issues/', {'issues': [data.issue('1')]}),
    ]

    with closing(sqlite3.connect(file, isolation_level=None)) as somebody:
        somebody.execute('BEGIN IMMEDIATE')
        for url, body in requests:
            response = Bot().post(url, body)
            assert response.status_code == 503, response.content
            assert response.headers['Retry-After'] == '1'
            detail = 'Others are writing the same rows; try again.'
            assert response.json() == {'detail': detail}
        assert Bot().get('/v1/diff/').status_code == 200
        assert Revision.objects.count() == 1
        somebody.execute('COMMIT')

    assert [Bot().post(*each).status_code for each in requests] == [201] * 3


@pytest.mark.django_db
def test_a_read_that_takes_too_long_is_told_as_that() -> None:
    endless = (
        'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000000) '
        'SELECT count(*) FROM n'
    )
    with pytest.raises(OperationalError) as raised, transaction.atomic():
        engine_of(connection).columns(connection, endless, (), 0.01)

    response = ReviewView().get_exception_handler()(raised.value, {})

    assert response is not None
    told = {'detail': 'The request takes too long; ask for less.'}
    assert (response.status_code, response.data) == (422, told)
