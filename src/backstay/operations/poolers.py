"""Poolers that lend a session of PostgreSQL for one transaction, such as PgBouncer in that mode.

What a session keeps (prepared statements, time limits, locks) is then met by other clients, so a
process that was not told of the pooler does not start.
"""

from django.conf import settings
from django.core.management.base import CommandError
from django.db import Error, connection

from backstay.engine import engine_of


def refuse_unknown_pooler() -> None:
    """Raise CommandError behind a pooler that `BACKSTAY_POOLER` does not tell of."""
    if not settings.BACKSTAY.pooler and _shares_sessions():
        raise CommandError(
            'DATABASE_URL: a pooler lends connections for single transactions; set '
            'BACKSTAY_POOLER=transaction, or let it lend them for whole sessions'
        )


def refuse_pooler() -> None:
    """Raise CommandError behind any such pooler, for what locks and limits whole sessions."""
    if settings.BACKSTAY.pooler or _shares_sessions():
        raise CommandError(
            'DATABASE_URL: a release locks and limits its session, which a pooler lends for single '
            'transactions; give it the URL of PostgreSQL itself, and no BACKSTAY_POOLER'
        )


def _shares_sessions() -> bool:
    """Return whether sessions are shared; of a database that is away, False."""
    try:
        return engine_of(connection).shares_sessions(connection)
    except Error:
        return False
