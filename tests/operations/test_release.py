"""`backstay release`: migrations that stand in nobody's way, and static files, each once."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.staticfiles.finders import get_finder
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from backstay.operations import static_files
from backstay.operations.models import CallCount
from backstay.operations.releasing import (
    _LOCK,
    Ending,
    Patience,
    apply_missing,
    release_database,
)
from tests.tasks.conftest import shared_database, wait_for

__all__ = ['shared_database']

pytestmark = pytest.mark.django_db(transaction=True)

IMPATIENT = Patience(lock_timeout=0.1, tries=2, pause=0.01)


@pytest.fixture
def behind(shared_database: str) -> Iterator[str]:
    """The URL of a database that lacks one migration."""
    with connection.schema_editor() as editor:
        editor.delete_model(CallCount)
    MigrationRecorder(connection).migration_qs.filter(app='operations').exclude(
        name='0001_initial'
    ).delete()
    yield shared_database
    apply_missing()


@contextmanager
def another(url: str) -> Iterator[Any]:
    """Somebody else's connection to the database; it changes nothing."""
    if connection.vendor == 'postgresql':
        given = connection.get_connection_params()
        names = ('host', 'port', 'user', 'password', 'dbname')
        known = {name: given[name] for name in names if given.get(name)}
        with psycopg.connect(**known) as other:
            yield other
            other.rollback()
    else:
        path = url.removeprefix('sqlite:///')
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            yield other
            other.rollback()


def has_table() -> bool:
    return CallCount._meta.db_table in connection.introspection.table_names()


def release(**options: Any) -> str:
    call_command('release', stdout=(told := io.StringIO()), **options)
    return told.getvalue()


def test_what_is_missing_is_applied_once(behind: str) -> None:
    assert release() == 'Migrations: 1 applied.\nStatic files: found where they are.\n'
    assert has_table()
    assert release().startswith('Migrations: 0 applied.')


