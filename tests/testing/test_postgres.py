"""Finding a PostgreSQL for tests, or starting one."""

import time
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from backstay.testing.postgres import NoPostgres, find_or_start

NOWHERE = 'postgres://nobody:hunter2@127.0.0.1:1/none'

START_AND_TELL = """
import psycopg
from backstay.testing.postgres import _start_from_wheel

url = _start_from_wheel()
with psycopg.connect(url, autocommit=True) as connection:
    connection.execute('CREATE DATABASE made_by_a_test')
    print(url)
    print(connection.info.parameter_status('server_version'))
    print(connection.execute("SELECT current_setting('data_directory')").fetchone()[0])
"""


class TestNamedServer:
    def test_that_cannot_be_reached_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv('TEST_DATABASE_URL', NOWHERE)

        with pytest.raises(NoPostgres, match='TEST_DATABASE_URL') as caught:
            find_or_start()

        assert 'hunter2' not in str(caught.value)

    def test_that_cannot_be_reached_ends_the_run_without_another(
        self, run_python: Any, tmp_path: Path
    ) -> None:
        (tmp_path / 'test_it.py').write_text('def test_it(): pass\n')

        ran = run_python(
            '-m', 'backstay.testing', 'test_it.py', cwd=tmp_path, TEST_DATABASE_URL=NOWHERE
        )

        assert ran.returncode == 2
        assert 'TEST_DATABASE_URL' in ran.stderr
        assert 'passed' not in ran.stdout
        assert 'hunter2' not in ran.stdout + ran.stderr


def test_a_server_is_found_or_started(run_python: Any) -> None:
    code = (
        'import psycopg; from backstay.testing.postgres import find_or_start; '
        'psycopg.connect(find_or_start()).close()'
    )

    ran = run_python('-c', code, TEST_DATABASE_URL=None)

    assert ran.returncode == 0, ran.stderr


def test_a_server_from_the_wheel_starts_and_stops_with_its_process(run_python: Any) -> None:
    ran = run_python('-c', START_AND_TELL)

    assert ran.returncode == 0, ran.stderr
    url, version, folder = ran.stdout.split('\n')[:3]
    assert int(version.partition('.')[0]) >= 14
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
    assert not Path(folder).exists()
    assert _servers_of(folder) == []


def _servers_of(folder: str) -> list[int]:
    """The processes that still serve the folder, after a second in which to end."""
    deadline = time.monotonic() + 1
    while True:
        running = psutil.process_iter(['pid', 'cmdline'])
        found = [each.info['pid'] for each in running if folder in (each.info['cmdline'] or [])]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)
