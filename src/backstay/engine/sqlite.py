"""SQLite: its SQL, its way to run statements, and the meaning of its errors.

Every new connection gets the functions of `backstay.engine.sqlite_functions`.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar

from django.db.backends.base.base import BaseDatabaseWrapper

from backstay.engine.engine import Columns, Engine, Trouble
from backstay.engine.forms import Form
from backstay.engine.pieces import Piece, Rendered
from backstay.engine.sqlite_functions import FUNCTIONS

#: Meanings of result codes, in full or of their primary part (https://sqlite.org/rescode.html).
_TROUBLES = {
    517: Trouble.DEADLOCK,  # SQLITE_BUSY_SNAPSHOT: others wrote since the transaction read
    5: Trouble.LOCKED,  # SQLITE_BUSY
    6: Trouble.LOCKED,  # SQLITE_LOCKED
    7: Trouble.FULL,  # SQLITE_NOMEM
    8: Trouble.READ_ONLY,
    9: Trouble.TIMEOUT,  # SQLITE_INTERRUPT
    10: Trouble.LOST,  # SQLITE_IOERR
    13: Trouble.FULL,
    14: Trouble.LOST,  # SQLITE_CANTOPEN
    18: Trouble.BAD_VALUE,  # SQLITE_TOOBIG
    20: Trouble.BAD_VALUE,  # SQLITE_MISMATCH
}

_ROWS_PER_FETCH = 100


class SQLite(Engine):
    """SQLite 3.38 or later, through the module of Python."""

    __slots__ = ()

    name: ClassVar = 'sqlite'
    sorts_nulls_low: ClassVar = True
    sorts_text_bytewise: ClassVar = True
    has_arrays: ClassVar = False

    def value(self, sql: str, form: Form, *, nullable: bool) -> Iterator[str | Rendered]:
        repeats = form.sql.count('{x}')
        text = form.sql.replace('{x}', sql)
        if form.hides_null and nullable:
            text = f"'\"' || ({text}) || '\"'" if form.quoted else text
            yield Rendered(f"CASE WHEN {sql} IS NULL THEN 'null' ELSE {text} END", repeats + 1)
        elif not nullable:
            rendered = Rendered(text, repeats)
            yield from ('"', rendered, '"') if form.quoted else (rendered,)
        else:
            text = f"'\"' || ({text}) || '\"'" if form.quoted else text
            yield Rendered(f"COALESCE({text}, 'null')", repeats)

    def concatenate(self, pieces: Sequence[Piece]) -> tuple[str, list[Any]]:
        """Concatenate in a balanced tree: SQLite refuses expressions deeper than 1000."""
        arguments = [_argument(piece) for piece in pieces]
        params = [parameter for _, own in arguments for parameter in own]
        texts = [sql for sql, _ in arguments]
        while len(texts) > 1:
            texts = [f'({" || ".join(texts[at : at + 50])})' for at in range(0, len(texts), 50)]
        return texts[0], params

    def join_rows(self, column: str) -> str:
        return f"COALESCE(group_concat({column}, ','), '')"

    def array_of_rows(self, columns: Sequence[str]) -> str:
        return f'json_group_array(json_array({", ".join(columns)}))'

    def sent_rows(self, columns: Mapping[str, str]) -> str:
        members = ', '.join(f'{_member(*each)} AS "{each[0]}"' for each in columns.items())
        return f'(SELECT {members} FROM json_each(%s)) AS sent'

    def is_one_of(self, key: str, rows: str) -> str:
        return f'{key} IN ({rows})'

    def text_parameter(self) -> str:
        return '%s'

    def prepare(self, connection: Any) -> None:
        """Add our functions to the connection."""
        connection._backstay_deadline = None
        for name, count, function in FUNCTIONS:
            limited = _within_limit(connection, function)
            connection.connection.create_function(name, count, limited, deterministic=True)

    def columns(
        self, connection: Any, sql: str, parameters: Sequence[Any], seconds: float | None
    ) -> Columns:
        with _limited(connection, seconds), connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows = cursor.fetchall()
        return [
            [None if cell is None else str(cell).encode() for cell in column]
            for column in zip(*rows, strict=True)
        ]

    def first_row(
        self,
        connection: Any,
        sql: str,
        parameters: Sequence[Any],
        parsers: Sequence[Callable[[str], Any]],
    ) -> Sequence[Any] | None:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            row: Sequence[Any] | None = cursor.fetchone()
            return row

    def stream(
        self, connection: Any, sql: str, parameters: Sequence[Any], seconds: float
    ) -> Iterator[str]:
        """Stream rows, each of which SQLite looks for when it is asked for it."""
        with _limited(connection, seconds), connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            while rows := cursor.fetchmany(_ROWS_PER_FETCH):
                yield from (text for (text,) in rows)

    @contextmanager
    def snapshot(self, connection: Any) -> Iterator[None]:
        """Read in a transaction that never writes; Django's own would take the lock of writers."""
        if connection.in_atomic_block:
            yield
            return
        connection.ensure_connection()
        raw = connection.connection
        with connection.wrap_database_errors:
            raw.execute('BEGIN DEFERRED')
        try:
            yield
        finally:
            raw.execute('ROLLBACK')

    def explanation(self, *, analyze: bool) -> str:
        return 'EXPLAIN QUERY PLAN'

    def lock_release(self, connection: BaseDatabaseWrapper, number: int) -> bool:
        return True  # it has one writer

    def shares_sessions(self, connection: BaseDatabaseWrapper) -> bool:
        return False

    def limit_lock_waits(self, connection: BaseDatabaseWrapper, seconds: float) -> None:
        """Nothing to do: each connection has a limit from its start."""

    def lock_names(
        self,
        connection: BaseDatabaseWrapper,
        names: Sequence[str],
    ) -> list[bool]:
        return [True] * len(names)

    def load(
        self,
        connection: BaseDatabaseWrapper,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
    ) -> None:
        marks = ', '.join(['%s'] * len(columns))
        insert = f'INSERT INTO {table} ({", ".join(columns)}) VALUES ({marks})'
        with connection.cursor() as cursor:
            cursor.executemany(insert, rows)

    def shorten_log(self, connection: BaseDatabaseWrapper, most: int) -> None:
        """Truncate the log once no reader needs it, for which writers wait up to two seconds.

        SQLite itself folds it in as well, but begins it anew only in a moment without readers. One
        long wait does not notice that the readers have ended; several short ones do.
        """
        log = Path(f'{connection.settings_dict["NAME"]}-wal')
        if log.exists() and log.stat().st_size > most:
            with connection.cursor() as cursor:
                cursor.execute('PRAGMA busy_timeout = 200')
                for _ in range(10):
                    cursor.execute('PRAGMA wal_checkpoint(TRUNCATE)')
                    if not cursor.fetchone()[0]:
                        break

    def tidying(
        self,
        connection: BaseDatabaseWrapper,
        *,
        rewrite: bool,
    ) -> Sequence[str]:
        return ('ANALYZE',)

    def trouble(self, error: BaseException) -> Trouble | None:
        cause = error if hasattr(error, 'sqlite_errorcode') else error.__cause__
        if 'parser stack overflow' in str(cause):  # before 3.46
            return Trouble.TOO_DEEP
        code = getattr(cause, 'sqlite_errorcode', 0)
        return _TROUBLES.get(code) or _TROUBLES.get(code & 0xFF)


