"""Waiting for other writers: the errors of the database, and the Problem that clients get."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError

from backstay.engine import Trouble, trouble_of
from backstay.engine.problems import busy


def is_worth_a_try(error: OperationalError) -> bool:
    """Whether the same write may succeed when it is begun again at once."""
    return trouble_of(error) is Trouble.DEADLOCK


def is_in_the_way(error: OperationalError) -> bool:
    """Whether a write failed only because others were writing.

    The statements that write name their rows by key. One that takes too long waits for a lock; what
    reads in a write says itself that it takes too long (`backstay.resources.execute.fetch`).
    """
    return trouble_of(error) in (Trouble.DEADLOCK, Trouble.LOCKED, Trouble.TIMEOUT)


@contextmanager
def or_busy() -> Iterator[None]:
    """Raise Problem 503 `busy` if other writers are in the way of the statements within."""
    try:
        yield
    except OperationalError as error:
        if not is_in_the_way(error):
            raise
        raise busy() from None
