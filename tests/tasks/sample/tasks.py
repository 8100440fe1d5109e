"""Tasks that leave marks in a file, so that tests of other processes can count them."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from backstay.identity.models import Counter
from backstay.tasks import TaskContext, current_caller, periodic, task

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@task
def mark(path: str, text: Any) -> None:
    """Append one line; lines of several processes do not mix."""
    with Path(path).open('a') as file:
        file.write(f'{text}\n')


@task(backoff=(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1))
def slow_mark(path: str, text: str, seconds: float) -> None:
    """Append a line, take a while, and append another."""
    mark.call(path, f'begin {text}')
    time.sleep(seconds)
    mark.call(path, f'end {text}')


@task(backoff=(10, 60))
def fail(message: str) -> None:
    """Raise, each time."""
    raise ValueError(message)


@task(backoff=())
def leave() -> None:
    """End the process, if it were a script."""
    raise SystemExit(3)


@task(takes_context=True, backoff=(10,))
def fail_once(context: TaskContext) -> str:
    """Fail at the first try, and say at which it did not."""
    if context.attempt == 1:
        raise ValueError('the first try')
    return f'try {context.attempt}'


@task
def who_am_i() -> str:
    """The caller as which it acts; it logs a line too."""
    caller = current_caller()
    _log.info('here I am')
    return f'{caller.kind} {caller.name}'


@task
def enqueue_another(path: str) -> None:
    """Have another one marked."""
    mark.enqueue(path, 'another')


@task(backoff=())
def count_then_fail(key: str) -> None:
    """Write a row, and fail."""
    Counter.objects.create(pk=key, hits=b'', expires_at=0)
    raise ValueError('after the row')


@task
async def later(number: int) -> int:
    """What a coroutine gives."""
    return number + 1


@task(backoff=())
def give_a_set() -> Any:
    """Give back what is not JSON."""
    return {1}


@periodic(every=timedelta(seconds=1))
@task
def each_second() -> None:
    """Do nothing, each second."""
