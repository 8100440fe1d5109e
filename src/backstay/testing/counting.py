"""How many statements a block makes."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections
from django.test.utils import CaptureQueriesContext

#: What moves no data: the borders of transactions.
_BORDERS = ('BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT', 'RELEASE')


@contextmanager
def statements(count: int, *, using: str = 'default') -> Iterator[None]:
    """Fail unless the block makes exactly so many statements; the failure shows each.

    The borders of transactions are not counted. A test of pytest-django needs its mark
    `django_db`.
    """
    with CaptureQueriesContext(connections[using]) as captured:
        yield
    made = [
        str(query['sql'])
        for query in captured.captured_queries
        if not str(query['sql']).startswith(_BORDERS)
    ]
    if len(made) != count:
        shown = '\n'.join(f'{number}. {sql}' for number, sql in enumerate(made, 1))
        raise AssertionError(f'{count} statements were expected, {len(made)} were made:\n{shown}')
