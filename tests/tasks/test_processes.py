"""Workers in processes of their own: together, killed, and asked to stop.

Each run of the suite kills two workers, `make prove` 200.
"""

import signal
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections, transaction
from django.utils import timezone

from backstay.tasks import schedules
from backstay.tasks.models import Job, JobState, PeriodicTask
from backstay.tasks.periods import register_periods, tick
from tests.proofs import record_proof, size
from tests.tasks.conftest import StartWorker, states, wait_for
from tests.tasks.sample.tasks import each_second, fail, mark, slow_mark

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = size(2, 200)
TICKS = 'tests.tasks.sample.tasks.each_second'


def done(jobs: str) -> int:
    return Job.objects.filter(task__endswith=jobs, state=JobState.DONE).count()


def test_two_workers_run_each_job_once_and_each_tick_once(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    marks = tmp_path / 'marks'
    workers = [start_worker('--threads', '3') for _ in range(2)]
    wait_for(lambda: all('working' in worker.log.read_text() for worker in workers))
    with transaction.atomic():
        for number in range(200):
            slow_mark.enqueue(str(marks), str(number), 0.02)
    wait_for(lambda: done('.slow_mark') == 200)
    wait_for(lambda: done('.each_second') >= 3)

    assert [worker.stop() for worker in workers] == [0, 0]
    ended = [line for line in marks.read_text().splitlines() if line.startswith('end')]
    assert sorted(ended) == sorted(f'end {number}' for number in range(200))
    jobs = Job.objects.filter(task__endswith='.slow_mark')
    assert jobs.order_by().values('worker').distinct().count() == 2
    ticks = Job.objects.filter(task=TICKS).values_list('enqueued_at', flat=True)
    assert len({each.replace(microsecond=0) for each in ticks}) == len(ticks)


def test_what_a_killed_worker_ran_runs_again(
    start_worker: StartWorker, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    marks = tmp_path / 'marks'
    marks.touch()
    for number in range(3 * ROUNDS):
        slow_mark.enqueue(str(marks), str(number), 0.3)
    for _ in range(ROUNDS):
        begun = marks.read_text().count('begin')
        worker = start_worker('--threads', '2', '--lease', '1')
        wait_for(lambda begun=begun: marks.read_text().count('begin') > begun)
        assert worker.stop(signal.SIGKILL) == -signal.SIGKILL

    assert Job.objects.filter(state=JobState.RUNNING).exists()  # nobody said how they ended
    start_worker('--lease', '1')
    wait_for(lambda: done('.slow_mark') == 3 * ROUNDS, seconds=45 + 2 * ROUNDS)
    ended = Counter(line for line in marks.read_text().splitlines() if line.startswith('end'))
    assert ended.keys() == {f'end {number}' for number in range(3 * ROUNDS)}
    assert marks.read_text().count('begin') > 3 * ROUNDS  # some of them twice
    record_proof(request, f'{ROUNDS} kills of a worker, {3 * ROUNDS} jobs')


def test_a_worker_that_is_told_to_stop_ends_what_it_runs_and_begins_nothing(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    marks = tmp_path / 'marks'
    for text in ('a', 'b'):
        slow_mark.enqueue(str(marks), text, 1)
    worker = start_worker('--threads', '1')
    wait_for(marks.exists)

    assert worker.stop() == 0
    assert marks.read_text().splitlines() == ['begin a', 'end a']
    assert states()[:2] == [JobState.DONE, JobState.QUEUED]
    assert 'Traceback' not in worker.log.read_text()


def test_what_does_not_end_in_its_grace_is_given_back(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    marks = tmp_path / 'marks'
    slow_mark.enqueue(str(marks), 'a', 60)
    worker = start_worker('--grace', '0.2')
    wait_for(marks.exists)

    assert worker.stop() == 1
    job = Job.objects.get(task__endswith='.slow_mark')
    assert (job.attempts, job.due_at <= timezone.now()) == (0, True)


def test_drain_runs_what_is_due_and_ends(start_worker: StartWorker, tmp_path: Path) -> None:
    marks = tmp_path / 'marks'
    mark.enqueue(str(marks), 1)
    mark.using(queue_name='other').enqueue(str(marks), 2)
    fail.enqueue('once')
    worker = start_worker('--drain', '--queue', 'default')

    assert worker.wait() == 0
    assert marks.read_text().split() == ['1']
    assert states()[:3] == [JobState.DONE, JobState.QUEUED, JobState.QUEUED]


class TestPeriods:
    def test_of_many_workers_one_enqueues_a_tick(
        self, shared_database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Three workers may take longer than a second: the next tick must not come meanwhile.
        later = schedules.Daily((timezone.now() + timedelta(hours=12)).time())
        monkeypatch.setitem(schedules.registered, TICKS, (each_second, later))
        register_periods()
        for _ in range(5):
            PeriodicTask.objects.filter(pk=TICKS).update(next_run_at=timezone.now())
            Job.objects.all().delete()
            together = threading.Barrier(3, timeout=10)
            threads = [threading.Thread(target=_tick, args=(together,)) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert Job.objects.filter(task=TICKS).count() == 1

    def test_missed_ticks_are_one_call_and_the_next_is_in_the_future(self) -> None:
        register_periods()
        long_ago = timezone.now().replace(year=2020)
        PeriodicTask.objects.filter(pk=TICKS).update(next_run_at=long_ago)

        assert (tick(), tick()) == (1, 0)
        assert PeriodicTask.objects.get(pk=TICKS).next_run_at > timezone.now()

    def test_a_call_does_not_run_beside_the_one_before(self) -> None:
        register_periods()
        for _ in range(3):
            PeriodicTask.objects.filter(pk=TICKS).update(next_run_at=timezone.now())
            tick()
        assert {*Job.objects.values_list('key', flat=True)} == {'periodic'}

    def test_a_changed_schedule_counts_anew_and_the_same_one_goes_on(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        register_periods()
        first = PeriodicTask.objects.get(pk=TICKS)
        register_periods()
        assert PeriodicTask.objects.get(pk=TICKS).next_run_at == first.next_run_at

        daily = schedules.Daily(timezone.now().time().replace(microsecond=0))
        monkeypatch.setitem(schedules.registered, TICKS, (each_second, daily))
        register_periods()
        changed = PeriodicTask.objects.get(pk=TICKS)
        assert changed.schedule == str(daily)
        assert changed.next_run_at == daily.after(timezone.now())


def _tick(together: threading.Barrier) -> None:
    together.wait()
    tick()
    connections['default'].close()
