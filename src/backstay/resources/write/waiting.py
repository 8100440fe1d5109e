"""Waiting for others: what the database says of it, and what the client is told in the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError

from backstay.errors import Problem

#: PostgreSQL's states for a deadlock, and for a transaction that came too late.
_AGAIN = ('40P01', '40001')
#: Its states for a statement that waited longer than it may, and would again.
_TOO_LONG = ('57014', '55P03')


def is_worth_a_try(error: OperationalError) -> bool:
    """Whether the same may succeed when it is begun again at once."""
    return _state(error) in _AGAIN or 'database is locked' in str(error)


def is_in_the_way(error: OperationalError) -> bool:
    """Whether it failed only because others were writing."""
    return is_worth_a_try(error) or _state(error) in _TOO_LONG


def busy() -> Problem:
    """503, which the client may answer with the same request."""
    return Problem(
        'Others are writing the same rows; try again.',
        status=503,
        code='busy',
        headers={'Retry-After': '1'},
    )


@contextmanager
def or_busy() -> Iterator[None]:
    """Raises Problem 503 `busy` where others are in the way of what is done within."""
    try:
        yield
    except OperationalError as error:
        if not is_in_the_way(error):
            raise
        raise busy() from None


def _state(error: OperationalError) -> str:
    return str(getattr(error.__cause__, 'sqlstate', None) or '')
