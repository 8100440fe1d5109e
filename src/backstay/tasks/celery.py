"""The back end for what one machine cannot do: Celery runs the jobs, our table stays their truth.

A call is a row in the transaction of the caller, as with the database back end. Once it is
committed Celery gets its number and nothing else. A worker of Celery claims the row by that number,
so that a message may come twice, and records how it ended. `backstay work` hands over what is due
later: calls with a delay, next tries, periodic ones, and what never reached Celery.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from backstay.tasks.backend import DatabaseBackend

if TYPE_CHECKING:
    from backstay.tasks.models import Job

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: How long a committed call counts as handed over, although nobody has noted that it was.
PRESUMED = timedelta(minutes=1)
#: After so long a job that no worker of Celery has begun is handed over again.
AGAIN = timedelta(minutes=10)
#: After so long it is tried again to reach a broker that was away.
SOON = timedelta(seconds=5)
#: Jobs that are handed over in one go.
_BATCH = 100


class CeleryBackend(DatabaseBackend):
    """Tasks wait in a table, and workers of Celery run them."""

    def store(self, job: 'Job') -> None:
        """Save a new job, and tell Celery about it once it is committed."""
        from backstay.tasks.models import JobState

        now = timezone.now()
        is_due = job.due_at <= now
        if is_due:
            job.state, job.due_at = JobState.HANDED_OVER, now + PRESUMED
        job.save(force_insert=True)
        if is_due:
            transaction.on_commit(partial(_hand_over, [job]), robust=True)


def hand_over_due(queues: Iterable[str]) -> int:
    """Tell Celery about due jobs; return their number."""
    from backstay.tasks.claiming import due
    from backstay.tasks.models import Job, JobState

    if not due(queues).exists():  # a look takes no lock
        return 0
    with transaction.atomic():
        jobs = list(due(queues).select_for_update(skip_locked=True)[:_BATCH])
        Job.objects.filter(pk__in=[job.pk for job in jobs]).update(
            state=JobState.HANDED_OVER, due_at=Now() + AGAIN
        )
    return _hand_over(jobs)


def _hand_over(jobs: Sequence['Job']) -> int:
    from kombu.exceptions import OperationalError

    from backstay.tasks.celery_app import run_job
    from backstay.tasks.models import Job, JobState

    try:
        for job in jobs:
            run_job.apply_async([job.pk], queue=job.queue, retry=False)
    except OperationalError as error:
        _log.warning('Celery cannot be reached; its jobs wait', jobs=len(jobs), exc_info=error)
        waiting = Job.objects.filter(pk__in=[job.pk for job in jobs], state=JobState.HANDED_OVER)
        waiting.update(due_at=Now() + SOON)
        return 0
    return len(jobs)
