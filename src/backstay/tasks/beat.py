"""The clock as a process of its own: it enqueues due calls, and runs none of them.

Any number of clocks may run side by side, workers included: the one that enqueues the call of a
periodic task locks its row.
"""

import signal
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

import structlog
from django.db import Error, close_old_connections

from backstay.tasks.periods import register_periods, tick

_log: structlog.stdlib.BoundLogger = structlog.get_logger('beat')

#: Seconds between two looks at the clock.
INTERVAL = 0.5


class Beat:
    """A clock that enqueues due calls of periodic tasks, and hands jobs over to Celery."""

    def __init__(self, *, hand_over: Callable[[tuple[str, ...]], int] | None = None) -> None:
        #: Hands due jobs over and returns their number; None if workers claim them.
        self._hand_over = hand_over
        self._is_registered = False
        # A queue and not an Event: a signal may interrupt the very moment in which it is asked.
        self._stops: SimpleQueue[None] = SimpleQueue()

    def run(self) -> None:
        """Run until it is told to stop."""
        pause = 0.0
        while True:
            with suppress(Empty):
                self._stops.get(timeout=pause)
                return
            pause = 0 if self._turn() else INTERVAL

    def stop(self, *_: Any) -> None:
        """End after this turn. It handles signals."""
        self._stops.put(None)

    def _turn(self) -> int:
        """Move the clock; return the number of jobs handed over, 0 without the database."""
        try:
            if not self._is_registered:
                register_periods()
                self._is_registered = True
            tick()
            return self._hand_over(()) if self._hand_over else 0
        except Error as error:
            _log.warning('the database does not answer; the clock goes on', exc_info=error)
            return 0
        finally:
            close_old_connections()


def beat(clock: Beat) -> None:
    """Run the clock until SIGTERM or SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, clock.stop)
    _log.info('beating')
    clock.run()
    _log.info('stopped')
