"""Poolers that lend sessions for single transactions: refused, unless the site is told of them."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError
from django.db import connection
from sample_site.running import free_port

from backstay.engine import engine_of
from backstay.operations.management.commands.serve import forget_connections
from backstay.operations.poolers import refuse_pooler, refuse_unknown_pooler
from tests.tasks.conftest import wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason='SQLite has no server'),
]

PROGRAM = shutil.which('pgbouncer') or shutil.which('pgbouncer', path='/usr/sbin')


@pytest.fixture
def pooled(monkeypatch: pytest.MonkeyPatch, request: Any) -> Iterator[None]:
    """PgBouncer in the mode that the test names, with one session, before the database."""
    if PROGRAM is None:
        pytest.skip('no pgbouncer here')
    given, port = connection.get_connection_params(), free_port()
    names = ('host', 'port', 'user', 'password')
    where = ' '.join(f'{name}={given[name]}' for name in names if given.get(name))
    # It does not run as root, who alone may enter the folders of a test.
    folder = Path(tempfile.mkdtemp(prefix='pgbouncer-'))
    folder.chmod(0o755)
    (folder / 'pgbouncer.ini').write_text(
        f'[databases]\n* = {where}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n'
        f'listen_port = {port}\nunix_socket_dir =\nauth_type = any\n'
        f'pool_mode = {request.param}\ndefault_pool_size = 2\n'
    )
    user = 'nobody' if os.geteuid() == 0 else None
    process = subprocess.Popen([PROGRAM, str(folder / 'pgbouncer.ini')], user=user)  # noqa: S603 ours
    try:
        forget_connections()
        monkeypatch.setitem(connection.settings_dict, 'HOST', '127.0.0.1')
        monkeypatch.setitem(connection.settings_dict, 'PORT', port)
        wait_for(is_there, 10)
        yield
    finally:
        forget_connections()
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


def is_there() -> bool:
    try:
        psycopg.connect(**connection.get_connection_params()).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.parametrize('pooled', ['transaction'], indirect=True)
@pytest.mark.usefixtures('pooled')
class TestOneThatLendsTransactions:
    def test_is_refused_unless_it_was_told_of(self, settings: Any) -> None:
        with pytest.raises(CommandError, match='set BACKSTAY_POOLER=transaction'):
            refuse_unknown_pooler()
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'pooler': 'transaction'})
        refuse_unknown_pooler()

    def test_never_releases(self, settings: Any) -> None:
        with pytest.raises(CommandError, match='the URL of PostgreSQL itself'):
            refuse_pooler()
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'pooler': 'transaction'})
        with pytest.raises(CommandError, match='no BACKSTAY_POOLER'):
            refuse_pooler()

    def test_is_left_as_it_was_by_a_read(self, settings: Any) -> None:
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'pooler': 'transaction'})
        connection.ensure_connection()
        engine = engine_of(connection)
        sql = "SELECT current_setting('statement_timeout') || ' ' || current_setting('jit')"
        for _ in range(3):  # from the second time on it would be prepared
            assert engine.columns(connection, sql, (), 7) == [[b'7s off']]
        with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
            assert other.execute('SHOW statement_timeout').fetchone() == ('0',)
            left = other.execute('SELECT count(*) FROM pg_prepared_statements').fetchone()
            assert left == (0,)


@pytest.mark.parametrize('pooled', ['session'], indirect=True)
@pytest.mark.usefixtures('pooled')
def test_one_that_lends_sessions_is_as_good_as_none() -> None:
    refuse_unknown_pooler()
    refuse_pooler()


def test_without_one_nothing_is_refused() -> None:
    refuse_unknown_pooler()
    refuse_pooler()
