"""The same promises with Celery and a real Redis."""

import os
import secrets
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import transaction
from django.db.models.functions import Now
from django.test import override_settings
from django.utils import timezone

from backstay.settings import SettingsError, django_settings, load
from backstay.tasks.models import Job, JobState
from tests.tasks.conftest import StartWorker, make_due, states, wait_for
from tests.tasks.sample.tasks import fail, mark

REDIS = os.environ.get('TEST_REDIS_URL', 'redis://127.0.0.1:6379/9')
CELERY = {'default': {'BACKEND': 'backstay.tasks.celery.CeleryBackend', 'QUEUES': []}}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A queue of this test alone, in a Redis that answers; tasks go to Celery."""
    server = redis.Redis.from_url(REDIS, socket_connect_timeout=1)
    try:
        server.ping()
    except redis.RedisError as error:
        pytest.skip(f'no Redis answers at {REDIS}: {error}')
    name = f'test-{secrets.token_hex(6)}'
    from backstay.tasks import celery_app

    monkeypatch.setattr(celery_app.app.conf, 'broker_url', REDIS)
    with override_settings(TASKS=CELERY):
        yield name
    server.delete(name, 'default')  # ticks of periodic tasks go to the latter
    server.close()


@pytest.fixture
def start_celery(start: StartWorker) -> StartWorker:
    """Starts a worker of Celery, and the one of ours that hands over."""

    def launch(queue: str) -> list[Any]:
        variables = {'REDIS_URL': REDIS, 'BACKSTAY_TASKS': 'celery'}
        options = ('-c', '2', '-l', 'warning', '-Q', queue, '--without-gossip', '--without-mingle')
        return [
            start(
                '-m', 'celery', '-A', 'backstay.tasks.celery_app', 'worker', *options, **variables
            ),
            start('manage.py', 'work', '--queue', queue, **variables),
        ]

    return launch


def test_jobs_run_once_on_celery_and_come_again_when_they_fail_or_were_lost(
    queue: str, start_celery: StartWorker, tmp_path: Path
) -> None:
    marks = tmp_path / 'marks'
    for number in range(20):
        mark.using(queue_name=queue).enqueue(str(marks), number)
    with transaction.atomic():
        mark.using(queue_name=queue).enqueue(str(marks), 'rolled back')
        transaction.set_rollback(True)
    assert {*states()} == {JobState.HANDED_OVER}
    lost = mark.using(queue_name=queue).enqueue(str(marks), 'lost')
    Job.objects.filter(pk=lost.id).update(due_at=Now())  # presumed handed over, for too long
    twice = mark.using(queue_name=queue, key='k')
    for _ in range(2):
        twice.enqueue(str(marks), 'key')
    failing = fail.using(queue_name=queue).enqueue('no')

    celery, worker = start_celery(queue)
    ended = Job.objects.filter(queue=queue, state__in=(JobState.DONE, JobState.MERGED))
    wait_for(lambda: ended.count() == 23)
    for attempts in (1, 2):
        wait_for(lambda attempts=attempts: Job.objects.get(pk=failing.id).attempts == attempts)
        wait_for(lambda: Job.objects.get(pk=failing.id).state == JobState.QUEUED)
        make_due()
    wait_for(lambda: Job.objects.get(pk=failing.id).state == JobState.DEAD)

    assert (worker.stop(), celery.stop()) == (0, 0)
    expected = Counter([*map(str, range(20)), 'lost', 'key'])
    assert Counter(marks.read_text().splitlines()) in (expected, expected + Counter(['key']))


def test_celery_needs_a_broker(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match='BACKSTAY_TASKS: celery needs REDIS_URL, its broker'):
        load(tmp_path, {'ENV': 'test', 'BACKSTAY_TASKS': 'celery'})
    environment = load(tmp_path, {'ENV': 'test', 'BACKSTAY_TASKS': 'celery', 'REDIS_URL': REDIS})
    made = django_settings(environment, base_dir=tmp_path, services={})
    assert made['TASKS'] == CELERY


NOBODY = {'REDIS_URL': 'redis://127.0.0.1:1/0', 'BACKSTAY_TASKS': 'celery'}
ENQUEUE = """
import django
django.setup()
from tests.tasks.sample.tasks import mark
mark.enqueue('nowhere', 1)
"""


def test_a_call_waits_when_celery_cannot_be_reached(start: StartWorker) -> None:
    caller = start('-c', ENQUEUE, **NOBODY)
    assert caller.wait() == 0, caller.log.read_text()
    assert waiting_seconds() < 6

    Job.objects.update(due_at=Now())
    worker = start('manage.py', 'work', '--drain', **NOBODY)
    assert worker.wait() == 0, worker.log.read_text()
    assert 0 < waiting_seconds() < 6
    for each in (caller, worker):
        assert 'Celery cannot be reached' in each.log.read_text()


def waiting_seconds() -> float:
    """In how many seconds the only job of a test is handed over."""
    job = Job.objects.get(task__endswith='.mark')
    assert job.state == JobState.HANDED_OVER
    return (job.due_at - timezone.now()).total_seconds()
