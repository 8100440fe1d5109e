"""Which declared orders no index serves: of such a list the database sorts every row for a page."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.db import connections, models
from django.db.models.expressions import OrderBy

from backstay.engine import Engine, engine_of
from backstay.engine.comparisons import Bytewise
from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.errors import DeclarationError
from backstay.resources.write.members import columns_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _IndexColumn:
    """A column in an order or in an index, by its name."""

    name: str
    descending: bool = False
    #: Whether texts come in the order of their bytes.
    bytewise: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _OrderIndex:
    """An index over all rows of a table."""

    columns: tuple[_IndexColumn, ...]
    #: Whether no two rows are equal in all of its columns.
    unique: bool

    def serves(self, wanted: Sequence[_IndexColumn]) -> bool:
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


def check_orders(**_: Any) -> list[CheckMessage]:
    """Return a warning for every resource whose declared order no index serves."""
    if root := getattr(settings, 'ROOT_URLCONF', ''):
        import_module(root)  # which knows them all
    found: list[CheckMessage] = []
    for resource in resources():
        with suppress(DeclarationError):  # which another check tells
            found += check_order(resource)
    return found


def check_order(resource: type[Resource]) -> Iterator[CheckMessage]:
    """Find a declared order that no index serves (`backstay.W054`).

    Orders through relations and of computed values have none. On SQLite, which sorts NULL first,
    an ascending order by a column that may be NULL has none either; that is not told.
    """
    options = resource.options
    if options.short_lists or not options.model._meta.managed:
        return
    engine = engine_of(connections['default'])
    wanted = declared_order(resource, engine)
    if wanted is None or not any(each.serves(wanted) for each in indexes_of(options.model, engine)):
        spelled = ', '.join(options.ordering)
        yield checks.Warning(
            f'No index serves Meta.ordering ({spelled}): each page sorts all rows of its list.',
            hint='Add one to the model, with Bytewise(F(…)) of texts on PostgreSQL; or say '
            '`short_lists = True` where the lists are short, however large the table is.',
            obj=f'{resource.__module__}.{resource.__qualname__}',
            id='backstay.W054',
        )


def declared_order(resource: type[Resource], engine: Engine) -> tuple[_IndexColumn, ...] | None:
    """Return the columns of the declared order; None where one of its keys is no column."""
    model, found = resource.options.model, []
    for key in resource.options.ordering:
        field = resource.fields().get(key.removeprefix('-'))
        computing: Any = getattr(field and field.declared, 'expression', None)
        is_alias = type(computing) is models.F  # a column by another name
        attname = computing.name if is_alias else field.attname if field else 'pk'
        column = model._meta.pk if attname == 'pk' else columns_of(model).get(attname)
        if column is None:
            return None
        is_text = field is not None and field.kind.is_bytewise
        found.append(
            _IndexColumn(
                name=str(column.column),
                descending=key.startswith('-'),
                bytewise=is_text and not engine.sorts_text_bytewise,
            )
        )
    return tuple(found)


def indexes_of(model: type[models.Model], engine: Engine) -> Iterator[_OrderIndex]:
    """Yield the indexes over all rows of the model's table that Django knows of."""
    options: Any = model._meta
    for field in options.local_concrete_fields:
        if field.primary_key or field.unique or field.db_index:
            column = _plain(field, engine)
            yield _OrderIndex(columns=(column,), unique=field.primary_key or field.unique)
    constraints = [
        each for each in options.constraints if isinstance(each, models.UniqueConstraint)
    ]
    for declared in (*options.indexes, *constraints):
        if getattr(declared, 'condition', None) is not None:
            continue
        found = [*_columns(declared, options, engine)]
        columns = tuple(each for each in found if each is not None)
        if len(columns) == len(found):
            unique = isinstance(declared, models.UniqueConstraint)
            yield _OrderIndex(columns=columns, unique=unique)
    for names in options.unique_together:
        fields = (options.get_field(name) for name in names)
        yield _OrderIndex(columns=tuple(_plain(each, engine) for each in fields), unique=True)


def _columns(declared: Any, options: Any, engine: Engine) -> Iterator[_IndexColumn | None]:
    """Yield the columns of an index or constraint; None for what is no column."""
    orders = getattr(declared, 'fields_orders', [(name, '') for name in declared.fields])
    for name, order in orders:
        yield _plain(options.get_field(name), engine, descending=bool(order))
    for expression in declared.expressions:
        descending = isinstance(expression, OrderBy) and expression.descending
        inner: Any = expression.expression if isinstance(expression, OrderBy) else expression
        bytewise = isinstance(inner, Bytewise)
        (inner,) = inner.expressions if bytewise else (inner,)
        name = getattr(inner, 'name', '') if type(inner) is models.F else ''
        if not name or '__' in name:
            yield None
            continue
        column = _plain(options.get_field(name), engine, descending=descending)
        is_sorted = bytewise and not engine.sorts_text_bytewise
        yield replace(column, bytewise=True) if is_sorted else column


def _plain(field: Any, engine: Engine, *, descending: bool = False) -> _IndexColumn:
    is_bytewise = getattr(field, 'db_collation', None) == 'C'
    return _IndexColumn(
        name=field.column,
        descending=descending,
        bytewise=is_bytewise and not engine.sorts_text_bytewise,
    )
