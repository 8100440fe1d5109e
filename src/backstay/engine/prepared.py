"""Prepared statements of PostgreSQL, run with as little as possible between them and libpq.

psycopg's own cursor asks for the type of every value and loads every cell; here all values are
text, and cells stay the bytes that were received.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, Error, OperationalError, errors, pq
from psycopg.adapt import PyFormat, Transformer

from backstay.engine.recent import Recent

#: Bytes of SQL that a connection has prepared; PostgreSQL takes some 70 times as many for it.
MAX_PREPARED = 512 * 1024
#: Bytes of SQL with its placeholders written, in this process.
_MAX_WRITTEN = 4 * 1024 * 1024


class PreparedCursor:
    """A cursor for Django's cursor wrapper, over one connection of psycopg.

    `columns` has the result of the last statement, column by column.
    """

    def __init__(self, connection: Connection[Any], *, prepare: bool) -> None:
        self._connection = connection
        self._prepare = prepare
        self.columns: list[list[bytes | None]] = []
        self._query: _Statement | None = None

    def execute(self, sql: str, params: Sequence[Any] = ()) -> None:
        """Run the statement. Raises psycopg's own errors."""
        statement = _statements.get(sql)
        if statement is None:
            statement = _Statement(numbered(sql))
            _statements.keep(sql, statement, size=2 * len(sql))
        text = statement.query
        values, types = self._dumped(params)
        self._query = statement
        connection = self._connection
        pgconn = connection.pgconn
        if not connection.autocommit and pgconn.transaction_status == pq.TransactionStatus.IDLE:
            connection.execute('SELECT 1')  # psycopg begins the transaction before a statement
        if self._prepare and statement.is_worth_preparing():
            result = pgconn.exec_prepared(self._name(text, types), values)
            if _is_outdated(result) and connection.autocommit:
                if name := self._names().remove((text, types)):
                    pgconn.exec_(b'DEALLOCATE ' + name)
                result = pgconn.exec_prepared(self._name(text, types), values)
        else:
            result = pgconn.exec_params(text, values, types)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise _error_of(result, pgconn)
        get, height = result.get_value, range(result.ntuples)
        self.columns = [[get(row, at) for row in height] for at in range(result.nfields)]

    def close(self) -> None:
        """Nothing is held."""

    def _dumped(self, params: Sequence[Any]) -> tuple[list[Any], tuple[int, ...]]:
        """Return the values as text, and their types: 0 for those that the statement casts itself.

        Values that are not text are constants of a declaration, with the type that psycopg gives.
        """
        values: list[Any] = []
        types: list[int] = []
        for each in params:
            if each is None or isinstance(each, str):
                values.append(None if each is None else each.encode())
                types.append(0)
            else:
                dumper = Transformer(self._connection).get_dumper(each, PyFormat.TEXT)
                values.append(dumper.dump(each))
                types.append(dumper.oid)
        return values, tuple(types)

    def _name(self, text: bytes, types: tuple[int, ...]) -> bytes:
        """Return the name under which this connection has the statement prepared."""
        raw: Any = self._connection
        names = self._names()
        if name := names.get((text, types)):
            return name
        pgconn = self._connection.pgconn
        raw._backstay_names = getattr(raw, '_backstay_names', 0) + 1
        name = f'backstay_{raw._backstay_names}'.encode()
        result = pgconn.prepare(name, text, types)
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise _error_of(result, pgconn)
        for old in names.keep((text, types), name, size=len(text)):
            pgconn.exec_(b'DEALLOCATE ' + old)
        return name

    def _names(self) -> 'Recent[tuple[bytes, tuple[int, ...]], bytes]':
        """Return the names of the statements that this connection has prepared."""
        kept = self._connection.__dict__
        if '_backstay_prepared' not in kept:
            kept['_backstay_prepared'] = Recent(MAX_PREPARED)
        names: Recent[tuple[bytes, tuple[int, ...]], bytes] = kept['_backstay_prepared']
        return names


def _error_of(result: pq.abc.PGresult, pgconn: pq.abc.PGconn) -> Error:
    if pgconn.status == pq.ConnStatus.BAD:  # without a SQLSTATE, it would be of no kind
        return OperationalError(pgconn.get_error_message())
    return errors.error_from_result(result, encoding='utf-8')


def _is_outdated(result: pq.abc.PGresult) -> bool:
    """Whether a migration changed the columns of the statement after it was prepared."""
    if result.status == pq.ExecStatus.TUPLES_OK:
        return False
    return result.error_field(pq.DiagnosticField.SQLSTATE) == b'0A000'


@dataclass(slots=True)
class _Statement:
    """A statement as PostgreSQL reads it; Django's query log asks for `query`."""

    query: bytes
    uses: int = 0

    def is_worth_preparing(self) -> bool:
        """Whether the statement was run before, as most shapes of filters and masks are not.

        A statement that alone would push out many others is planned anew each time.
        """
        self.uses += 1
        return self.uses > 1 and len(self.query) <= MAX_PREPARED // 8


_statements: Recent[str, _Statement] = Recent(_MAX_WRITTEN)


def numbered(sql: str) -> bytes:
    """Return the statement with PostgreSQL's own placeholders, `$1` for the first `%s`.

    >>> numbered("SELECT %s LIKE '5%%', %s")
    b"SELECT $1 LIKE '5%', $2"
    """
    parts = re.split(r'%([s%])', sql)
    written, count = [parts[0]], 0
    for kind, text in zip(parts[1::2], parts[2::2], strict=True):
        if kind == 's':
            count += 1
        written.append(f'${count}{text}' if kind == 's' else f'%{text}')
    return ''.join(written).encode()
