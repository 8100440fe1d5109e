"""Finds the parts of a read that no index of the table serves: it grows with its table.

It looks at declared indexes alone, so it says the same of an empty table as of a large one, where
the database's own explanation depends on the rows that there are.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import structlog
from django.conf import settings
from django.db import connections
from django.db.models import Model

from backstay.engine import engine_of
from backstay.resources.declaration.indexes import indexes_of
from backstay.resources.declaration.resource import Resource
from backstay.resources.declaration.shape import Field
from backstay.resources.kinds.operators import Op
from backstay.resources.query.nodes import AllRows, And, Condition, Leaf, OneRow, Shape

#: Operators by which an index finds few rows.
_SERVED = frozenset({Op.EQ, Op.IN, Op.GT, Op.GE, Op.LT, Op.LE, Op.IS_NULL, Op.ANY})

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def unindexed(resource: type[Resource], shape: Shape) -> list[str]:
    """Return a sentence for an order and one for a filter that no index serves.

    A filter with one comparison that an index serves is served; the others look at what it finds.
    An order is served where it begins like an index, or where the filter leaves few rows to sort.
    """
    if isinstance(shape.page, OneRow):
        return []
    leaves = [*_leaves(shape.where)]
    told = [f'`{leaf.field}` {leaf.op.value}' for leaf in leaves]
    is_found = any(leaf.op in _SERVED and _begins_index(resource, leaf.field) for leaf in leaves)
    found = []
    if leaves and not is_found:
        found.append(f'No index serves the filter {", ".join(told)}: it looks at every row.')
    key = shape.order[0] if shape.order else None
    is_sorted = key is None or (not key.relation and _begins_index(resource, key.field))
    if key and not (is_sorted or is_found or isinstance(shape.page, AllRows)):
        path = f'{key.relation}.{key.field}' if key.relation else key.field
        found.append(f'No index serves the order by `{path}`: it sorts every row.')
    return found


def warn(resource: Any, shape: Shape) -> None:
    """Log on a developer's machine what no index of a resource serves, once for each shape."""
    if getattr(getattr(settings, 'BACKSTAY', None), 'env', '') == 'local':
        _warn_once(resource, shape)


@lru_cache(maxsize=1_024)
def _warn_once(resource: Any, shape: Shape) -> None:
    for sentence in unindexed(resource, shape):
        _log.warning(sentence, resource=resource.options.name)


def _leaves(condition: Condition) -> Iterator[Leaf]:
    """Yield the comparisons of the listed rows themselves that all have to hold."""
    match condition:
        case Leaf(relation=''):
            yield condition
        case And(parts=parts):
            for part in parts:
                yield from _leaves(part)


def _begins_index(resource: type[Resource], name: str) -> bool:
    field: Field | None = resource.fields().get(name)
    if field is None or not field.attname:
        return False
    model: Any = resource.options.model
    return model._meta.get_field(field.attname).column in _first_columns(model)


@lru_cache(maxsize=256)
def _first_columns(model: type[Model]) -> frozenset[str]:
    """Return the columns with which an index of the whole table begins, in whichever collation."""
    engine = engine_of(connections['default'])
    return frozenset(index.columns[0].name for index in indexes_of(model, engine))