class TestALockThatIsNotFree:
    @pytest.fixture
    def locked(self, behind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        """Somebody who holds what the migration needs."""
        with another(behind) as other:
            if connection.vendor == 'postgresql':
                other.execute('LOCK TABLE django_migrations')
            else:
                monkeypatch.setitem(connection.settings_dict['OPTIONS'], 'timeout', 0.1)
                other.execute('BEGIN IMMEDIATE')
            yield other

    def test_is_waited_for_briefly_and_then_left_to_the_others(self, locked: Any) -> None:
        patience = Patience(lock_timeout=0.1, tries=1)
        started = time.monotonic()
        with pytest.raises(CommandError, match=r'lock of the database .* gave up after 1 tries'):
            release_database(patience, print)
        assert time.monotonic() - started < 10  # by default it is tried for twenty
        locked.rollback()
        assert not has_table()

    def test_is_tried_for_again(self, locked: Any) -> None:
        told: list[str] = []

        def tell(text: str) -> None:
            told.append(text)
            locked.rollback()

        assert release_database(IMPATIENT, tell) == 1
        assert told == ['a lock of the database was not free in time; try 1 of 2']
        assert has_table()


class TestTwoReleasesAtOnce:
    @pytest.fixture(autouse=True)
    def _postgresql(self) -> None:
        if connection.vendor != 'postgresql':
            pytest.skip('SQLite has one writer')

    def test_follow_one_another_however_long_the_first_takes(self, behind: str) -> None:
        with another(behind) as first:
            first.execute('SELECT pg_advisory_lock(%s)', (_LOCK,))
            first.commit()
            free = threading.Timer(0.4, lambda: first.execute('SELECT pg_advisory_unlock_all()'))
            started = time.monotonic()
            free.start()
            assert release_database(IMPATIENT, print) == 1
            assert time.monotonic() - started > 0.3
            free.join()

    def test_leave_nothing_behind(self, behind: str) -> None:
        release_database(IMPATIENT, print)
        with connection.cursor() as cursor:
            cursor.execute('SHOW lock_timeout')
            assert cursor.fetchone() == ('0',)
        wait_for(lambda: not _advisory_locks())  # the server ends the session by and by
        assert connection.settings_dict['OPTIONS']['pool']


def _advisory_locks() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory'")
        return cursor.fetchall()


def test_a_database_that_does_not_answer_is_one_clear_line(run_python: Any, tmp_path: Path) -> None:
    ran = run_python(
        'manage.py',
        'release',
        '--tries=2',
        '--pause=0',
        ENV='test',
        DATABASE_URL='postgres://nobody:hunter2@127.0.0.1:1/none',
    )
    assert ran.returncode == 1
    last = ran.stderr.strip().splitlines()[-1]
    assert last.startswith('CommandError: the database does not answer: ')
    assert last.endswith('gave up after 2 tries')
    assert 'hunter2' not in ran.stderr
    assert 'Traceback' not in ran.stderr


def test_a_mistake_of_a_migration_is_not_tried_again(
    behind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> Any:
        if connection.vendor == 'postgresql':
            raise OperationalError from psycopg.errors.DiskFull('no space left on device')
        raise OperationalError from sqlite3.OperationalError('database or disk is full')

    with monkeypatch.context() as patch:
        patch.setattr('backstay.operations.releasing.apply_missing', full)
        with pytest.raises(OperationalError):
            release_database(IMPATIENT, pytest.fail)


class TestSigterm:
    """As an orchestrator sends it, to the first process of a container too."""

    @staticmethod
    def start(url: str) -> 'subprocess.Popen[str]':
        return subprocess.Popen(
            [sys.executable, 'manage.py', 'release', '--no-static', '--pause=0.2'],
            env={**os.environ, 'ENV': 'test', 'DATABASE_URL': url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def test_ends_it_while_it_waits(self, behind: str) -> None:
        with another(behind) as other:
            if connection.vendor == 'postgresql':
                other.execute('SELECT pg_advisory_lock(%s)', (_LOCK,))
            else:
                other.execute('BEGIN IMMEDIATE')
            with self.start(behind) as process:
                time.sleep(4)
                assert process.poll() is None
                process.terminate()
                assert process.wait(8) == 128 + signal.SIGTERM
                assert process.stdout is not None
                assert 'Traceback' not in process.stdout.read()
            other.rollback()
        assert not has_table()

    def test_lets_a_migration_end_and_begins_no_other(
        self, behind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr('backstay.operations.releasing.ending', ending := Ending())
            with ending.migrating():
                ending()  # the signal, in the middle of a migration
            with pytest.raises(SystemExit) as ended:
                apply_missing()
        assert ended.value.code == 143
        assert not has_table()


@pytest.mark.parametrize('options', [{'tries': 0}, {'lock_timeout': 0}, {'pause': -1}])
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match='must be above 0'):
        release(**options)


class TestStaticFiles:
    @pytest.fixture(autouse=True)
    def assets(self, settings: Any, tmp_path: Path) -> Path:
        """A deployed site with three files instead of the hundreds of all apps."""
        folder = tmp_path / 'assets'
        (folder / 'more').mkdir(parents=True)
        for name in ('a.css', 'b.js', 'more/a.css'):
            (folder / name).write_text('/* */')
        get_finder.cache_clear()
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'env': 'staging'})
        settings.STATICFILES_FINDERS = ['django.contrib.staticfiles.finders.FileSystemFinder']
        settings.STATICFILES_DIRS = [('site', folder)]
        settings.STATIC_ROOT = tmp_path / 'static'
        settings.STORAGES = settings.STORAGES | {
            'staticfiles': {'BACKEND': 'whitenoise.storage.CompressedManifestStaticFilesStorage'}
        }
        return folder

    def test_are_collected_once(self, assets: Path) -> None:
        assert release().endswith('Static files: 3 collected.\n')
        assert release().endswith('Static files: collected already.\n')
        assert static_files.uncollected() == []

    def test_are_collected_again_when_one_changed_or_is_new(self, assets: Path) -> None:
        release()
        (assets / 'c.css').write_text('/* new */')
        assert static_files.uncollected() == ['site/c.css']
        assert release().endswith('Static files: 1 collected.\n')
        later = time.time() + 60
        os.utime(assets / 'a.css', (later, later))
        assert static_files.outdated() == ['site/a.css']
        assert static_files.uncollected() == []

    def test_can_be_left_alone(self) -> None:
        assert 'Static' not in release(no_static=True)
        assert len(static_files.uncollected()) == 3

    def test_of_a_manifest_that_lacks_one_keep_a_site_from_serving(
        self, settings: Any, assets: Path
    ) -> None:
        settings.STATIC_ROOT.mkdir()
        manifest = {'version': '1.1', 'paths': {'site/a.css': 'a.1.css'}}
        static_files.manifest_path().write_text(json.dumps(manifest))
        with pytest.raises(CommandError, match=r'lacks 2 static files.*site/.*release'):
            call_command('serve')
