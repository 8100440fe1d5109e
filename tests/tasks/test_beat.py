"""`backstay beat`: the clock in a process of its own (T18)."""

import signal
import time

import pytest
from django.utils import timezone

from backstay.tasks.beat import Beat
from backstay.tasks.models import Job, JobState, PeriodicTask
from tests.tasks.conftest import StartWorker, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

TICKS = 'tests.tasks.sample.tasks.each_second'


def ticks() -> int:
    return Job.objects.filter(task=TICKS).count()


def test_it_enqueues_what_is_due_runs_nothing_and_ends_when_told(start: StartWorker) -> None:
    clock = start('manage.py', 'beat', '--health-port', '0')
    wait_for(lambda: ticks() >= 2)
    assert {*Job.objects.values_list('state', flat=True)} == {JobState.QUEUED}
    assert clock.stop() == 0
    assert 'Traceback' not in clock.log.read_text()


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once(start: StartWorker, number: int) -> None:
    clock = start('manage.py', 'beat')
    wait_for(lambda: 'beating' in clock.log.read_text())
    started = time.monotonic()
    assert clock.stop(number) == 0
    assert time.monotonic() - started < 10  # it waits for nothing


def test_a_worker_can_leave_the_clock_to_it(start_worker: StartWorker) -> None:
    worker = start_worker('--no-beat')
    wait_for(lambda: 'working' in worker.log.read_text())
    time.sleep(1)
    assert worker.stop() == 0
    assert not PeriodicTask.objects.exists()


def test_it_hands_over_what_is_due_where_others_run_it() -> None:
    handed: list[tuple[str, ...]] = []

    def hand_over(queues: tuple[str, ...]) -> int:
        handed.append(queues)
        clock.stop()
        return 1

    clock = Beat(hand_over=hand_over)
    clock.run()
    assert handed == [()]
    due = PeriodicTask.objects.filter(next_run_at__lt=timezone.now())
    assert not due.exists()
