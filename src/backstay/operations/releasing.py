"""A release of the site: its migrations, without blocking the requests that use the tables.

A migration that waits for a lock blocks every later statement on the table. So it waits for
only seconds, gives up, lets the others pass, and tries again.
"""

import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from backstay.engine import Trouble, engine_of, trouble_of

#: The lock that a release takes in the database, as one number: any, but always the same.
_LOCK = 0x6261636B73746179


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The time that a release waits for locks."""

    #: Seconds that one statement waits.
    lock_timeout: float = 2
    tries: int = 10
    #: Seconds between two tries, times 0.5 to 1.5.
    pause: float = 3


class Ending:
    """Ends a release on SIGTERM: at once while it waits, and else before the next migration."""

    def __init__(self) -> None:
        self._is_told = self._is_migrating = False

    def __call__(self, *_: Any) -> None:
        """Handle the signal."""
        self._is_told = True
        if not self._is_migrating:
            self.exit_if_told()

    def exit_if_told(self) -> None:
        """End the process with the code of a command that SIGTERM ended."""
        if self._is_told:
            sys.exit(128 + signal.SIGTERM)

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """Let what runs within end by itself, between two migrations."""
        self._is_migrating = True
        try:
            yield
        finally:
            self._is_migrating = False


#: That of this process, which `backstay release` makes the handler of SIGTERM.
ending = Ending()


class _Migrate(migrate.Command):
    """Django's command, which may end between two migrations."""

    def migration_progress_callback(self, action: str, *args: Any, **kwargs: Any) -> None:
        """Look before each migration whether to go on."""
        if action == 'apply_start':
            ending.exit_if_told()
        super().migration_progress_callback(action, *args, **kwargs)


def release_database(patience: Patience, tell: Callable[[str], Any]) -> int:
    """Apply the missing migrations and return their number.

    Raises CommandError when the database does not answer, or a lock was never free. A migration is
    one transaction unless it says otherwise, so one that gave up has changed nothing.
    """
    for number in range(1, patience.tries + 1):
        try:
            return _try(patience)
        except OperationalError as error:
            reason = _reason(error)
            if reason is None:
                raise
            if number == patience.tries:
                raise CommandError(f'{reason}; gave up after {number} tries') from None
            ending.exit_if_told()
            tell(f'{reason}; try {number} of {patience.tries}')
            time.sleep(patience.pause * random.uniform(0.5, 1.5))  # noqa: S311 no secret
    return 0


def apply_missing() -> int:
    """Apply the missing migrations and return their number; only look when there are none."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        with ending.migrating():
            call_command(_Migrate(), verbosity=0, interactive=False, skip_checks=True)
        ending.exit_if_told()
    return len(plan)


def _try(patience: Patience) -> int:
    """Apply the missing migrations once this is the only release; return their number.

    All of it is one connection outside of any pool: what is set and locked ends with it.
    """
    options = connection.settings_dict['OPTIONS']
    connection.close()
    pool = options.pop('pool', None)
    engine = engine_of(connection)
    try:
        # Asked again and again: a statement that waits holds a snapshot, for which
        # `CREATE INDEX CONCURRENTLY` of the other release would wait in turn.
        while not engine.lock_release(connection, _LOCK):
            time.sleep(min(patience.pause, 1))
        engine.limit_lock_waits(connection, patience.lock_timeout)
        return apply_missing()
    finally:
        connection.close()
        if pool is not None:
            options['pool'] = pool


def _reason(error: OperationalError) -> str | None:
    """Return why the error is worth another try; None when it is not."""
    match trouble_of(error):
        case Trouble.LOCKED | Trouble.DEADLOCK:
            return 'a lock of the database was not free in time'
        case Trouble.LOST:
            return f'the database does not answer: {str(error).strip().splitlines()[0]}'
    return None
