"""A database that other processes see too, and workers on it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models.functions import Now

from backstay.tasks.models import Job

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Process:
    """A worker in a process of its own."""

    process: subprocess.Popen[str]
    log: Path

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal it; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=45)

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        return self.process.wait(timeout=45)


StartWorker = Callable[..., Process]


@pytest.fixture
def shared_database(transactional_db: None, tmp_path: Path) -> Iterator[str]:
    """The URL of the database of this test, in which other processes can work.

    PostgreSQL's is the usual one. SQLite's lives in the memory of this process: a copy in a file
    takes its place until the test ends.
    """
    if connection.vendor == 'postgresql':
        given = connection.settings_dict
        who = f'{given["USER"]}:{given["PASSWORD"]}'.rstrip(':')
        host = (given['HOST'] or 'localhost').replace('/', '%2F')
        yield f'postgres://{who}@{host}:{given["PORT"] or 5432}/{given["NAME"]}'
        return
    path = tmp_path / 'shared.sqlite3'
    with connection.cursor() as cursor:
        cursor.execute('VACUUM INTO %s', [str(path)])
    usual, settings = connections['default'], connections.settings['default']
    connections.settings['default'] = {**settings, 'NAME': str(path)}  # of other threads too
    connections['default'] = connections.create_connection('default')
    yield f'sqlite:///{path}'
    connections['default'].close()
    connections.settings['default'], connections['default'] = settings, usual


@pytest.fixture
def start(shared_database: str, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts a command on the shared database; all are gone when the test ends."""
    started: list[Process] = []

    def launch(*command: str, **variables: str) -> Process:
        log = tmp_path / f'log-{len(started)}.txt'
        environment = os.environ | {
            'DATABASE_URL': shared_database,
            'DJANGO_SETTINGS_MODULE': 'tests.tasks.sample.settings',
            'PYTHONUNBUFFERED': '1',
            **variables,
        }
        with log.open('w') as output:
            process = subprocess.Popen(  # noqa: S603 our own interpreter and arguments
                [sys.executable, *command],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        started.append(Process(process, log))
        return started[-1]

    yield launch
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


@pytest.fixture
def start_worker(start: StartWorker) -> StartWorker:
    """Starts `backstay work` on the shared database, without the checks of the site.

    They are a fifth of what a start costs, and `test_celery` starts workers with them.
    """
    return lambda *options, **variables: start(
        'manage.py', 'work', '--skip-checks', *options, **variables
    )


def wait_for(condition: Callable[[], Any], seconds: float = 45) -> Any:
    """What the condition gives once it is true."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, 'it did not come true'
        time.sleep(0.02)
    return value


def states() -> list[str]:
    """The states of all jobs, in the order in which they were enqueued."""
    return [*Job.objects.order_by('pk').values_list('state', flat=True)]


def make_due() -> None:
    """Let what waits be due now."""
    Job.objects.filter(state='queued').update(due_at=Now())
