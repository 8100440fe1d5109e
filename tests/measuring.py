"""What a database does for a block of code, in numbers that do not depend on the machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models


class Work:
    """Steps of SQLite's machine, or rows that PostgreSQL visited."""

    amount = 0


@contextmanager
def work_of(model: type[models.Model]) -> Iterator[Work]:
    """Count the work of the block; on PostgreSQL that on the table and indexes of one model."""
    work = Work()
    if connection.vendor == 'sqlite':

        def count() -> None:
            work.amount += 10

        connection.ensure_connection()
        connection.connection.set_progress_handler(count, 10)
        yield work
        connection.connection.set_progress_handler(None, 0)
    else:
        before = _visited(model)
        yield work
        work.amount = _visited(model) - before


def _visited(model: type[models.Model]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables'
            ' WHERE relname = %s',
            [model._meta.db_table],
        )
        return int(cursor.fetchone()[0])


def analyze() -> None:
    """Let the planner know how much there is."""
    with connection.cursor() as cursor:
        cursor.execute('ANALYZE')
