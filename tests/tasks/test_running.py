"""What one try of a job does, and what is recorded of it."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from django.utils import timezone
from prometheus_client import REGISTRY
from structlog.contextvars import bound_contextvars

from backstay.identity.models import Counter
from backstay.operations import logs
from backstay.tasks import current_caller
from backstay.tasks.claiming import claim, due, extend, release
from backstay.tasks.django_api import TaskResultStatus, task_finished
from backstay.tasks.metrics import Queues
from backstay.tasks.models import Job, JobState
from backstay.tasks.running import run
from backstay.testing.tasks import run_tasks
from tests.tasks.conftest import make_due, states
from tests.tasks.sample.tasks import (
    count_then_fail,
    fail,
    fail_once,
    give_a_set,
    leave,
    mark,
    slow_mark,
    who_am_i,
)

pytestmark = pytest.mark.django_db


def claim_one(worker: str = 'w', lease: float = 60) -> Job:
    """The next job that is due."""
    moment = timezone.now()
    (job,) = claim(due(at=moment), worker=worker, lease=lease, limit=1, at=moment)
    return job


class TestAFailure:
    def test_is_tried_again_later_and_later_and_is_then_a_dead_letter(self) -> None:
        fail.enqueue('no')
        pauses = []
        for _ in range(2):
            run(claim_one(), lease=60)
            job = Job.objects.get()
            assert job.state == JobState.QUEUED
            pauses.append((job.due_at - timezone.now()).total_seconds())
            make_due()
        run(claim_one(), lease=60)

        job = Job.objects.get()
        assert 7 < pauses[0] < 12.1
        assert 47 < pauses[1] < 72.1
        assert (job.state, job.attempts) == (JobState.DEAD, 3)
        assert job.exception == 'builtins.ValueError'
        assert job.traceback.endswith('ValueError: no\n')
        result = fail.get_result(str(job.pk))
        assert result.status == TaskResultStatus.FAILED
        assert result.errors[0].exception_class is ValueError

    def test_fails_the_test_that_runs_it(self) -> None:
        fail.enqueue('in a test')
        with pytest.raises(ValueError, match='in a test'):
            run_tasks()
        assert states() == [JobState.QUEUED]

    def test_leaves_what_the_task_wrote_before_it(self) -> None:
        count_then_fail.enqueue('k')
        assert run(claim_one(), lease=60)
        assert Counter.objects.filter(pk='k').exists()

    def test_of_the_first_try_may_end_well(self) -> None:
        call = fail_once.enqueue()
        with pytest.raises(ValueError, match='the first try'):
            run_tasks()
        assert run_tasks(at=timezone.now() + timedelta(seconds=13)) == 1
        call.refresh()
        assert (call.status, call.return_value, call.errors) == (
            TaskResultStatus.SUCCESSFUL,
            'try 2',
            [],
        )

    def test_may_be_the_end_of_a_script(self) -> None:
        leave.enqueue()
        assert isinstance(run(claim_one(), lease=60), SystemExit)
        assert states() == [JobState.DEAD]

    def test_may_be_a_result_that_is_not_json(self) -> None:
        give_a_set.enqueue()
        assert 'not JSON' in str(run(claim_one(), lease=60))
        assert states() == [JobState.DEAD]

    def test_is_kept_whatever_its_text(self) -> None:
        fail.enqueue('a\0b \ud800 ' + 'x' * 30_000)
        run(claim_one(), lease=60)
        assert len(Job.objects.get().traceback) <= 20_010

    def test_of_a_task_that_this_code_does_not_have_waits_for_code_that_has(self) -> None:
        Job.objects.create(task='tests.tasks.sample.tasks.nothing', queue='q', arguments='[[],{}]')
        assert isinstance(run(claim_one(), lease=60), ImportError)
        Job.objects.create(task='os.remove', queue='q', arguments='[[],{}]')
        assert 'os.remove is no task' in str(run(claim_one(), lease=60))
        assert states() == [JobState.QUEUED, JobState.QUEUED]


class TestALease:
    def test_keeps_others_away_until_it_ends(self) -> None:
        mark.enqueue('nowhere', 1)
        first = claim_one('a')
        assert not due(at=timezone.now()).exists()
        Job.objects.update(due_at=timezone.now())
        second = claim_one('b')

        assert (first.pk, first.attempts, second.attempts) == (second.pk, 1, 2)
        assert extend(second, 60)
        assert not extend(first, 60)

    def test_that_was_lost_lets_nobody_tell_how_it_ended(self) -> None:
        fail.enqueue('too late')
        first = claim_one('a')
        Job.objects.update(due_at=timezone.now())
        claim_one('b')
        run(first, lease=60)
        job = Job.objects.get()
        assert (job.state, job.worker, job.exception) == (JobState.RUNNING, 'b', '')

    def test_that_ended_after_the_last_try_makes_a_dead_letter(self) -> None:
        leave.enqueue()
        claim_one('a')
        Job.objects.update(due_at=timezone.now())
        run(claim_one('b'), lease=60)
        job = Job.objects.get()
        assert (job.state, job.exception) == (
            JobState.DEAD,
            'backstay.tasks.running.AbandonedError',
        )

    def test_that_is_given_back_does_not_count_as_a_try(self) -> None:
        mark.enqueue('nowhere', 1)
        claim_one('a')
        assert release('b') == 0
        assert release('a') == 1
        assert claim_one('b').attempts == 1

    @pytest.mark.django_db(transaction=True)
    def test_is_extended_while_the_task_runs(self, shared_database: str, tmp_path: Any) -> None:
        slow_mark.enqueue(str(tmp_path / 'marks'), 'a', 0.9)
        job = claim_one(lease=0.6)
        before = Job.objects.get().due_at
        run(job, lease=0.6)
        assert Job.objects.get().due_at > before + timedelta(seconds=0.3)
        assert states() == [JobState.DONE]


def test_a_task_acts_as_a_caller_of_its_own() -> None:
    call = who_am_i.enqueue()
    run_tasks()
    call.refresh()
    assert call.return_value == 'task tests.tasks.sample.tasks.who_am_i'
    with pytest.raises(LookupError, match='no task is running here'):
        current_caller()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What is logged from here on, as machines read it."""
    root, config = logging.getLogger(), structlog.get_config()
    before, level, stream = root.handlers[:], root.level, io.StringIO()
    monkeypatch.setattr(sys, 'stderr', stream)
    logs.configure({'as_json': True, 'level': 'INFO'})
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    structlog.configure(**config)


