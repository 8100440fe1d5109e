"""As whom a task acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from backstay.caller import Caller

_caller: ContextVar[Caller | None] = ContextVar('backstay.tasks.caller', default=None)


def current_caller() -> Caller:
    """The caller as which the running task reads and writes: of kind `task`, named by its path.

    Raises LookupError outside of a task.
    """
    caller = _caller.get()
    if caller is None:
        raise LookupError('no task is running here')
    return caller


def caller_key() -> str:
    """What the running task is called where it is noted who did something; empty outside of one."""
    caller = _caller.get()
    return caller.key if caller else ''


@contextmanager
def acting(path: str) -> Iterator[None]:
    """Act as the task at this path."""
    token = _caller.set(Caller(kind='task', name=path))
    try:
        yield
    finally:
        _caller.reset(token)
