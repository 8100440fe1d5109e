"""Indexes that models declare: what the database finds and sorts without a look at every row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import models
from django.db.models.expressions import OrderBy

from backstay.engine import Engine
from backstay.engine.comparisons import Bytewise


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexColumn:
    """A column in an order or in an index, by its name."""

    name: str
    descending: bool = False
    #: Whether texts come in the order of their bytes.
    bytewise: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index over all rows of a table."""

    columns: tuple[IndexColumn, ...]
    #: Whether no two rows are equal in all of its columns.
    unique: bool

    def serves(self, wanted: Sequence[IndexColumn]) -> bool:
        """Return whether rows come out of it in this order, read from either of its ends."""
        turns = set()
        for place, key in enumerate(wanted):
            if place == len(self.columns):
                return self.unique  # nothing is left to order
            column = self.columns[place]
            if (column.name, column.bytewise) != (key.name, key.bytewise):
                return False
            turns.add(column.descending != key.descending)
        return len(turns) < 2


def indexes_of(model: type[models.Model], engine: Engine) -> Iterator[Index]:
    """Yield the indexes over all rows of the model's table that Django knows of.

    Of one that goes on with an expression it is the columns before that.
    """
    options: Any = model._meta
    for field in options.local_concrete_fields:
        if field.primary_key or field.unique or field.db_index:
            column = _plain(field, engine)
            yield Index(columns=(column,), unique=field.primary_key or field.unique)
    constraints = [
        each for each in options.constraints if isinstance(each, models.UniqueConstraint)
    ]
    for declared in (*options.indexes, *constraints):
        if getattr(declared, 'condition', None) is not None:
            continue
        columns = tuple(_columns(declared, options, engine))
        if columns:
            is_whole = len(columns) == len(declared.fields) + len(declared.expressions)
            unique = is_whole and isinstance(declared, models.UniqueConstraint)
            yield Index(columns=columns, unique=unique)
    for names in options.unique_together:
        fields = (options.get_field(name) for name in names)
        yield Index(columns=tuple(_plain(each, engine) for each in fields), unique=True)


def _columns(declared: Any, options: Any, engine: Engine) -> Iterator[IndexColumn]:
    """Yield the columns of an index or constraint, up to an expression that is none."""
    orders = getattr(declared, 'fields_orders', [(name, '') for name in declared.fields])
    for name, order in orders:
        yield _plain(options.get_field(name), engine, descending=bool(order))
    for expression in declared.expressions:
        descending = isinstance(expression, OrderBy) and expression.descending
        inner: Any = expression.expression if isinstance(expression, OrderBy) else expression
        bytewise = isinstance(inner, Bytewise) or getattr(inner, 'collation', '') == 'C'
        (inner,) = inner.get_source_expressions() if bytewise else (inner,)
        name = getattr(inner, 'name', '') if type(inner) is models.F else ''
        if not name or '__' in name:
            return
        column = _plain(options.get_field(name), engine, descending=descending)
        is_sorted = bytewise and not engine.sorts_text_bytewise
        yield replace(column, bytewise=True) if is_sorted else column


def _plain(field: Any, engine: Engine, *, descending: bool = False) -> IndexColumn:
    is_bytewise = getattr(field, 'db_collation', None) == 'C'
    return IndexColumn(
        name=field.column,
        descending=descending,
        bytewise=is_bytewise and not engine.sorts_text_bytewise,
    )
