"""Statements of every request: compiled once by Django, then run with other values.

A query set costs Django some 300 µs each time it is built and compiled; what authentication asks is
always the same, but for one value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Subquery

from backstay.engine.slots import Slot, bind
from backstay.resources.conf import prepares_statements


class Statement:
    """A query set of value lists with slots in it, compiled once for each engine."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._compiled: dict[str, _Compiled] = {}

    def first(self, *values: Any) -> tuple[Any, ...] | None:
        """The first row for these values, or None: one statement."""
        connection = connections[DEFAULT_DB_ALIAS]
        compiled = self._compiled.get(connection.vendor)
        if compiled is None:
            compiled = self._compiled[connection.vendor] = _compile(self._make(), connection)
        run = _row_of_postgresql if connection.vendor == 'postgresql' else _row_of_sqlite
        row = run(compiled, bind(compiled.parameters, values, {}), connection)
        return None if row is None else compiled.converted(row, connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    sql: str
    parameters: tuple[Any, ...]
    #: From the text of each column to a Python value, where the driver gives nothing but text.
    parsers: tuple[Callable[[str], Any], ...]
    #: Position of a column, its functions from the driver's value to Python's, its expression.
    converters: tuple[tuple[int, list[Any], Any], ...]

    def converted(self, row: Any, connection: BaseDatabaseWrapper) -> tuple[Any, ...]:
        values = list(row)
        for position, functions, expression in self.converters:
            for function in functions:
                values[position] = function(values[position], expression, connection)
        return tuple(values)


def _compile(rows: Any, connection: BaseDatabaseWrapper) -> _Compiled:
    compiler = rows.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    columns = [column[0] for column in compiler.select]
    converters = compiler.get_converters(columns)
    return _Compiled(
        sql=sql,
        parameters=tuple(parameters),
        parsers=tuple(_parser(column.output_field) for column in columns),
        converters=tuple((at, *each) for at, each in converters.items()),
    )


def _parser(field: models.Field) -> Callable[[str], Any]:
    match field:
        case models.DateTimeField():
            return datetime.fromisoformat
        case models.JSONField() | models.CharField() | models.TextField():
            return str
    return field.to_python


def _row_of_sqlite(compiled: _Compiled, parameters: Any, connection: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(compiled.sql, parameters)
        return cursor.fetchone()


def _row_of_postgresql(compiled: _Compiled, parameters: Any, connection: Any) -> Any:
    """PostgreSQL prepares the statement: planning it takes longer than running it."""
    from backstay.engine.prepared import PreparedCursor

    connection.ensure_connection()
    raw = PreparedCursor(connection.connection, prepare=prepares_statements())
    connection._prepare_cursor(raw).execute(compiled.sql, parameters)
    cells = [column[0] if column else None for column in raw.columns]
    if not raw.columns or not raw.columns[0]:
        return None
    return [
        None if cell is None else parse(cell.decode())
        for parse, cell in zip(compiled.parsers, cells, strict=True)
    ]


def text_slot(position: int) -> Slot:
    """Where the text goes that a statement is asked for."""
    return Slot(position, models.CharField())


class JsonRows(Subquery):
    """The rows of a query set of four columns, as one JSON array of arrays; NULL without any."""

    _AGGREGATES: ClassVar = {
        'sqlite': 'json_group_array(json_array(a, b, c, d))',
        'postgresql': 'json_agg(json_build_array(a, b, c, d))::text',
    }

    def __init__(self, rows: Any) -> None:
        super().__init__(rows, output_field=models.TextField())

    def as_sql(
        self, compiler: Any, connection: BaseDatabaseWrapper, *_: Any, **context: Any
    ) -> Any:
        aggregate = self._AGGREGATES[connection.vendor]
        template = f'(WITH rows_(a, b, c, d) AS (%(subquery)s) SELECT {aggregate} FROM rows_)'  # noqa: S608 constants
        return super().as_sql(compiler, connection, template=template, **context)
