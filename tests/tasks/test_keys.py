"""Calls of one task with one key: run as one, and never side by side."""

import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from backstay.tasks.claiming import claim, due
from backstay.tasks.django_api import TaskResultStatus
from backstay.tasks.models import Job, JobState
from backstay.tasks.running import run
from backstay.testing.tasks import run_tasks
from tests.measuring import analyze, work_of
from tests.tasks.conftest import make_due, states
from tests.tasks.sample.tasks import fail, mark, who_am_i

pytestmark = pytest.mark.django_db


def claimed(worker: str = 'w', limit: int = 10) -> list[Job]:
    moment = timezone.now()
    return claim(due(at=moment), worker=worker, lease=60, limit=limit, at=moment)


def test_calls_that_wait_with_one_key_run_once(tmp_path: Path) -> None:
    marks = tmp_path / 'marks'
    calls = [mark.using(key='a').enqueue(str(marks), 'a') for _ in range(5)]
    mark.using(key='a', run_after=timedelta(hours=1)).enqueue(str(marks), 'a')
    mark.using(key='b').enqueue(str(marks), 'b')
    mark.enqueue(str(marks), 'none')
    mark.enqueue(str(marks), 'none')

    assert run_tasks() == 4
    assert Counter(marks.read_text().split()) == {'a': 1, 'b': 1, 'none': 2}
    assert Counter(states()) == {JobState.DONE: 4, JobState.MERGED: 5}
    calls[4].refresh()
    assert calls[4].status == TaskResultStatus.SUCCESSFUL


def test_another_task_may_have_the_same_key() -> None:
    mark.using(key='a').enqueue('nowhere', 1)
    who_am_i.using(key='a').enqueue()
    assert len(claimed()) == 2


def test_a_call_that_comes_while_another_runs_runs_after_it(tmp_path: Path) -> None:
    marks = tmp_path / 'marks'
    mark.using(key='a').enqueue(str(marks), 1)
    (first,) = claimed()
    mark.using(key='a').enqueue(str(marks), 2)

    assert claimed('another') == []
    run(first, lease=60)
    assert [job.call()[0][1] for job in claimed('another')] == [2]


def test_a_job_that_is_claimed_by_its_number_waits_for_its_key_too() -> None:
    mark.using(key='a').enqueue('nowhere', 1)
    claimed()
    second = Job.objects.filter(pk=mark.using(key='a').enqueue('nowhere', 2).id)
    assert claim(second, worker='another', lease=60, limit=1) == []
    Job.objects.filter(state=JobState.RUNNING).update(state=JobState.DONE)
    assert len(claim(second, worker='another', lease=60, limit=1)) == 1


def test_a_key_whose_worker_died_is_free_after_the_lease() -> None:
    mark.using(key='a').enqueue('nowhere', 1)
    claimed()
    mark.using(key='a').enqueue('nowhere', 2)
    Job.objects.update(due_at=timezone.now())
    assert len(claimed('another')) == 1  # one of the two, and not both at once
    assert Counter(states()) in (
        {JobState.RUNNING: 2},  # the one that nobody runs any more waits for its turn
        {JobState.RUNNING: 1, JobState.MERGED: 1},
    )


def test_a_failed_call_holds_later_ones_of_its_key_back_and_its_tries_count() -> None:
    fail.using(key='a').enqueue('first')
    (job,) = claimed()
    run(job, lease=60)
    fail.using(key='a', priority=1).enqueue('second')

    assert claimed() == []
    make_due()
    (job,) = claimed()
    assert job.attempts == 2
    run(job, lease=60)
    fail.using(key='a', priority=2).enqueue('third')
    make_due()
    (job,) = claimed()
    run(job, lease=60)
    assert Counter(states()) == {JobState.DEAD: 1, JobState.MERGED: 2}


def test_waiting_calls_of_a_busy_key_do_not_stand_in_the_way() -> None:
    mark.using(key='a').enqueue('nowhere', 0)
    claimed()
    for number in range(20):
        mark.using(key='a', priority=50).enqueue('nowhere', number)
    mark.enqueue('nowhere', 'other')
    assert [job.call()[0][1] for job in claimed('another', limit=1)] == ['other']


def test_what_a_claim_costs_does_not_grow_with_the_jobs_and_keys_that_wait() -> None:
    def cost_of_a_claim() -> int:
        analyze()
        with work_of(Job) as work:
            assert len(claimed(limit=4)) == 4
        return work.amount

    def wait(count: int) -> None:
        Job.objects.bulk_create(
            Job(task='t', queue='default', key=f'k{number}', arguments='[[],{}]')
            for number in range(count)
        )

    wait(100)
    of_few = cost_of_a_claim()
    wait(10_000)
    assert cost_of_a_claim() <= 3 * of_few + 100


@pytest.mark.django_db(transaction=True)
def test_many_transactions_enqueue_one_key_without_waiting_for_each_other(
    shared_database: str,
) -> None:
    if connection.vendor != 'postgresql':
        pytest.skip('SQLite has one writer at a time, key or not')
    inside, ended = threading.Barrier(3, timeout=10), []

    def enqueue() -> None:
        with transaction.atomic():
            mark.using(key='a').enqueue('nowhere', 1)
            inside.wait()  # all three are between their call and their commit
        ended.append(True)
        connections['default'].close()

    in_threads([enqueue] * 3)
    assert len(ended) == 3
    assert len(claimed()) == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_that_claim_at_once_one_gets_the_key(shared_database: str) -> None:
    if connection.vendor != 'postgresql':
        pytest.skip('SQLite has one writer at a time')
    for _ in range(15):
        for _ in range(8):
            mark.using(key='a').enqueue('nowhere', 1)
        taken: list[Job] = []
        together = threading.Barrier(3, timeout=10)

        def claim_some(taken: list[Job] = taken, together: Any = together) -> None:
            together.wait()
            taken += claimed(f'w{threading.get_ident()}', limit=2)
            connections['default'].close()

        in_threads([claim_some] * 3)
        running = Job.objects.filter(state=JobState.RUNNING).count()
        assert running == len(taken) <= 1
        assert running or claimed()  # somebody gets it in the end
        Job.objects.all().delete()


def in_threads(functions: list[Any]) -> None:
    """Run them side by side to their end."""
    threads = [threading.Thread(target=each) for each in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.skipif(connection.vendor != 'sqlite', reason='PostgreSQL plans by bound values')
def test_a_claim_reads_the_queue_in_the_order_of_an_index() -> None:
    """However many jobs wait: none is sorted, and each key is looked up."""
    sql, params = due()[:4].query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f'EXPLAIN QUERY PLAN {sql}', params)
        plan = ' '.join(str(row[-1]) for row in cursor.fetchall())

    assert 'INDEX tasks_job_next' in plan
    assert 'INDEX tasks_job_key (task=? AND key=?)' in plan
    assert 'TEMP B-TREE' not in plan
