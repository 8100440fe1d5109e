"""The processes that share one port: started, replaced when they die, and ended together."""

import os
import signal
import sys
import time
from collections.abc import Callable

import structlog

#: Seconds after its start in which the death of a process counts as a crash loop.
_YOUNG = 5.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def run_processes(
    count: int, work: Callable[[], None], *, at_end: Callable[[], None], kill_after: float
) -> int:
    """Run `work` in so many processes until SIGTERM or SIGINT; return the exit code.

    One that dies is replaced; one that dies young ends them all with exit code 1, because a crash
    loop is for the orchestrator. After the signal `at_end` is called, and they have `kill_after`
    seconds.
    """
    ending = {signal.SIGTERM, signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*ending, signal.SIGCHLD})
    born: dict[int, float] = {}
    try:
        for _ in range(count):
            born[_start(work, before)] = time.monotonic()
        while True:
            number = signal.sigwait({*ending, signal.SIGCHLD})
            if number in ending:
                at_end()
                return _end(born, kill_after)
            for process in _dead(born):
                age = time.monotonic() - born.pop(process)
                _log.error('a process died', process=process, age=round(age))
                if age < _YOUNG:
                    _end(born, kill_after)
                    return 1
                born[_start(work, before)] = time.monotonic()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(work: Callable[[], None], mask: set[int | signal.Signals]) -> int:
    """Return the id of a new process, a fork, in which the site is loaded already."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        # Ctrl-C reaches every process of a terminal; the parent then sends SIGTERM.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        work()
        code = 0
    finally:
        if code:
            _log.error('a process failed', exc_info=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _dead(born: dict[int, float]) -> list[int]:
    """Return those processes that have ended, and let the kernel forget them."""
    return [each for each in [*born] if os.waitpid(each, os.WNOHANG)[0]]


def _end(born: dict[int, float], kill_after: float) -> int:
    """Ask every process to end, kill those that do not, and return 0."""
    for process in born:
        os.kill(process, signal.SIGTERM)
    until = time.monotonic() + kill_after
    left = [*born]
    while left and time.monotonic() < until:
        signal.sigtimedwait({signal.SIGCHLD}, 0.1)
        left = [each for each in left if not os.waitpid(each, os.WNOHANG)[0]]
    for process in left:
        _log.warning('a process did not end in time', process=process)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    return 0
