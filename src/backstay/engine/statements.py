"""Statements that every request runs: compiled once by Django, then run with other values.

A query set costs Django some 300 µs each time it is built and compiled; the reads of authentication
differ only in one value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from backstay.engine import engine_of
from backstay.engine.slots import Slot, bind


class Statement:
    """A query set of value lists with slots in it, compiled once for each engine."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._compiled: dict[str, _Compiled] = {}

    def first(self, *values: Any) -> tuple[Any, ...] | None:
        """Return the first row for these values, or None, with one statement."""
        connection = connections[DEFAULT_DB_ALIAS]
        engine = engine_of(connection)
        compiled = self._compiled.get(engine.name)
        if compiled is None:
            compiler = self._make().query.get_compiler(connection=connection)
            sql, parameters = compiler.as_sql()
            columns = [column[0] for column in compiler.select]
            converters = compiler.get_converters(columns)
            compiled = self._compiled[engine.name] = _Compiled(
                sql=sql,
                parameters=tuple(parameters),
                parsers=tuple(_parser(column.output_field) for column in columns),
                converters=tuple((at, *each) for at, each in converters.items()),
            )
        parameters = bind(compiled.parameters, values, {})
        row = engine.first_row(connection, compiled.sql, parameters, compiled.parsers)
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


def _parser(field: models.Field) -> Callable[[str], Any]:
    match field:
        case models.DateTimeField():
            return datetime.fromisoformat
        case models.JSONField() | models.CharField() | models.TextField():
            return str
    return field.to_python


def text_slot(position: int) -> Slot:
    """Return the slot of a text in a statement, by the position of its value."""
    return Slot(position, models.CharField())
