"""Moments and days as the API spells them, in SQL and in Python."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Func
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

#: How far lists and statistics look back unless told otherwise.
WINDOW = timedelta(days=90)


class Moment(Func):
    """A column of moments as text in UTC, with six digits of the second even where all are 0.

    One of the bot's tools cannot read it otherwise.
    """

    output_field = CharField(max_length=27)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        """By `to_char`."""
        written = 'to_char(%(expressions)s AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')'
        return self.as_sql(compiler, connection, template=written, **context)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        """Stored as text already, which has no fraction where all its digits are 0."""
        written = "(substr(replace(%(expressions)s, ' ', 'T') || '.000000', 1, 26) || 'Z')"
        return self.as_sql(compiler, connection, template=written, **context)


def midnight(day: date) -> datetime:
    """The moment in which the day begins, in UTC."""
    return datetime.combine(day, time(), UTC)


def window_start() -> date:
    """The first day of the default window."""
    return timezone.now().date() - WINDOW


def read_day(text: str) -> date:
    """The day that `2026-01-31` or `2026-1-31` names. Raises ValueError."""
    return datetime.strptime(text, '%Y-%m-%d').date()
