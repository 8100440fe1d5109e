"""What the tasks do for themselves."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backstay.tasks.models import Job, JobState
from backstay.tasks.upkeep import forget_finished_jobs


@pytest.mark.django_db
def test_what_was_done_a_day_ago_is_forgotten_and_dead_letters_are_not() -> None:
    now = timezone.now()
    for state in (JobState.DONE, JobState.MERGED, JobState.DEAD):
        for hours in (23, 25):
            Job.objects.create(
                task='t', queue='q', state=state, finished_at=now - timedelta(hours=hours)
            )
    Job.objects.create(task='t', queue='q')

    assert forget_finished_jobs.call() == 2
    assert sorted(Job.objects.values_list('state', flat=True)) == [
        'dead',
        'dead',
        'done',
        'merged',
        'queued',
    ]
