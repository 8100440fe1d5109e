"""A call of a task becomes a row, in the transaction of whoever calls."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.test import Client
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from backstay.tasks import ArgumentsError, periodic, task
from backstay.tasks.django_api import TaskResultDoesNotExist, TaskResultStatus, task_backends
from backstay.tasks.models import Job, JobState
from backstay.testing.tasks import run_tasks
from tests.tasks.conftest import states
from tests.tasks.sample.tasks import enqueue_another, fail, fail_once, later, mark

pytestmark = pytest.mark.django_db


def seen_by_another(url: str) -> int:
    """How many jobs another connection to this database sees."""
    table = Job._meta.db_table
    if url.startswith('sqlite'):
        with closing(sqlite3.connect(url.removeprefix('sqlite:///'))) as database:
            return int(database.execute(f'SELECT COUNT(*) FROM {table}').fetchone()[0])
    with psycopg.connect(url) as other:
        row = other.execute(f'SELECT COUNT(*) FROM {table}').fetchone()  # type: ignore[call-overload]
        return int(row[0])


class TestATransaction:
    def test_that_is_rolled_back_takes_its_calls_along(self) -> None:
        with transaction.atomic():
            mark.enqueue('nowhere', 1)
            assert states() == [JobState.QUEUED]
            transaction.set_rollback(True)

        assert states() == []

    def test_shows_its_calls_to_nobody_before_it_is_committed(self, shared_database: str) -> None:
        with transaction.atomic():
            mark.enqueue('nowhere', 1)
            before = seen_by_another(shared_database)
        assert (before, seen_by_another(shared_database)) == (0, 1)

    def test_pays_one_statement_for_a_call(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            mark.using(key='k', run_after=timedelta(hours=1)).enqueue('nowhere', 1)


class TestArguments:
    @pytest.mark.parametrize(
        'value',
        [
            Decimal(1),
            datetime(2026, 1, 1, tzinfo=UTC),
            b'bytes',
            {1: 'a key that is no text'},
            (1, 2),
            {1, 2},
            float('nan'),
            10**5000,
            mark,
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_that_are_not_json_are_refused_at_once(self, value: Any) -> None:
        with pytest.raises(ArgumentsError, match=r'sample.tasks.mark: its arguments are not JSON'):
            mark.enqueue('nowhere', value)
        assert states() == []

    def test_that_are_too_deep_are_refused(self) -> None:
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        with pytest.raises(ArgumentsError, match='not JSON'):
            mark.enqueue('nowhere', deep)

    def test_that_are_too_large_are_refused(self) -> None:
        mark.enqueue('nowhere', 'x' * 65_000)
        with pytest.raises(ArgumentsError, match='more than 65536; store them'):
            mark.enqueue('nowhere', 'x' * 65_536)
        assert len(states()) == 1

    def test_that_the_function_does_not_take_are_refused(self) -> None:
        with pytest.raises(ArgumentsError, match="missing a required argument: 'text'"):
            mark.enqueue('nowhere')  # type: ignore[call-arg]
        with pytest.raises(ArgumentsError, match='too many positional'):
            fail_once.enqueue('context is not an argument')  # type: ignore[call-arg]

    def test_are_looked_at_in_coroutines_too(self) -> None:
        with pytest.raises(ArgumentsError, match='missing a required argument'):
            async_to_sync(later.aenqueue)()
        async_to_sync(later.aenqueue)(1)
        assert states() == [JobState.QUEUED]

    @pytest.mark.parametrize('text', ['a\0b', '\ud800', '😀 é', '"\\'])
    def test_of_any_text_arrive_as_they_left(self, text: str) -> None:
        assert fail.get_result(fail.enqueue(text).id).args == [text]


def test_a_job_says_who_enqueued_it_and_for_which_request(tmp_path: Path) -> None:
    with bound_contextvars(request_id='request-0001'):
        enqueue_another.enqueue(str(tmp_path / 'marks'))
    run_tasks()

    first, second = Job.objects.order_by('pk')
    assert (first.request_id, first.enqueued_by) == ('request-0001', '')
    assert (second.request_id, second.enqueued_by) == ('request-0001', f'task:{first.task}')


def test_a_delayed_call_runs_when_it_is_due_and_not_before(tmp_path: Path) -> None:
    marks = tmp_path / 'marks'
    mark.using(run_after=timedelta(hours=1)).enqueue(str(marks), 1)
    mark.using(run_after=timezone.now() + timedelta(hours=3)).enqueue(str(marks), 2)

    assert run_tasks() == 0
    assert run_tasks(at=timezone.now() + timedelta(hours=2)) == 1
    assert marks.read_text().split() == ['1']


def test_a_higher_priority_goes_first_and_then_what_waits_longest(tmp_path: Path) -> None:
    marks = tmp_path / 'marks'
    for text, priority in ((1, 0), (2, -5), (3, 10), (4, 0)):
        mark.using(priority=priority).enqueue(str(marks), text)

    assert run_tasks() == 4
    assert marks.read_text().split() == ['3', '1', '4', '2']


def test_what_became_of_a_call_can_be_asked() -> None:
    call = later.enqueue(1)
    assert call.status == TaskResultStatus.READY
    run_tasks()

    call.refresh()
    assert (call.status, call.return_value, call.attempts) == (TaskResultStatus.SUCCESSFUL, 2, 1)
    assert call.enqueued_at
    assert call.started_at
    assert call.finished_at
    for unknown in ('0', 'x', '9' * 18):
        with pytest.raises(TaskResultDoesNotExist):
            task_backends['default'].get_result(unknown)


@pytest.mark.parametrize('key', ['x' * 201, 'a\0b', 'a\nb', '\ud800'])
def test_a_key_is_short_and_printable(key: str) -> None:
    with pytest.raises(ArgumentsError, match='up to 200 printable characters'):
        mark.using(key=key)


_WEST, _EAST = timezone.get_fixed_timezone(-720), timezone.get_fixed_timezone(720)


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('run_after', datetime.max.replace(tzinfo=_WEST)),
        ('run_after', datetime.max.replace(tzinfo=_EAST)),
        ('run_after', datetime.max.replace(tzinfo=UTC)),
        ('run_after', datetime.min.replace(tzinfo=_EAST)),
        ('run_after', datetime.min.replace(tzinfo=_WEST)),
        ('run_after', datetime(2200, 1, 1, tzinfo=UTC)),
        ('run_after', timedelta.max),
        ('run_after', timedelta.min),
        ('run_after', timedelta(days=40_000)),
        ('run_after', '2030-01-01'),
        ('run_after', date(2030, 1, 1)),
        ('run_after', 60),
        ('run_after', datetime(2030, 1, 1)),
        ('priority', '5'),
        ('priority', 1.0),
        ('priority', 1.5),
        ('priority', True),
        ('priority', 101),
        ('priority', float('nan')),
        ('queue_name', 5),
        ('queue_name', ''),
        ('queue_name', 'a\0b'),
        ('queue_name', '\ud800'),
        ('key', 5),
        ('key', b'a'),
        ('key', ['a']),
    ],
)
def test_a_call_that_would_break_a_page_is_refused_when_it_is_enqueued(
    name: str, value: Any, admin_client: Client
) -> None:
    with pytest.raises(Exception, match=name.removesuffix('_name')):
        mark.using(**{name: value}).enqueue('nowhere', 1)
    assert states() == []


@pytest.mark.parametrize('days', [-36_500, 36_500])
def test_the_farthest_moments_are_shown_by_the_page_of_jobs(
    days: int, admin_client: Client, settings: Any
) -> None:
    mark.using(run_after=timedelta(days=days)).enqueue('nowhere', 1)
    for zone in ('Etc/GMT+12', 'Pacific/Kiritimati'):
        settings.TIME_ZONE = zone
        for path in ('/admin/tasks/job/', f'/admin/tasks/job/{Job.objects.get().pk}/change/'):
            assert admin_client.get(path).status_code == 200


@pytest.mark.parametrize(
    'value', ['1', 1.5, None, True, [1]], ids=lambda value: type(value).__name__
)
def test_an_argument_of_another_type_than_the_function_says_is_refused(value: Any) -> None:
    with pytest.raises(ArgumentsError, match='needed is of type int, not'):
        task(with_argument).enqueue(value)
    assert states() == []


def with_argument(needed: int) -> None:
    """A function that nobody calls."""


def test_mistakes_of_a_declaration_are_told_when_it_is_read() -> None:
    with pytest.raises(ValueError, match='its backoff are seconds'):
        task(backoff=(-1,))(with_argument)
    with pytest.raises(ValueError, match='a shorter name'):
        task(queue_name='q' * 33)(with_argument)
    with pytest.raises(TypeError, match='called without arguments'):
        periodic(every=timedelta(minutes=1))(task(with_argument))
    for wrong in ({}, {'every': timedelta(minutes=1), 'daily': '03:30'}):
        with pytest.raises(TypeError, match='either every'):
            periodic(**wrong)
    with pytest.raises(ValueError, match='a second is the least'):
        periodic(every=timedelta(0))
    with pytest.raises(ValueError, match='25:00'):
        periodic(daily='25:00')
