"""Slots: places in the SQL for values that are bound per request.

A slot compiles to a placeholder whose parameter is the slot itself; `bind` puts the values in. So a
compiled statement holds no value, whatever the request asks.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.sql.compiler import SQLCompiler

from backstay.engine.pieces import Sql

#: Index of a value of the query, or the name of a fact of the request such as `origin`.
SlotKey = int | str

# Types of what expressions yield; made once, because making one costs more than an expression.
TEXT = models.TextField()
TRUTH = models.BooleanField()
NUMBER = models.BigIntegerField()


@dataclass(frozen=True, slots=True)
class Parameter:
    """Stands in a statement's parameters where a slot's value goes."""

    key: SlotKey
    #: Python value to what the driver takes.
    adapt: Callable[[Any], Any]


class Slot(Expression):
    """One value, typed as a model field."""

    def __init__(self, key: SlotKey, field: models.Field) -> None:
        super().__init__(output_field=field)
        self.key = key

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> Sql:
        field = self.output_field
        cast = _cast_type(field, connection)
        return f'%s::{cast}', (Parameter(self.key, _as_text(field)),)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        field = self.output_field
        sql = 'CAST(%s AS NUMERIC)' if isinstance(field, models.DecimalField) else '%s'
        return sql, (Parameter(self.key, _prepared(field, connection)),)


class ListSlot(Slot):
    """A list of values, bound as one array, so that its length is not part of the SQL."""

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> Sql:
        adapt = _as_text(self.output_field)
        cast = _cast_type(self.output_field, connection)
        return f'%s::{cast}[]', (
            Parameter(self.key, lambda values: _array_literal([adapt(each) for each in values])),
        )

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        value, adapt = 'value', _prepared(self.output_field, connection)
        match self.output_field:
            case models.DecimalField():
                value, adapt = 'CAST(value AS NUMERIC)', str
            case models.FloatField():
                # SQLite would not always read the same float out of JSON.
                value, adapt = 'backstay_read_float(value)', repr
        return f'(SELECT {value} FROM json_each(%s))', (
            Parameter(self.key, lambda values: json.dumps([adapt(each) for each in values])),
        )


class ExactSlot(Slot):
    """One value that the database itself gave out before, such as a key of an order.

    What SQLite computes as a decimal is a REAL, which may have more digits than its field.
    """

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        if isinstance(self.output_field, models.DecimalField):
            return '%s', (Parameter(self.key, float),)
        return super().as_sqlite(compiler, connection)


class PatternSlot(Slot):
    """A LIKE pattern: `%` and `_` are wildcards, a backslash takes their meaning away."""

    def __init__(self, key: SlotKey, *, glob: bool = False) -> None:
        super().__init__(key, TEXT)
        self.glob = glob

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> Sql:
        return '%s::text', (Parameter(self.key, close_escape),)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        return '%s', (Parameter(self.key, glob_of if self.glob else close_escape),)


class JsonSlot(Slot):
    """A JSON value as text."""

    def __init__(self, key: SlotKey) -> None:
        super().__init__(key, TEXT)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> Sql:
        return '%s::jsonb', (Parameter(self.key, _json_text),)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        return '%s', (Parameter(self.key, _json_text),)


def bind(
    parameters: Sequence[Any], values: Sequence[Any], facts: Mapping[str, Any]
) -> tuple[Any, ...]:
    """The parameters of one execution: slots replaced by their adapted values."""
    return tuple(
        _bound(each, values, facts) if isinstance(each, Parameter) else each for each in parameters
    )


def _bound(parameter: Parameter, values: Sequence[Any], facts: Mapping[str, Any]) -> Any:
    key = parameter.key
    value = values[key] if isinstance(key, int) else facts[key]
    return None if value is None else parameter.adapt(value)


def close_escape(pattern: str) -> str:
    """The pattern, with a backslash at its end taken literally; PostgreSQL would refuse it."""
    trailing = len(pattern) - len(pattern.rstrip('\\'))
    return pattern + '\\' if trailing % 2 else pattern


def glob_of(pattern: str) -> str:
    """The GLOB pattern, which on SQLite alone heeds case, of a LIKE pattern."""
    wildcards = {'%': '*', '_': '?'}
    written = []
    characters = iter(close_escape(pattern))
    for character in characters:
        if character == '\\':
            written.append(_glob_literal(next(characters)))
        else:
            written.append(wildcards.get(character) or _glob_literal(character))
    return ''.join(written)


def _glob_literal(character: str) -> str:
    return f'[{character}]' if character in '*?[' else character


def _cast_type(field: models.Field, connection: BaseDatabaseWrapper) -> str:
    """The type that a parameter is read as; the widest of its family, so that none overflows."""
    match field:
        case models.AutoField() | models.IntegerField():
            return 'bigint'
        case models.DecimalField():
            return 'numeric'
        case models.CharField() | models.TextField() | models.FileField():
            return 'text'
    return field.cast_db_type(connection) or 'text'


def _prepared(field: models.Field, connection: BaseDatabaseWrapper) -> Callable[[Any], Any]:
    if isinstance(field, models.IntegerField):
        return int  # what the field would come to, at a tenth of the cost: lists of ids are long

    def adapt(value: Any) -> Any:
        return field.get_db_prep_value(value, connection, prepared=False)

    return adapt


def _as_text(field: models.Field) -> Callable[[Any], Any]:
    """Every value goes to PostgreSQL as text and is cast there.

    psycopg types an int by its size, and each combination of types would be prepared anew.
    """
    match field:
        case models.BooleanField():
            return lambda value: 'true' if value else 'false'
        case models.DateTimeField() | models.DateField() | models.TimeField():
            return lambda value: value.isoformat()
        case models.DurationField():
            return lambda value: f'{value.days} days {value.seconds}.{value.microseconds:06d} s'
    return str


def _array_literal(values: Sequence[str]) -> str:
    """A PostgreSQL array as text (section 8.15.2 of its manual)."""
    quoted = (value.replace('\\', '\\\\').replace('"', '\\"') for value in values)
    return '{' + ','.join(f'"{value}"' for value in quoted) + '}'


def _json_text(value: Any) -> str:
    return json.dumps(value, default=str)
