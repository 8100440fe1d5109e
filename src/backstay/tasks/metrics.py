"""Figures of the tasks: tries and their times, counted here; queues, read from the database."""

from collections.abc import Iterator

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


class Queues(Collector):
    """The figures of the queues, in one statement for each request of them."""

    def describe(self) -> list[Metric]:
        """Return the series without figures, so that registering them asks no database."""
        return [*_gauges()]

    def collect(self) -> Iterator[Metric]:
        """Yield the current figures; none while the database does not answer."""
        from backstay.tasks.models import OPEN, Job, JobState

        jobs, oldest = _gauges()
        now = timezone.now()
        due = Q(state=JobState.QUEUED, due_at__lte=now)
        counted = Job.objects.order_by().filter(state__in=(*OPEN, JobState.DEAD))
        try:
            rows = list(
                counted.values('queue', 'state').annotate(
                    count=Count('pk'), since=Min('due_at', filter=due)
                )
            )
        except Error as error:
            _log.warning('the queues of tasks cannot be counted', error=str(error).strip())
            return
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