def test_every_line_of_a_task_has_the_id_of_the_request_that_enqueued_it(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    with bound_contextvars(request_id='request-0001'):
        who_am_i.enqueue()
        fail.enqueue('with a secret argument')
    run(claim_one(), lease=60)
    run(claim_one(), lease=60)

    said, done, failed = (line for line in lines() if line['logger'] != 'django.tasks')  # of 6.1
    assert (said['event'], done['logger']) == ('here I am', 'task.summary')
    for line in (said, done, failed):
        assert line['request_id'] == 'request-0001'
    assert (done['outcome'], done['attempt'], done['level']) == ('done', 1, 'info')
    assert (failed['outcome'], failed['task']) == ('failed', 'tests.tasks.sample.tasks.fail')
    assert 'ValueError' in failed['exception']
    assert failed['level'] == 'warning'


def test_django_is_told_when_a_call_has_ended_for_good() -> None:
    ended: list[Any] = []

    def hear(task_result: Any, **_: Any) -> None:
        ended.append((task_result.task.name, task_result.status))

    task_finished.connect(hear)
    try:
        fail.enqueue('not yet')
        leave.enqueue()
        who_am_i.enqueue()
        for _ in range(3):
            run(claim_one(), lease=60)
    finally:
        task_finished.disconnect(hear)
    assert ended == [
        ('leave', TaskResultStatus.FAILED),
        ('who_am_i', TaskResultStatus.SUCCESSFUL),
    ]


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_tries_are_counted_by_how_they_end() -> None:
    name = 'tests.tasks.sample.tasks.leave'
    before = figure('backstay_tasks_total', task=name, outcome='dead')
    leave.enqueue()
    run(claim_one(), lease=60)
    assert figure('backstay_tasks_total', task=name, outcome='dead') == before + 1
    assert figure('backstay_task_duration_seconds_count', task=name) >= 1


def test_the_queues_are_counted_in_one_statement(django_assert_num_queries: Any) -> None:
    mark.enqueue('nowhere', 1)
    mark.using(run_after=timedelta(hours=1)).enqueue('nowhere', 1)
    mark.using(queue_name='slow').enqueue('nowhere', 1)
    leave.enqueue()
    Job.objects.filter(task__endswith='leave').update(state=JobState.DEAD)
    Job.objects.filter(queue='slow').update(due_at=timezone.now() - timedelta(seconds=90))

    with django_assert_num_queries(1):
        jobs, oldest = Queues().collect()
    assert {tuple(each.labels.values()): each.value for each in jobs.samples} == {
        ('default', 'queued'): 2,
        ('default', 'dead'): 1,
        ('slow', 'queued'): 1,
    }
    ages = {each.labels['queue']: each.value for each in oldest.samples}
    assert 90 <= ages['slow'] < 100
    assert 0 <= ages['default'] < 10


def test_a_task_that_never_ends_the_queue_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('backstay.testing.tasks.MOST', 3)
    for _ in range(4):
        who_am_i.enqueue()
    with pytest.raises(RuntimeError, match='3 tasks ran, and more are due'):
        run_tasks()
