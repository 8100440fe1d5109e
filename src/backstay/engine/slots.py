"""Slots: places in the SQL for values that are bound per request.

A slot compiles to a placeholder whose parameter is the slot itself; `bind` puts the values in. So a
compiled statement holds no value, whatever the request asks.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.sql.compiler import SQLCompiler

from backstay.engine.forms import Binding, Bindings, cast_binding, json_binding
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

    def __init__(self, key: SlotKey, field: models.Field, bindings: Bindings | None = None) -> None:
        """`bindings` are those of the field's kind; without them Django's own are taken."""
        super().__init__(output_field=field)
        self.key = key
        self.bindings = bindings

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> Sql:
        return self._bound_by(self._binding('postgresql', connection))

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        return self._bound_by(self._binding('sqlite', connection))

    @property
    def is_spelled(self) -> bool:
        """Whether the value has several spellings on some engine."""
        return any(each.ends for each in (self.bindings or {}).values())

    def _binding(self, engine: str, connection: BaseDatabaseWrapper) -> Binding:
        if self.bindings is not None:
            return self.bindings[engine]
        field = self.output_field
        if engine == 'postgresql':
            return cast_binding(field.cast_db_type(connection) or 'text')
        return json_binding(lambda value: field.get_db_prep_value(value, connection))

    def _bound_by(self, binding: Binding) -> Sql:
        return binding.sql, (Parameter(self.key, binding.adapt),)


class ListSlot(Slot):
    """A list of values, bound as one array, so that its length is not part of the SQL."""

    def _bound_by(self, binding: Binding) -> Sql:
        return binding.list_sql, (Parameter(self.key, binding.adapt_list),)


class AloneSlot(ListSlot):
    """One value, bound as the array of all forms that it is stored in."""

    def _bound_by(self, binding: Binding) -> Sql:
        return binding.list_sql, (Parameter(self.key, lambda value: binding.adapt_list([value])),)


class EndSlot(Slot):
    """The lowest or the highest spelling of a value that has several."""

    def __init__(self, slot: Slot, end: Literal[0, 1]) -> None:
        super().__init__(slot.key, slot.output_field, slot.bindings)
        self.end = end

    def _bound_by(self, binding: Binding) -> Sql:
        adapt = binding.ends[self.end] if binding.ends else binding.adapt
        return binding.sql, (Parameter(self.key, adapt),)


class ExactSlot(Slot):
    """One value that the database itself gave out before, such as a key of an order."""

    is_spelled = False  # it is compared as it was given out

    def _bound_by(self, binding: Binding) -> Sql:
        return binding.key_sql, (Parameter(self.key, binding.adapt_key),)


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
    """Return the parameters of one execution, with slots replaced by their adapted values."""
    bound: list[Any] = []
    for each in parameters:
        if isinstance(each, Parameter):
            value = values[each.key] if isinstance(each.key, int) else facts[each.key]
            bound.append(None if value is None else each.adapt(value))
        else:
            bound.append(each)
    return tuple(bound)


def close_escape(pattern: str) -> str:
    """Return the pattern with a backslash at its end taken literally; PostgreSQL refuses it."""
    trailing = len(pattern) - len(pattern.rstrip('\\'))
    return pattern + '\\' if trailing % 2 else pattern


def glob_of(pattern: str) -> str:
    """Return the GLOB pattern of a LIKE pattern; on SQLite only GLOB is case-sensitive."""
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


def _json_text(value: Any) -> str:
    return json.dumps(value, default=str)
