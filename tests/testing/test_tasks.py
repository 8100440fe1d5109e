"""`run_tasks`: what a task does, or that it failed, in the test that called it (P53)."""

from pathlib import Path

import pytest

from backstay.tasks.models import Job, JobState
from backstay.testing import run_tasks
from tests.tasks.sample.tasks import fail, mark

pytestmark = pytest.mark.django_db


def test_a_task_that_raises_fails_the_test_with_its_own_failure() -> None:
    fail.enqueue('the reason')
    with pytest.raises(Exception, match='the reason') as caught:
        run_tasks()
    assert not isinstance(caught.value, AssertionError)
    assert Job.objects.get().exception.endswith(type(caught.value).__name__)


def test_tasks_that_end_well_are_counted(tmp_path: Path) -> None:
    for number in (1, 2):
        mark.enqueue(str(tmp_path / 'marks'), number)
    assert run_tasks() == 2
    assert {*Job.objects.values_list('state', flat=True)} == {JobState.DONE}
