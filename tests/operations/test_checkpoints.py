"""SQLite's write-ahead log while readers leave it no pause."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from backstay.engine import engine_of
from backstay.settings import django_settings, load

pytestmark = [pytest.mark.django_db, pytest.mark.engine_free]

MIB = 1024 * 1024


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Any]:
    """A connection to a file, as the settings of a site make it."""
    given = {'ENV': 'test', 'DATABASE_URL': 'sqlite:///site.sqlite3'}
    made = django_settings(load(tmp_path, given), base_dir=tmp_path, services={})
    settings = {**connections.settings['default'], **made['DATABASES']['default']}
    engine = __import__(settings['ENGINE'], fromlist=['base']).base
    connection = engine.DatabaseWrapper({**settings, 'NAME': str(settings['NAME'])}, 'wal')
    connection.inc_thread_sharing()
    yield connection
    connection.close()


def write(path: str, mebibytes: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute('CREATE TABLE IF NOT EXISTS rows (text)')
        for _ in range(mebibytes):
            writer.execute('INSERT INTO rows VALUES (zeroblob(?))', (MIB,))


@pytest.mark.parametrize(('reads_for', 'left'), [(0.3, 0), (60, 3 * MIB)])
def test_the_log_is_shortened_once_those_who_read_it_have_ended(
    database: Any, reads_for: float, left: int
) -> None:
    database.ensure_connection()
    path = database.settings_dict['NAME']
    write(path, 1)
    with closing(sqlite3.connect(path, check_same_thread=False, isolation_level=None)) as reader:
        reader.execute('BEGIN')
        reader.execute('SELECT count(*) FROM rows').fetchall()
        write(path, 3)  # beyond what the reader sees
        log = Path(f'{path}-wal')
        assert log.stat().st_size > 3 * MIB
        end = threading.Timer(reads_for, reader.rollback)
        end.start()
        began = time.monotonic()
        engine_of(database).shorten_log(database, MIB)
        assert time.monotonic() - began < 5
        assert log.stat().st_size >= left
        assert (log.stat().st_size == 0) is (left == 0)
        write(path, 1)  # others go on, also where it was in vain
        end.cancel()
        end.join()


def test_a_log_that_is_short_is_left_alone(database: Any) -> None:
    database.ensure_connection()
    write(path := database.settings_dict['NAME'], 1)
    keeper = sqlite3.connect(path)  # the last connection would remove the log
    keeper.execute('SELECT count(*) FROM rows').fetchall()
    write(path, 1)
    before = Path(f'{path}-wal').stat().st_size

    engine_of(database).shorten_log(database, 64 * MIB)

    assert Path(f'{path}-wal').stat().st_size == before > 0
    keeper.close()
