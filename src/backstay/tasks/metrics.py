"""Figures of the tasks: what ran and how long, counted here; what waits, asked of the database."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import structlog
from django.db import Error
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client import Counter, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: By how a try ended: done, failed (it is tried again) or dead (it was the last).
TRIES = Counter('backstay_tasks', 'Tries of tasks that ended.', ('task', 'outcome'))
SECONDS = Histogram('backstay_task_duration_seconds', 'Time that a try of a task took.', ('task',))


class Queues(Collector):
    """What is in the queues, in one statement for each time that somebody asks."""

    def describe(self) -> list[Metric]:
        """The series without figures, so that registering them asks no database."""
        return [*_gauges()]

    def collect(self) -> Iterator[Metric]:
        """The figures of now; none while the database does not answer."""
        jobs, oldest = _gauges()
        try:
            rows = _waiting()
        except Error as error:
            _log.warning('the queues of tasks cannot be counted', error=str(error).strip())
            return
        now = timezone.now()
        for row in rows:
            jobs.add_metric([row['queue'], row['state']], row['count'])
            if row['since'] is not None:
                oldest.add_metric([row['queue']], max(0.0, (now - row['since']).total_seconds()))
        yield jobs
        yield oldest


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


def _waiting() -> Iterable[Mapping[str, Any]]:
    from backstay.tasks.models import OPEN, Job, JobState

    due = Q(state=JobState.QUEUED, due_at__lte=timezone.now())
    counted = Job.objects.order_by().filter(state__in=(*OPEN, JobState.DEAD))
    return list(
        counted.values('queue', 'state').annotate(
            count=Count('pk'), since=Min('due_at', filter=due)
        )
    )
