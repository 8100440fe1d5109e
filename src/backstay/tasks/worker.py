"""The worker: claims jobs and runs them in threads, and keeps the clock of the periodic tasks.

One loop for each process. On SIGTERM and Ctrl-C it lets its jobs end, for as long as its grace;
jobs that have not ended then are given back, and another worker starts them anew.
"""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.db import Error, close_old_connections, connections

from backstay.tasks.celery import hand_over_due
from backstay.tasks.claiming import LEASE, claim, due, release, worker_name
from backstay.tasks.models import Job
from backstay.tasks.periods import register_periods, tick
from backstay.tasks.running import run

_log: structlog.stdlib.BoundLogger = structlog.get_logger('worker')

#: Seconds between two looks at the queue, when nothing ends in between.
INTERVAL = 0.5


class Worker:
    """A worker that runs due jobs, `threads` of them at once."""

    def __init__(
        self,
        *,
        threads: int,
        queues: tuple[str, ...] = (),
        lease: float = LEASE,
        grace: float = 25,
        beats: bool = True,
        parent: int | None = None,
        hand_over: Callable[[tuple[str, ...]], int] | None = None,
    ) -> None:
        self.name = worker_name()
        self._threads, self._queues, self._lease, self._grace = threads, queues, lease, grace
        #: Whether it keeps the clock of the periodic tasks too.
        self._beats = beats
        #: The process without which it stops; None for a worker that stands alone.
        self._parent = parent
        #: Hands due jobs over and returns their number; None if the worker runs them itself.
        self._hand_over = hand_over
        self._running = 0
        self._stops = 0
        self._has_clock = False
        self._found_nothing = False
        # A queue and not an Event: a signal may interrupt the very moment in which it is asked.
        self._news: SimpleQueue[str] = SimpleQueue()

    def run(self, *, drain: bool = False) -> bool:
        """Run until it is told to stop, or with `drain` until nothing is due.

        Returns False if it had to give back jobs that run on; then end the process at once.
        """
        for connection in connections.all():  # one for each thread, for each lease, for the loop
            size = connection.settings_dict['OPTIONS'].get('pool')
            if isinstance(size, dict):
                size['max_size'] = max(size.get('max_size', 0), 2 * self._threads + 1)
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix='task')
        while not (self._stops or (self._parent is not None and os.getppid() != self._parent)):
            taken = self._turn(pool, drain=drain)
            if drain and not taken and not self._running:
                break
            self._wait(0 if self._hand_over and taken else INTERVAL)
        return self._end(pool)

    def stop(self, *_: Any) -> None:
        """Claim nothing more; when called again, end without grace. It handles signals."""
        self._stops += 1
        self._news.put('stop')

    def _turn(self, pool: ThreadPoolExecutor, *, drain: bool) -> int:
        """Move the clock and claim jobs; return their number, 0 while the database is away."""
        try:
            if self._beats:
                if not self._has_clock:
                    register_periods()
                    self._has_clock = True
                tick()
            if self._hand_over:
                return self._hand_over(self._queues)
            jobs = self._claim()
        except Error as error:
            if drain:
                raise
            _log.warning('the database does not answer; the worker goes on trying', exc_info=error)
            return 0
        finally:
            close_old_connections()
        for job in jobs:
            self._running += 1
            pool.submit(self._run, job)
        return len(jobs)

    def _claim(self) -> list[Job]:
        candidates, free = due(self._queues), self._threads - self._running
        if not free or (self._found_nothing and not candidates.exists()):  # a look takes no lock
            return []
        jobs = claim(candidates, worker=self.name, lease=self._lease, limit=free)
        self._found_nothing = not jobs
        return jobs

    def _run(self, job: Job) -> None:
        """Run one job in a thread, on connections of its own."""
        try:
            run(job, lease=self._lease)
        except Error as error:
            _log.exception('a task ended, and that could not be stored', job=job.pk, exc_info=error)
        finally:
            close_old_connections()
            self._news.put('ended')

    def _wait(self, seconds: float) -> None:
        """Wait for news, at most for these seconds, and count the jobs that ended."""
        with suppress(Empty):
            self._hear(self._news.get(timeout=seconds))
            while True:
                self._hear(self._news.get_nowait())

    def _hear(self, news: str) -> None:
        self._running -= news == 'ended'

    def _end(self, pool: ThreadPoolExecutor) -> bool:
        until = monotonic() + self._grace
        while self._running and self._stops < 2 and (left := until - monotonic()) > 0:
            self._wait(left)
        if self._running:
            _log.warning('tasks did not end in time and are given back', jobs=release(self.name))
            return False
        pool.shutdown()
        close_old_connections()
        return True


def work(worker: Worker, *, drain: bool = False) -> None:
    """Run the worker until SIGTERM or SIGINT; exit the process if a task would hold it up."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.stop)
    _log.info('working', worker=worker.name)
    if not worker.run(drain=drain):
        os._exit(1)
    _log.info('stopped', worker=worker.name)


@contextmanager
def beside() -> Iterator[None]:
    """Run a worker in its own process while the block runs; the caller has no connection.

    The process is a fork, in which the site is loaded already, so that it costs no time.
    """
    process = get_context('fork').Process(target=_work_for, args=(os.getpid(),), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join(2)


def _work_for(parent: int) -> None:
    work(Worker(grace=1, parent=parent, **of_the_site()))


def of_the_site() -> dict[str, Any]:
    """Return the arguments that the environment gives to every worker."""
    hand_over = hand_over_due if settings.BACKSTAY.tasks == 'celery' else None
    return {'threads': settings.BACKSTAY.concurrency, 'hand_over': hand_over}
