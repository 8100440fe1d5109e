"""Exchanges: rows of one batch that take unique values from each other.

Databases check a unique constraint row by row, so two rows cannot swap places in either order. Rows
in the way first get a value that no row has, and then the requested one.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, models, transaction
from django.db.models import Max, Min

from backstay.errors import Problem
from backstay.resources.kinds.numbers import range_of
from backstay.resources.write.change import Batch, Change
from backstay.resources.write.members import columns_of
from backstay.resources.write.uniqueness import UniqueSet, faults_of, unique_sets

_NO_VALUE_BETWEEN = (
    'Another row of this request has the value until it is changed, and no value can stand in '
    'between. Send two requests, the first of which frees the value.'
)


def make_way(batch: Batch, changes: Sequence[Change]) -> None:
    """Take unique values from rows that stand in the way of other changes.

    A change whose row can hold no value in between is refused (409 `duplicate`).
    """
    model = batch.resource.options.model
    rows = model._base_manager.using(batch.using)
    columns = columns_of(model)
    for unique in unique_sets(model):
        moving = [c for c in changes if any(name in c.values for name in unique.attributes)]
        wanted = {tuple(c.value(name) for name in unique.attributes): c for c in moving}
        has = ((c, tuple(c.before.get(name) for name in unique.attributes)) for c in moving)
        in_the_way = [c for c, values in has if wanted.get(values) not in (None, c)]
        for at, change in enumerate(in_the_way):
            for column, value in _in_between(rows, columns, change, unique, at):
                if _is_stored(batch, rows.filter(pk=change.row.pk), column, value):  # type: ignore[union-attr]
                    break
            else:
                faults = faults_of(batch, change, unique.attributes, 'duplicate', _NO_VALUE_BETWEEN)
                change.problem = Problem(
                    _NO_VALUE_BETWEEN, status=409, code='duplicate', errors=faults
                )


def _is_stored(batch: Batch, row: Any, column: models.Field, value: Any) -> bool:
    try:
        with transaction.atomic(using=batch.using):
            row.update(**{column.name: value})
    except IntegrityError:
        return False
    return True


def _in_between(
    rows: Any, columns: Any, change: Change, unique: UniqueSet, at: int
) -> Iterator[tuple[models.Field, Any]]:
    """Yield values that a row may hold for a moment, with their columns."""
    movable = [columns[name] for name in unique.attributes if name in change.values]
    if unique.distinct_nulls:
        yield from ((column, None) for column in movable if column.null)
    for column in movable:
        kind = type(column)
        if isinstance(column, models.ForeignKey):
            continue
        if isinstance(column, models.UUIDField):
            yield column, uuid4()
        elif isinstance(column, models.IntegerField):
            low, high = range_of(column)
            ends = rows.aggregate(low=Min(column.attname), high=Max(column.attname))
            if ends['high'] + 1 + at <= high:
                yield column, ends['high'] + 1 + at
            elif ends['low'] - 1 - at >= low:
                yield column, ends['low'] - 1 - at
        elif isinstance(column, models.CharField | models.TextField):
            yield column, uuid4().hex[: column.max_length]
        elif kind is models.DateField:
            yield column, date.max - timedelta(days=at)
