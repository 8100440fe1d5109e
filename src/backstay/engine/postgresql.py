"""PostgreSQL: its SQL, how it runs a statement, its locks, and what its errors mean."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from backstay.engine.engine import Columns, Engine, Trouble
from backstay.engine.pieces import Piece, Rendered, Written
from backstay.resources.declaration.kinds import Kind

#: CONCAT takes at most 100 arguments (FUNC_MAX_ARGS).
_MOST_ARGUMENTS = 100

_CLOCK = "replace(to_char({x}, 'HH24:MI:SS.US'), '.000000', '')"
_MOMENT = (
    "replace(to_char({x} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), '.000000', '')"
)
_DAYS = 'floor(extract(epoch FROM {x}) / 86400)'
_DURATION = f"CASE WHEN {_DAYS} <> 0 THEN {_DAYS}::bigint || ' ' ELSE '' END || " + _CLOCK.format(
    x=f'make_interval(secs => (extract(epoch FROM {{x}}) - {_DAYS} * 86400)::float8)'
)
#: DRF rounds half to even, PostgreSQL away from zero.
_ROUNDED = (
    'round({{x}}, {places}) - CASE WHEN abs(mod({{x}} * 1e{places}, 2)) = 0.5'
    ' THEN sign({{x}}) * 1e-{places} ELSE 0 END'
)
_FLOAT = "CASE WHEN {x} IN ('NaN', 'Infinity', '-Infinity') THEN 'null' ELSE {x}::text END"


#: What a SQLSTATE means, by its class or in full (Appendix A of the manual); the longest counts.
_TROUBLES = {
    '40001': Trouble.DEADLOCK,
    '40P01': Trouble.DEADLOCK,
    '55P03': Trouble.LOCKED,
    '57014': Trouble.TIMEOUT,
    '08': Trouble.LOST,
    '57P': Trouble.LOST,
    '53300': Trouble.LOST,  # too many connections
    '25006': Trouble.READ_ONLY,
    '53': Trouble.FULL,
    '54001': Trouble.TOO_DEEP,
    '22': Trouble.BAD_VALUE,
}


class PostgreSQL(Engine):
    """PostgreSQL 13 or later, through psycopg 3."""

    __slots__ = ()

    name: ClassVar = 'postgresql'
    sorts_nulls_low: ClassVar = False
    has_arrays: ClassVar = True

    def concatenate(self, pieces: Sequence[Piece]) -> tuple[str, list[Any]]:
        """CONCAT appends to one buffer, where `||` copies at every step."""
        arguments = [_argument(piece) for piece in pieces]
        params = [parameter for _, own in arguments for parameter in own]
        texts = [sql for sql, _ in arguments]
        while len(texts) > 1:
            texts = [
                _concat(texts[start : start + _MOST_ARGUMENTS])
                for start in range(0, len(texts), _MOST_ARGUMENTS)
            ]
        return texts[0], params

    def join_rows(self, column: str) -> str:
        return f"string_agg({column}, ',')"

    def array_of_rows(self, columns: Sequence[str]) -> str:
        return f'json_agg(json_build_array({", ".join(columns)}))::text'

    def sent_rows(self, columns: Mapping[str, str]) -> str:
        typed = ', '.join(f'"{name}" {type_}' for name, type_ in columns.items())
        return f'json_to_recordset(%s) AS sent({typed})'

    def is_one_of(self, key: str, rows: str) -> str:
        """PostgreSQL expects few rows of an array, and finds each by its key.

        Of a subquery with a parameter for LIMIT it expects a tenth of the table.
        """
        return f'{key} = ANY(ARRAY({rows}))'

    def text_parameter(self) -> str:
        return '%s::text'

    def columns(
        self, connection: Any, sql: str, parameters: Sequence[Any], seconds: float | None
    ) -> Columns:
        connection.ensure_connection()
        _limit(connection, seconds)
        return _run(connection, sql, parameters)

    def first_row(
        self,
        connection: Any,
        sql: str,
        parameters: Sequence[Any],
        parsers: Sequence[Callable[[str], Any]],
    ) -> Sequence[Any] | None:
        """Planning it takes longer than running it, so it is prepared."""
        connection.ensure_connection()
        columns = _run(connection, sql, parameters)
        if not columns or not columns[0]:
            return None
        cells = [column[0] for column in columns]
        return [
            None if cell is None else parse(cell.decode())
            for parse, cell in zip(parsers, cells, strict=True)
        ]

    def explanation(self, *, analyze: bool) -> str:
        return 'EXPLAIN (ANALYZE, BUFFERS)' if analyze else 'EXPLAIN'

    def lock_release(self, connection: BaseDatabaseWrapper, number: int) -> bool:
        return bool(_ask(connection, 'SELECT pg_try_advisory_lock(%s)', number))

    def limit_lock_waits(self, connection: BaseDatabaseWrapper, seconds: float) -> None:
        milliseconds = f'{round(seconds * 1000)}ms'
        _ask(connection, "SELECT set_config('lock_timeout', %s, false)", milliseconds)

    def lock_names(self, connection: BaseDatabaseWrapper, names: Sequence[str]) -> list[bool]:
        locks = (
            'SELECT pg_try_advisory_xact_lock(hashtextextended(name, 0))'
            ' FROM unnest(%s::text[]) WITH ORDINALITY AS names (name, n) ORDER BY n'
        )
        with connection.cursor() as cursor:
            cursor.execute(locks, [[*names]])
            return [is_mine for (is_mine,) in cursor.fetchall()]

    def load(
        self,
        connection: Any,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
    ) -> None:
        copying = f'COPY {table} ({", ".join(columns)}) FROM STDIN'
        with (
            connection.cursor() as cursor,
            connection.wrap_database_errors,
            cursor.copy(copying) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def tidying(self, connection: BaseDatabaseWrapper, *, rewrite: bool) -> Sequence[str]:
        if connection.in_atomic_block:
            return ('ANALYZE',)
        # The first leaves no map of what all may see, without which indexes alone do not do.
        return ('VACUUM (FULL)', 'VACUUM (ANALYZE)') if rewrite else ('VACUUM (ANALYZE)',)

    def trouble(self, error: BaseException) -> Trouble | None:
        cause: Any = error if hasattr(error, 'sqlstate') else error.__cause__
        if not hasattr(cause, 'sqlstate'):
            return None
        state = str(cause.sqlstate or '')
        found = (_TROUBLES.get(state[:length]) for length in (5, 3, 2))
        # psycopg itself found that there is no server, or that it went away.
        none = Trouble.LOST if not state and _is_lost(cause) else None
        return next((each for each in found if each), none)


def _is_lost(cause: Any) -> bool:
    from psycopg import InterfaceError, OperationalError

    return isinstance(cause, OperationalError | InterfaceError)


def _run(connection: Any, sql: str, parameters: Sequence[Any]) -> Columns:
    """Run it past psycopg's own cursor, but through Django's wrappers and its query log."""
    from backstay.engine.prepared import PreparedCursor

    raw = PreparedCursor(connection.connection, prepare=_prepares())
    connection._prepare_cursor(raw).execute(sql, parameters)
    return raw.columns


def _prepares() -> bool:
    """Whether statements are prepared; a site without an environment does."""
    return bool(getattr(getattr(settings, 'BACKSTAY', None), 'prepare_statements', True))


def _limit(connection: Any, seconds: float | None) -> None:
    """Set once per connection, since setting it for every request would be a round trip each.

    With its plan left to itself, PostgreSQL would plan anew for every LIMIT, which it takes for
    ten per cent of the table when it is a parameter.
    """
    raw = connection.connection
    wanted = int((seconds or 0) * 1000)
    if getattr(raw, '_backstay_timeout', None) == wanted:
        return
    scope = 'LOCAL ' if connection.in_atomic_block else ''
    # Straight to the driver: it is no statement of the read.
    raw.execute(f'SET {scope}statement_timeout = {wanted}')
    raw.execute(f'SET {scope}plan_cache_mode = force_generic_plan')
    # Compiling a wide statement to machine code takes seconds, and a page never earns them back.
    raw.execute(f'SET {scope}jit = off')
    if not connection.in_atomic_block:  # whose end undoes what it set
        raw._backstay_timeout = wanted


def _ask(connection: BaseDatabaseWrapper, sql: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


#: SQL of a value that is not NULL, `{x}` standing for it; and whether it goes between quotes.
_TEMPLATES: dict[Kind, tuple[str, bool]] = {
    Kind.TEXT: ('to_json({x})', False),
    Kind.LONG_TEXT: ('to_json({x})', False),
    Kind.CHOICE: ('to_json({x})', False),
    Kind.FILE: ("to_json(NULLIF({x}, ''))", False),
    Kind.INTEGER: ('{x}', False),
    Kind.FLOAT: (_FLOAT, False),
    Kind.DECIMAL: ('{x}', True),
    Kind.BOOLEAN: ('{x}::text', False),
    Kind.DATE: ('{x}', True),
    Kind.TIME: (_CLOCK.format(x='{x}::interval'), True),
    Kind.DATETIME: (_MOMENT, True),
    Kind.DURATION: (_DURATION, True),
    Kind.UUID: ('{x}', True),
    Kind.IP: ('host({x})', True),
    Kind.BINARY: (r"translate(encode({x}, 'base64'), E'\n', '')", True),
    Kind.JSON: ('{x}', False),
}
#: Kinds of elements that `array_to_json` writes as we do.
_PLAIN_ELEMENTS = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.CHOICE, Kind.INTEGER, Kind.BOOLEAN})


def value(sql: str, of: Written) -> Iterator[str | Rendered]:
    """The pieces that write one value."""
    if of.kind is Kind.ARRAY:
        template, quoted = _array(of), False
    else:
        template, quoted = _TEMPLATES[of.kind]
    if of.kind is Kind.DECIMAL and not of.is_column:
        template = f'({_ROUNDED.format(places=_places(of.model_field))})'
    if of.is_key and of.kind is Kind.FLOAT:
        template, quoted = '{x}', True
    if of.is_key and of.kind is Kind.DECIMAL:
        template = '{x}'
    repeats = template.count('{x}')
    text = template.replace('{x}', sql)
    if not (of.nullable or of.kind is Kind.FILE):
        yield from ('"', Rendered(text, repeats), '"') if quoted else (Rendered(text, repeats),)
        return
    text = f"'\"' || {text} || '\"'" if quoted else f'({text})::text'
    yield Rendered(f"COALESCE({text}, 'null')", repeats)


def _concat(texts: Sequence[str]) -> str:
    return f'CONCAT({", ".join(texts)})'


def _argument(piece: Piece) -> tuple[str, Sequence[Any]]:
    if not isinstance(piece, str):
        return piece
    literal = piece.replace("'", "''").replace('%', '%%')
    # A literal with a backslash would depend on standard_conforming_strings.
    return (f"E'{literal}'".replace('\\', '\\\\') if '\\' in literal else f"'{literal}'"), ()


def _places(field: models.Field) -> int:
    return getattr(field, 'decimal_places', 0) or 0


def _array(of: Written) -> str:
    base = getattr(of.model_field, 'base_field', None)
    if base is None:
        return '{x}'  # a JSON field that holds an array
    if of.element in _PLAIN_ELEMENTS:
        return 'array_to_json({x})'
    template, quoted = _TEMPLATES[of.element or Kind.TEXT]
    element = template.replace('{x}', 'e')
    text = f"'\"' || {element} || '\"'" if quoted else f'({element})::text'
    rows = f"string_agg(COALESCE({text}, 'null'), ',' ORDER BY i)"
    listed = (
        f"(SELECT '[' || COALESCE({rows}, '') || ']' FROM unnest({{x}}) WITH ORDINALITY u(e, i))"
    )
    return f'CASE WHEN {{x}} IS NOT NULL THEN {listed} END'
