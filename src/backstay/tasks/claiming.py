"""Claims: a worker takes jobs, holds a lease on them, and gives them back.

A claim is one short transaction. On PostgreSQL it skips rows that others hold; on SQLite it is the
only writer. All times of leases are the database's, so that clocks of machines may differ.

Jobs of one task with one key run one after the other, and a claim of one stands for all that wait:
enqueueing needs no unique index then, which would make every transaction that enqueues the same key
wait for the one before it, and would drop a call whose job is just being run.
"""

import os
import socket
from collections.abc import Iterable
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from backstay.engine import engine_of
from backstay.tasks.models import HAS_KEY, IS_OPEN, Job, JobState

#: A value to compare with a time: a moment, or the database's clock.
Moment = datetime | Now

#: Seconds after which the jobs of a worker that died run again.
LEASE = 60.0


def worker_name() -> str:
    """Return a unique name for a worker, with its machine and process, for the rows it holds."""
    return f'{socket.gethostname()[:40]}:{os.getpid()}:{token_hex(4)}'


def due(queues: Iterable[str] = (), at: Moment | None = None) -> QuerySet[Job]:
    """Return the jobs that may run now, or at a moment, by priority and then by waiting time."""
    now = at or Now()
    found = Job.objects.filter(IS_OPEN, due_at__lte=now).filter(_key_is_free(now))
    if queues:
        found = found.filter(queue__in=queues)
    return found.order_by('-priority', 'due_at', 'pk')


def claim(
    candidates: QuerySet[Job], *, worker: str, lease: float, limit: int, at: Moment | None = None
) -> list[Job]:
    """Take up to `limit` of the candidates, for `lease` seconds; each try is counted here."""
    with transaction.atomic():
        found = list(candidates.select_for_update(skip_locked=True)[:limit])
        taken = _one_of_each_key(found, at or Now())
        for job in taken:
            if job.key:
                _merge_waiting(job)
        _mark(taken, worker, lease)
    return taken


def _key_is_free(now: Moment) -> Any:
    """Whether no job of the same task and key runs, or waits to be tried again."""
    same = Job.objects.filter(IS_OPEN, HAS_KEY, task=OuterRef('task'), key=OuterRef('key'))
    others = same.exclude(pk=OuterRef('pk')).filter(due_at__gt=now)
    return Q(key='') | ~Exists(others.filter(Q(state=JobState.RUNNING) | Q(attempts__gt=0)))


def _one_of_each_key(found: list[Job], now: Moment) -> list[Job]:
    """Return the first job of each key, without keys that others claim until they commit."""
    first = {(job.task, job.key): job for job in reversed(found) if job.key}
    if not first:
        return found
    names = [f'{task}\n{key}' for task, key in first]
    locked = engine_of(connection).lock_names(connection, names)
    mine = [job.pk for job, is_mine in zip(first.values(), locked, strict=True) if is_mine]
    free = Job.objects.filter(pk__in=mine).filter(_key_is_free(now))
    free_keys = set(free.values_list('pk', flat=True))
    return [job for job in found if not job.key or job.pk in free_keys]


def _merge_waiting(job: Job) -> None:
    """Let this job do the work of all that wait with its key, and count their tries for it."""
    same = Job.objects.filter(IS_OPEN, HAS_KEY, task=job.task, key=job.key).exclude(pk=job.pk)
    waiting = same.exclude(state=JobState.RUNNING).select_for_update(skip_locked=True)
    attempts = dict(waiting.values_list('pk', 'attempts'))
    if attempts:
        Job.objects.filter(pk__in=[*attempts]).update(
            state=JobState.MERGED, merged_into=job.pk, finished_at=Now()
        )
        job.attempts = max(job.attempts, *attempts.values())


def _mark(jobs: list[Job], worker: str, lease: float) -> None:
    running: dict[str, Any] = {
        'state': JobState.RUNNING,
        'worker': worker,
        'started_at': Now(),
        'due_at': Now() + timedelta(seconds=lease),
    }
    for attempts in {job.attempts for job in jobs}:
        same = [job for job in jobs if job.attempts == attempts]
        Job.objects.filter(pk__in=[job.pk for job in same]).update(attempts=attempts + 1, **running)
        for job in same:
            job.attempts, job.worker, job.state = attempts + 1, worker, JobState.RUNNING


def held(job: Job) -> QuerySet[Job]:
    """Return the job, unless its lease ended and another worker took it."""
    return Job.objects.filter(
        pk=job.pk, worker=job.worker, attempts=job.attempts, state=JobState.RUNNING
    )


def extend(job: Job, lease: float) -> bool:
    """Hold the job for `lease` seconds from now; return False if it is no longer held."""
    return bool(held(job).update(due_at=Now() + timedelta(seconds=lease)))


def release(worker: str) -> int:
    """Give back the jobs that a worker runs, as if not tried; return their number."""
    return Job.objects.filter(worker=worker, state=JobState.RUNNING).update(
        due_at=Now(), attempts=F('attempts') - 1
    )