def _member(name: str, type_: str) -> str:
    """Return a member of an object; JSON stays JSON, and UUIDs are stored without hyphens."""
    if type_ == 'jsonb':
        return f"NULLIF(value->'$.{name}', 'null')"
    member = f"json_extract(value, '$.{name}')"
    return f"replace({member}, '-', '')" if type_ == 'uuid' else member


def _argument(piece: Piece) -> tuple[str, Sequence[Any]]:
    if isinstance(piece, str):
        return "'" + piece.replace("'", "''").replace('%', '%%') + "'", ()
    sql, params = piece
    # SQLite before 3.46 refuses deep nesting, so SQL that binds tighter than `||` gets no brackets.
    return (sql if _SIMPLE.fullmatch(sql) else f'({sql})'), params


#: A name, one call, one CASE or one subquery. The ORM brackets SQL that is made of several.
_SIMPLE = re.compile(r'[\w".]+|\w+\([^()]*\)|CASE .* END|\(SELECT .*\)', re.DOTALL)


@contextmanager
def _limited(connection: Any, seconds: float | None) -> Iterator[None]:
    """Interrupt the statements within after `seconds`.

    SQLite checks the time every few thousand of its steps, and a call of a function is one step,
    however long it takes; so each function checks it too.
    """
    if seconds is None:
        yield
        return
    connection.ensure_connection()
    raw, deadline = connection.connection, time.monotonic() + seconds
    connection._backstay_deadline = deadline
    raw.set_progress_handler(lambda: time.monotonic() > deadline, 20_000)
    try:
        yield
    finally:
        connection._backstay_deadline = None
        raw.set_progress_handler(None, 0)


def _within_limit(connection: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function so that it ends the statement when its time is over."""

    @wraps(function)
    def limited(*values: Any) -> Any:
        deadline = connection._backstay_deadline
        if deadline is not None and time.monotonic() > deadline:
            connection.connection.interrupt()
            return None
        return function(*values)

    return limited
