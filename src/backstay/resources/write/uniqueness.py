"""Uniqueness: of the rows of a batch among themselves, and beside those that are there.

The database sees to it. Only where it refused a batch is it asked which rows it was about, for all
rows at once; what it refuses even then, in a race, is told alike
(`backstay.resources.write.integrity`).
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from django.db import models
from django.db.models import Q

from backstay.errors import Fault, Problem
from backstay.resources.write.change import Batch, Change
from backstay.resources.write.members import columns_of

#: Alternatives of one WHERE; SQLite reads expressions up to a depth of 1 000.
_AT_ONCE = 200


@lru_cache(maxsize=1_024)
def unique_sets(model: type[models.Model]) -> tuple[tuple[str, ...], ...]:
    """The attributes that are unique together on every row, NULL being equal to nothing."""
    return tuple(dict.fromkeys(_unique_sets(model)))


def _unique_sets(model: type[models.Model]) -> Iterator[tuple[str, ...]]:
    for column in model._meta.concrete_fields:
        if column.unique and not isinstance(column, models.AutoField):
            yield (column.attname,)
    names = {column.name: column.attname for column in model._meta.concrete_fields}
    for together in model._meta.unique_together:
        yield tuple(names[name] for name in together)
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and _is_plain(constraint):
            yield tuple(names[name] for name in constraint.fields)


def _is_plain(constraint: models.UniqueConstraint) -> bool:
    """Whether values tell; a condition, or NULL that equals NULL, is left to the database."""
    is_plain = constraint.condition is None and constraint.nulls_distinct is not False
    return is_plain and bool(constraint.fields)


def refuse_duplicates(batch: Batch) -> None:
    """Refuse rows that would be the second of their kind (409 `duplicate`)."""
    for attributes in unique_sets(batch.resource.options.model):
        changes = [change for change in batch.open() if _touches(change, attributes)]
        if changes:
            _refuse_among_themselves(batch, changes, attributes)
            if batch.careful:
                _refuse_beside_others(batch, changes, attributes)


def _touches(change: Change, attributes: Sequence[str]) -> bool:
    """Whether the change gives the set a value that can be compared: all of it, one part new."""
    if change.verb not in ('create', 'update'):
        return False
    is_new = change.verb == 'create'
    if not is_new and not any(name in change.values for name in attributes):
        return False
    return all(_value(change, name) is not None for name in attributes)


def _value(change: Change, attribute: str) -> Any:
    if change.parent is not None and attribute == change.parent_attribute:
        return change.parent_key
    return change.value(attribute)


def _refuse_among_themselves(
    batch: Batch, changes: Sequence[Change], attributes: tuple[str, ...]
) -> None:
    first: dict[tuple[Any, ...], Change] = {}
    for change in changes:
        values = tuple(_value(change, name) for name in attributes)
        other = first.setdefault(values, change)
        if other is not change:
            for one, another in ((change, other), (other, change)):
                if not one.is_refused:
                    detail = f'Operation {another.asked.index} has the same value.'
                    _refuse(batch, one, attributes, detail)


def _refuse_beside_others(
    batch: Batch, changes: Sequence[Change], attributes: tuple[str, ...]
) -> None:
    model = batch.resource.options.model
    rows = model._base_manager.using(batch.using).order_by()
    asked = {tuple(_value(change, name) for name in attributes) for change in changes}
    leaving = _leaving(batch)
    taken: dict[tuple[Any, ...], Any] = {}
    for chunk in _chunks(list(asked)):
        each = (Q(**dict(zip(attributes, values, strict=True))) for values in chunk)
        where = Q(*each, _connector=Q.OR)
        for pk, *values in rows.filter(where).values_list('pk', *attributes):
            if pk not in leaving:
                taken[tuple(values)] = pk
    for change in changes:
        pk = taken.get(tuple(_value(change, name) for name in attributes))
        own = change.row.pk if change.row is not None else None
        if pk is not None and pk != own and not change.is_refused:
            _refuse(batch, change, attributes, 'Another row has the same value.')


def _leaving(batch: Batch) -> set[Any]:
    """Keys of the rows that the same batch deletes, which it does before it writes any."""
    if batch.resource.options.soft_delete:
        return set()
    return {change.row.pk for change in batch.open('delete') if change.row is not None}


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]


def _refuse(batch: Batch, change: Change, attributes: Sequence[str], detail: str) -> None:
    change.problem = duplicate(batch, change, attributes, detail)


def duplicate(batch: Batch, change: Change, attributes: Sequence[str], detail: str) -> Problem:
    """409 with pointers to the members whose values are there already."""
    names = {field.attname: name for name, field in batch.resource.fields().items()}
    columns = columns_of(batch.resource.options.model)
    faults = [
        Fault(pointer=f'{change.pointer}/{names[each]}', code='duplicate', detail=detail)
        for each in attributes
        if each in names and each in columns
    ]
    return Problem(detail, status=409, code='duplicate', errors=faults)
