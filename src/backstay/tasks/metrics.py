"""Figures of the tasks: tries and their times, counted here; queues, read from the database."""

from collections.abc import Iterator
from threading import Lock
from time import monotonic

import structlog
from django.db import Error
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client import Counter, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: By the outcome of the try: done, failed (it is tried again) or dead (it was the last).
TRIES = Counter('backstay_tasks', 'Tries of tasks that ended.', ('task', 'outcome'))
SECONDS = Histogram('backstay_task_duration_seconds', 'Time that a try of a task took.', ('task',))
#: By the table, such as `sessions.session`.
FORGOTTEN = Counter('backstay_forgotten_rows', 'Rows deleted because they are over.', ('table',))


class Queues(Collector):
    """The figures of the queues, counted for requests of them.

    Counting takes longer the more jobs wait, so its result is kept for a hundred times as long.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._counted: tuple[Metric, ...] = ()
        self._until = 0.0

    def describe(self) -> list[Metric]:
        """Return the series without figures, so that registering them asks no database."""
        return [*_gauges()]

    def collect(self) -> Iterator[Metric]:
        """Yield the current figures; none while the database does not answer."""
        with self._lock:
            if monotonic() >= self._until:
                began = monotonic()
                try:
                    self._counted = _count()
                except Error as error:
                    _log.warning('the queues of tasks cannot be counted', error=str(error).strip())
                    return
                ended = monotonic()
                self._until = ended + 100 * (ended - began)
            yield from self._counted


def _count() -> tuple[Metric, ...]:
    from backstay.tasks.models import HAS_ENDED, IS_OPEN, Job, JobState

    jobs, oldest = _gauges()
    now = timezone.now()
    due = Q(state=JobState.QUEUED, due_at__lte=now)
    # Each set by the condition of its indexes: what was done in the last day is not read.
    is_open, is_dead = (
        Job.objects.order_by()
        .filter(each)
        .values('queue', 'state')
        .annotate(count=Count('pk'), since=Min('due_at', filter=due))
        for each in (Q(IS_OPEN), Q(HAS_ENDED, state=JobState.DEAD))
    )
    for row in is_open.union(is_dead, all=True):
        jobs.add_metric([row['queue'], row['state']], row['count'])
        if row['since'] is not None:
            oldest.add_metric([row['queue']], max(0.0, (now - row['since']).total_seconds()))
    return jobs, oldest


def _gauges() -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
    return (
        GaugeMetricFamily(
            'backstay_task_jobs',
            'Calls of tasks that wait, run, or are dead letters.',
            labels=('queue', 'state'),
        ),
        GaugeMetricFamily(
            'backstay_task_oldest_seconds',
            'How long the call that is due for longest has been waiting.',
            labels=('queue',),
        ),
    )
