"""SQLite: its SQL, how it runs a statement, and what its errors mean.

What its own functions get wrong (floats lose digits, LIKE folds ASCII only) is done by functions of
ours, which every new connection gets.
"""

import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, timedelta
from decimal import Context, Decimal
from functools import lru_cache, wraps
from math import isfinite
from typing import Any, ClassVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.dateparse import parse_datetime, parse_time
from django.utils.duration import duration_string

from backstay.engine.engine import Columns, Engine, Trouble
from backstay.engine.forms import Form
from backstay.engine.pieces import Piece, Rendered

#: What a result code means, in full or its primary part (https://sqlite.org/rescode.html).
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
        """A balanced tree: SQLite refuses expressions deeper than 1000."""
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
        """Add our functions."""
        connection._backstay_deadline = None
        for name, count, function in (
            ('backstay_float', 1, _float),
            ('backstay_exact_float', 1, _exact_float),
            ('backstay_round', 1, _round),
            ('backstay_whole', 1, _whole),
            ('backstay_read_float', 1, float),
            ('backstay_decimal', 3, _decimal),
            ('backstay_duration', 1, _duration),
            ('backstay_datetime', 1, _datetime),
            ('backstay_time', 1, _time),
            ('backstay_base64', 1, _base64),
            ('backstay_ilike', 2, _ilike),
        ):
            limited = _within_limit(connection, function)
            connection.connection.create_function(name, count, limited, deterministic=True)

    def columns(
        self, connection: Any, sql: str, parameters: Sequence[Any], seconds: float | None
    ) -> Columns:
        with _limited(connection, seconds), connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows = cursor.fetchall()
        return [[_encoded(row[at]) for row in rows] for at in range(len(rows[0]) if rows else 0)]

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
        """SQLite looks for a row when it is asked for one."""
        with _limited(connection, seconds), connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            while rows := cursor.fetchmany(_ROWS_PER_FETCH):
                yield from (text for (text,) in rows)

    def explanation(self, *, analyze: bool) -> str:
        return 'EXPLAIN QUERY PLAN'

    def lock_release(self, connection: BaseDatabaseWrapper, number: int) -> bool:
        return True  # it has one writer

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


def _encoded(value: Any) -> bytes | None:
    return None if value is None else str(value).encode()


#: Digits that a REAL keeps, and to which Django rounds a decimal that it reads.
_EXACT_DIGITS = 15


def _argument(piece: Piece) -> tuple[str, Sequence[Any]]:
    if isinstance(piece, str):
        return "'" + piece.replace("'", "''").replace('%', '%%') + "'", ()
    sql, params = piece
    return (sql if _is_simple(sql) else f'({sql})'), params


#: A name, one call, one CASE or one subquery. The ORM brackets whatever is made of several.
_SIMPLE = re.compile(r'[\w".]+|\w+\([^()]*\)|CASE .* END|\(SELECT .*\)', re.DOTALL)


def _is_simple(sql: str) -> bool:
    """Whether the SQL binds tighter than `||` as it stands.

    SQLite before 3.46 reads nothing that is nested too deep, so no bracket is wasted.
    """
    return _SIMPLE.fullmatch(sql) is not None


@contextmanager
def _limited(connection: Any, seconds: float | None) -> Iterator[None]:
    """Interrupt what runs within after `seconds`.

    SQLite asks every few thousand of its steps, of which a call of a function is one, however long
    it takes; so each function asks too.
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
    """The function, which ends the statement where its time is over."""

    @wraps(function)
    def limited(*values: Any) -> Any:
        deadline = connection._backstay_deadline
        if deadline is not None and time.monotonic() > deadline:
            connection.connection.interrupt()
            return None
        return function(*values)

    return limited


def _float(number: float | None) -> str | None:
    """Write the shortest digits that read back as the same float, as PostgreSQL writes them.

    What JSON cannot say is null. Python differs in a `.0` behind whole numbers, and in taking no
    exponent from 1e15 up to 1e16.
    """
    if number is None:
        return None
    if not isfinite(number):
        return 'null'
    text = repr(float(number)).removesuffix('.0')
    if 1e15 <= abs(number) < 1e16:
        digits = text.lstrip('-').replace('.', '').rstrip('0')
        fraction = f'.{digits[1:]}' if digits[1:] else ''
        return f'{"-" if number < 0 else ""}{digits[0]}{fraction}e+15'
    return text


def _exact_float(number: float | None) -> str | None:
    """Every float, infinity included, as Python reads it."""
    return None if number is None else repr(float(number))


def _round(number: float | str | None) -> float | str | None:
    """Round to the digits that a REAL keeps, so that equal decimals are equal numbers."""
    return float(f'{number:.{_EXACT_DIGITS}g}') if isinstance(number, float) else number


def _whole(number: float | None) -> int | None:
    """Round to a whole number, half to even."""
    return None if number is None else round(number)


def _decimal(number: float | str | None, digits: int, places: int) -> str | None:
    """As Django reads a decimal: to 15 digits, then to the column's places."""
    if number is None:
        return None
    exact = Context(prec=_EXACT_DIGITS).create_decimal(
        number if isinstance(number, str) else Decimal.from_float(number)
    )
    # More than the column has, since 15 digits may round up to one more.
    rounding = Context(prec=max(digits, _EXACT_DIGITS) + 1)
    shown = exact.quantize(Decimal(1).scaleb(-places), context=rounding)
    # PostgreSQL knows no -0.
    return f'{shown if shown else shown.copy_abs():f}'


def _duration(microseconds: int | None) -> str | None:
    return None if microseconds is None else duration_string(timedelta(microseconds=microseconds))


def _datetime(text: str | None) -> str | None:
    moment = parse_datetime(text) if text else None
    if moment and moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return f'{moment.isoformat()}Z' if moment else None


def _time(text: str | None) -> str | None:
    time = parse_time(text) if text else None
    return time.isoformat() if time else None


def _base64(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode('ascii')


def _ilike(text: Any, pattern: str | None) -> bool | None:
    """ILIKE, for every letter of Unicode as PostgreSQL has it."""
    if text is None or pattern is None:
        return None
    return _expression_of(_lower(pattern)).fullmatch(_lower(str(text))) is not None


def _lower(text: str) -> str:
    """Each letter by itself: Python would lower these two by their context, or to two letters."""
    return text.replace('\u0130', 'i').replace('\u03a3', '\u03c3').lower()


@lru_cache(maxsize=256)
def _expression_of(pattern: str) -> re.Pattern[str]:
    """Return the expression of a LIKE pattern, which never goes back in the text to try again.

    A part between two `%` is taken at its leftmost place: where the whole matches at all, it
    matches so too. Atomic groups and a possessive quantifier keep each such choice.
    """
    parts: list[list[str]] = [[]]
    characters = iter(pattern)
    for character in characters:
        if character == '%':
            parts.append([])
        elif character == '\\':
            parts[-1].append(re.escape(next(characters, '\\')))
        else:
            parts[-1].append('.' if character == '_' else re.escape(character))
    first, *others = (''.join(part) for part in parts)
    between = ''.join(f'(?>.*?{part})' for part in others[:-1])
    # The last part is looked for behind the others alone.
    end = f'.{{{len(parts[-1])},}}+(?<={others[-1]})' if others else ''
    return re.compile(first + between + end, re.DOTALL)
