"""One try of a job, from its claim to the record of how it ended."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from time import perf_counter
from traceback import format_exception
from typing import Any

import structlog
from django.db import Error, close_old_connections
from django.db.models.functions import Now
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from backstay.tasks.arguments import dump
from backstay.tasks.claiming import extend, held
from backstay.tasks.declaration import BACKOFF, Task
from backstay.tasks.django_api import TaskContext, task_finished, task_started
from backstay.tasks.metrics import SECONDS, TRIES
from backstay.tasks.models import Job, JobState
from backstay.tasks.schedules import PERIODIC
from backstay.tasks.standing import acting

_summary: structlog.stdlib.BoundLogger = structlog.get_logger('task.summary')
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: Characters of a traceback that are kept: its end, which names the failure.
_LONGEST_TRACEBACK = 20_000


class AbandonedError(Exception):
    """The worker that ran the last try stopped before it could tell how it ended."""


def run(job: Job, *, lease: float) -> BaseException | None:
    """Run a claimed job and record its end; return its failure, or None if it is done."""
    job.started_at = timezone.now()
    names = {'request_id': job.request_id} if job.request_id else {}
    with (
        bound_contextvars(task=job.task, job=job.pk, **names),
        acting(job.task),
        beating(job, lease),
    ):
        started = perf_counter()
        task, returned, failure = None, '', None
        try:
            task = job.definition()
            returned = dump(_call(task, job))
        except (Exception, SystemExit) as error:  # noqa: BLE001 whatever it is, it is recorded
            failure = error
        seconds = perf_counter() - started
        if failure is None:
            job.state, job.returned, job.exception, job.traceback = JobState.DONE, returned, '', ''
            outcome = _record(job, finished_at=Now())
        else:
            outcome = _failed(job, failure, task.backoff if task else BACKOFF)
        _tell(job, task, outcome, seconds, failure)
    return failure


def _call(task: Task[..., Any], job: Job) -> Any:
    if job.attempts > task.tries:
        raise AbandonedError(AbandonedError.__doc__)
    args, kwargs = job.call()
    result = job.result()
    task_started.send(type(task.get_backend()), task_result=result)
    context = [TaskContext(task_result=result)] if task.takes_context else []
    return task.call(*context, *args, **kwargs)


def _failed(job: Job, failure: BaseException, backoff: tuple[float, ...]) -> str:
    """Queue a failed job for its next try, or make it a dead letter."""
    kind = type(failure)
    job.exception = f'{kind.__module__}.{kind.__qualname__}'[:200]
    traceback = ''.join(format_exception(failure))[-_LONGEST_TRACEBACK:].replace('\0', '\\0')
    # PostgreSQL stores no NUL, and no half of a character.
    job.traceback = traceback.encode('utf-8', 'backslashreplace').decode()
    if job.attempts > len(backoff):
        job.state = JobState.DEAD
        return _record(job, finished_at=Now())
    job.state = JobState.QUEUED
    pause = backoff[job.attempts - 1] * random.uniform(0.8, 1.2)  # noqa: S311 no secret
    return _record(job, due_at=Now() + timedelta(seconds=pause))


def _record(job: Job, **times: Any) -> str:
    """Store the end of a try; return the name of its outcome."""
    fields = ('state', 'returned', 'exception', 'traceback')
    if not held(job).update(**{name: getattr(job, name) for name in fields}, **times):
        return 'lost'  # its lease ended, and another worker runs it
    return 'failed' if job.state == JobState.QUEUED else str(job.state)


def _tell(
    job: Job,
    task: Task[..., Any] | None,
    outcome: str,
    seconds: float,
    failure: BaseException | None,
) -> None:
    """Log one line for each try, count it, and send Django's signal at the end of a job."""
    TRIES.labels(job.task, outcome).inc()
    SECONDS.labels(job.task).observe(seconds)
    is_tick = job.key == PERIODIC  # one that went well is no news
    levels = {
        'done': _summary.debug if is_tick else _summary.info,
        'dead': _summary.error,
    }
    levels.get(outcome, _summary.warning)(
        'task', outcome=outcome, attempt=job.attempts, t=round(seconds * 1000), exc_info=failure
    )
    if task is not None and outcome in ('done', 'dead'):
        job.finished_at = timezone.now()
        task_finished.send(type(task.get_backend()), task_result=job.result())


@contextmanager
def beating(job: Job, lease: float) -> Iterator[None]:
    """Extend the lease while the block runs, from a thread of its own."""
    ended = Event()
    thread = Thread(target=_beat, args=(job, lease, ended), daemon=True, name=f'lease-{job.pk}')
    thread.start()
    try:
        yield
    finally:
        ended.set()


def _beat(job: Job, lease: float, ended: Event) -> None:
    while not ended.wait(lease / 3):
        try:
            if not extend(job, lease):
                _log.warning('the lease of a task was lost', job=job.pk, task=job.task)
                return
        except Error as error:
            _log.warning('the lease of a task could not be extended', job=job.pk, exc_info=error)
        finally:
            close_old_connections()
