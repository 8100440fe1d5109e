"""PostgreSQL: its SQL, its way to run statements, its locks, and the meaning of its errors."""

import select
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import atomic

from backstay.engine.engine import Columns, Engine, Trouble
from backstay.engine.forms import Form
from backstay.engine.pieces import Piece, Rendered

#: Rows of the first round trip of a stream, and of each other; psycopg would fetch 100 each time.
_FIRST_ROWS, _ROWS_PER_FETCH = 50, 1_000
#: CONCAT takes at most 100 arguments (FUNC_MAX_ARGS).
_MAX_ARGUMENTS = 100


#: Meanings of SQLSTATEs, by class or in full (Appendix A of the manual); the longest match counts.
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
    sorts_text_bytewise: ClassVar = False
    has_arrays: ClassVar = True

    def value(self, sql: str, form: Form, *, nullable: bool) -> Iterator[str | Rendered]:
        repeats = form.sql.count('{x}')
        text = form.sql.replace('{x}', sql)
        if not (nullable or form.may_be_null):
            rendered = Rendered(text, repeats)
            yield from ('"', rendered, '"') if form.quoted else (rendered,)
            return
        text = f"'\"' || {text} || '\"'" if form.quoted else f'({text})::text'
        yield Rendered(f"COALESCE({text}, 'null')", repeats)

    def concatenate(self, pieces: Sequence[Piece]) -> tuple[str, list[Any]]:
        """Concatenate with CONCAT, which appends to one buffer, where `||` copies at each step."""
        arguments = [_argument(piece) for piece in pieces]
        params = [parameter for _, own in arguments for parameter in own]
        texts = [sql for sql, _ in arguments]
        while len(texts) > 1:
            texts = [
                f'CONCAT({", ".join(texts[start : start + _MAX_ARGUMENTS])})'
                for start in range(0, len(texts), _MAX_ARGUMENTS)
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
        """Compare with an array, of which PostgreSQL expects few rows, and finds each by its key.

        Of a subquery with a parameter for LIMIT it expects a tenth of the table.
        """
        return f'{key} = ANY(ARRAY({rows}))'

    def text_parameter(self) -> str:
        return '%s::text'

    def prepare(self, connection: Any) -> None:
        """Exchange a pooled connection that the server has closed since it was last used."""
        pool = connection.pool
        if pool is None:
            return
        while _is_closed(connection.connection):
            connection.connection.close()
            pool.putconn(connection.connection)
            connection.connection = connection.get_new_connection(None)
            connection.set_autocommit(connection.settings_dict['AUTOCOMMIT'])

    def columns(
        self, connection: Any, sql: str, parameters: Sequence[Any], seconds: float | None
    ) -> Columns:
        def read() -> Columns:
            if _is_pooled() and not connection.in_atomic_block:
                return _run_limited(connection, sql, parameters, seconds)
            _limit(connection, seconds)
            return _run(connection, sql, parameters)

        return _read(connection, read)

    def first_row(
        self,
        connection: Any,
        sql: str,
        parameters: Sequence[Any],
        parsers: Sequence[Callable[[str], Any]],
    ) -> Sequence[Any] | None:
        """Run the statement prepared, since planning it takes longer than running it."""
        columns = _read(connection, lambda: _run(connection, sql, parameters))
        if not columns or not columns[0]:
            return None
        cells = [column[0] for column in columns]
        return [
            None if cell is None else parse(cell.decode())
            for parse, cell in zip(parsers, cells, strict=True)
        ]

    def stream(
        self, connection: Any, sql: str, parameters: Sequence[Any], seconds: float
    ) -> Iterator[str]:
        """Stream in a transaction: outside, a cursor finds every row before it gives the first."""
        deadline = time.monotonic() + seconds
        connection.ensure_connection()
        within = nullcontext() if connection.in_atomic_block else atomic(using=connection.alias)
        with within, connection.chunked_cursor() as cursor:
            _set(connection, cursor_tuple_fraction='0.001', jit='off')
            _set_deadline(connection, deadline)
            cursor.execute(sql, parameters)
            count = _FIRST_ROWS
            while rows := cursor.fetchmany(count):
                try:
                    yield from (text for (text,) in rows)
                except GeneratorExit:  # the client is gone; the writes of others are not
                    return
                count = _ROWS_PER_FETCH
                _set_deadline(connection, deadline)

    @contextmanager
    def snapshot(self, connection: Any) -> Iterator[None]:
        if connection.in_atomic_block:
            yield
            return
        with atomic(using=connection.alias):
            connection.ensure_connection()
            with connection.wrap_database_errors:
                # Straight to the driver: it is none of the reads.
                connection.connection.execute(
                    'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY'
                )
            yield

    def explanation(self, *, analyze: bool) -> str:
        return 'EXPLAIN (ANALYZE, BUFFERS)' if analyze else 'EXPLAIN'

    def lock_release(self, connection: BaseDatabaseWrapper, number: int) -> bool:
        return bool(_ask(connection, 'SELECT pg_try_advisory_lock(%s)', number))

    def shares_sessions(self, connection: Any) -> bool:
        import psycopg

        given = {**connection.get_connection_params(), 'autocommit': True}
        with (
            connection.wrap_database_errors,
            psycopg.connect(**given) as one,
            psycopg.connect(**given) as other,
        ):
            sessions = [_session_of(each) for each in (one, other, one, other)]
        return len({*sessions}) < 2 or sessions[:2] != sessions[2:]

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

    def shorten_log(self, connection: BaseDatabaseWrapper, most: int) -> None:
        """Nothing to do: the server has a process for it."""

    def tidying(self, connection: BaseDatabaseWrapper, *, rewrite: bool) -> Sequence[str]:
        if connection.in_atomic_block:
            return ('ANALYZE',)
        # The first leaves no visibility map, without which index-only scans read the table.
        return ('VACUUM (FULL)', 'VACUUM (ANALYZE)') if rewrite else ('VACUUM (ANALYZE)',)

    def trouble(self, error: BaseException) -> Trouble | None:
        cause: Any = error if hasattr(error, 'sqlstate') else error.__cause__
        if not hasattr(cause, 'sqlstate'):
            return None
        import psycopg

        state = str(cause.sqlstate or '')
        found = (_TROUBLES.get(state[:length]) for length in (5, 3, 2))
        # Without a state, psycopg itself found that there is no server, or that it went away.
        is_lost = not state and isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
        return next((each for each in found if each), Trouble.LOST if is_lost else None)


def _is_closed(raw: Any) -> bool:
    """Whether the server closed an idle connection.

    A server that ends in order says so, and else its machine does: there is something to read.
    Polling takes a microsecond, where a statement would be another round trip for each request;
    psycopg's own pool also waits a second between two connections that were closed.
    """
    if raw.closed:
        return True
    sockets = select.poll()
    sockets.register(raw.fileno(), select.POLLIN)
    if not sockets.poll(0):
        return False
    try:
        raw.execute('')  # it may be a notice, which this reads
    except Exception:  # noqa: BLE001 whatever it is, another connection is better
        return True
    return False


def _read(connection: Any, read: Callable[[], Columns]) -> Columns:
    """Read; if the connection turns out to be lost, read once more on another one."""
    connection.ensure_connection()
    try:
        return read()
    except (DatabaseError, InterfaceError) as error:
        if connection.in_atomic_block or PostgreSQL().trouble(error) is not Trouble.LOST:
            raise
    connection.close()
    connection.ensure_connection()
    return read()


def _run(connection: Any, sql: str, parameters: Sequence[Any]) -> Columns:
    """Run SQL past psycopg's own cursor, but through Django's wrappers and its query log."""
    from backstay.engine.prepared import PreparedCursor

    raw = PreparedCursor(connection.connection, prepare=not _is_pooled())
    connection._prepare_cursor(raw).execute(sql, parameters)
    return raw.columns


def _is_pooled() -> bool:
    """Return whether each transaction may find another session, and so must leave nothing."""
    return bool(getattr(getattr(settings, 'BACKSTAY', None), 'pooler', ''))


def _run_limited(
    connection: Any, sql: str, parameters: Sequence[Any], seconds: float | None
) -> Columns:
    """Run the statement in a transaction of its own, with whose end its limits end."""
    limits = '; '.join(f'SET LOCAL {each}' for each in _limits(seconds))
    raw = connection.connection
    with connection.wrap_database_errors:
        raw.execute(f'BEGIN; {limits}')
    end = 'ROLLBACK'
    try:
        columns = _run(connection, sql, parameters)
        end = 'COMMIT'
    finally:
        with connection.wrap_database_errors:
            if not raw.closed:
                raw.execute(end)
    return columns


def _limits(seconds: float | None) -> tuple[str, ...]:
    """Return what limits a read.

    Left to itself, PostgreSQL would plan anew for every LIMIT, which it takes for ten per cent of
    the table when it is a parameter. Compiling a wide statement to machine code takes seconds,
    which a page never earns back.
    """
    timeout = f'statement_timeout = {int((seconds or 0) * 1000)}'
    return (timeout, 'plan_cache_mode = force_generic_plan', 'jit = off')


def _session_of(raw: Any) -> int:
    """Return the number of the server's process that answers."""
    return int(raw.execute('SELECT pg_backend_pid()').fetchone()[0])


def _set(connection: Any, **parameters: str) -> None:
    """Set parameters of the transaction through the driver, since they are not part of the read."""
    with connection.wrap_database_errors:
        for name, value in parameters.items():
            connection.connection.execute(f'SET LOCAL {name} = {value}')


def _set_deadline(connection: Any, deadline: float) -> None:
    """Limit the next statement to the time that is left."""
    _set(connection, statement_timeout=str(max(1, int((deadline - time.monotonic()) * 1000))))


def _limit(connection: Any, seconds: float | None) -> None:
    """Set limits once per connection, since each request would pay a round trip for them."""
    raw = connection.connection
    wanted = int((seconds or 0) * 1000)
    if getattr(raw, '_backstay_timeout', None) == wanted:
        return
    scope = 'LOCAL ' if connection.in_atomic_block else ''
    # Straight to the driver: it is no statement of the read.
    with connection.wrap_database_errors:
        for each in _limits(seconds):
            raw.execute(f'SET {scope}{each}')
    if not connection.in_atomic_block:  # whose end undoes what it set
        raw._backstay_timeout = wanted


def _ask(connection: BaseDatabaseWrapper, sql: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


def _argument(piece: Piece) -> tuple[str, Sequence[Any]]:
    if not isinstance(piece, str):
        return piece
    literal = piece.replace("'", "''").replace('%', '%%')
    # A literal with a backslash would depend on standard_conforming_strings.
    return (f"E'{literal}'".replace('\\', '\\\\') if '\\' in literal else f"'{literal}'"), ()
