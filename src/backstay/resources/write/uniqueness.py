"""Uniqueness: of the rows of a batch among themselves, and beside those that are there.

The database enforces it. Only after it refused a batch is it asked which rows were in the way, for
all rows at once; a refusal even then, in a race, reads alike
(`backstay.resources.write.integrity`). A constraint that an engine cannot enforce is checked before
every write.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connections, models
from django.db.models import Q, Value

from backstay.errors import Fault, Problem, escape_pointer
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.write.change import Batch, Change
from backstay.resources.write.members import columns_of

#: Alternatives of one WHERE; SQLite reads expressions up to a depth of 1 000.
_AT_ONCE = 200
SAME_VALUE = 'Another row has the same value.'


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueSet:
    """Columns that are unique together."""

    attributes: tuple[str, ...]
    #: Holds for the rows among which they are unique; None if that is all rows.
    condition: Q | None = None
    #: Whether NULL is equal to nothing, not even to NULL.
    distinct_nulls: bool = True
    #: The constraint that declares it; None for `unique` and `unique_together`.
    constraint: models.UniqueConstraint | None = None

    def is_enforced(self, using: str) -> bool:
        """Whether the database enforces it."""
        features, constraint = connections[using].features, self.constraint
        if constraint is None:
            return True
        return bool(
            (not constraint.deferrable or features.supports_deferrable_unique_constraints)
            and (self.condition is None or features.supports_partial_indexes)
            and (
                constraint.nulls_distinct is None
                or features.supports_nulls_distinct_unique_constraints
            )
        )


@lru_cache(maxsize=1_024)
def unique_sets(model: type[models.Model]) -> tuple[UniqueSet, ...]:
    """Return every set of columns of a model that is unique, under a condition or always."""
    columns = model._meta.concrete_fields
    names = {column.name: column.attname for column in columns}
    alone = [
        UniqueSet(attributes=(column.attname,))
        for column in columns
        if column.unique and not isinstance(column, models.AutoField)
    ]
    together = [
        UniqueSet(attributes=tuple(names[name] for name in each))
        for each in model._meta.unique_together
    ]
    constraints = [
        UniqueSet(
            attributes=tuple(names[name] for name in each.fields),
            condition=each.condition,
            distinct_nulls=each.nulls_distinct is not False,
            constraint=each,
        )
        for each in model._meta.constraints
        if isinstance(each, models.UniqueConstraint) and each.fields
    ]
    return (*alone, *together, *constraints)


def names_one_row(resource: type[Resource], attributes: set[str]) -> bool:
    """Whether no two rows that are not deleted have the same values in all of these columns."""
    if attributes == {resource.options.model._meta.pk.attname}:
        return True
    return any(
        set(each.attributes) == attributes
        and (each.condition is None or _is_soft(each, resource.options.soft_delete))
        for each in unique_sets(resource.options.model)
    )


def _is_soft(unique: UniqueSet, soft_delete: str) -> bool:
    """Whether its condition is that the row is not deleted."""
    if unique.condition is None or not soft_delete:
        return False
    return unique.condition in (Q(**{f'{soft_delete}__isnull': True}), Q(**{soft_delete: None}))


def refuse_duplicates(batch: Batch) -> None:
    """Refuse rows whose unique values another row has (409 `duplicate`)."""
    for unique in unique_sets(batch.resource.options.model):
        asks = batch.careful or not unique.is_enforced(batch.using)
        is_known = unique.condition is None or _is_soft(unique, batch.resource.options.soft_delete)
        if not (asks or is_known):
            continue
        changes = [change for change in batch.open() if _touches(batch, change, unique)]
        if changes:
            _refuse_among_themselves(batch, changes, unique)
            if asks:
                _refuse_beside_others(batch, changes, unique)


def _touches(batch: Batch, change: Change, unique: UniqueSet) -> bool:
    """Whether the change gives the set values that can equal others."""
    is_soft = _is_soft(unique, batch.resource.options.soft_delete)
    match change.verb:
        case 'create':
            is_touched = True
        case 'update':
            # Other attributes on which its condition depends may have changed.
            is_touched = unique.condition is not None and not is_soft
            is_touched |= any(name in change.values for name in unique.attributes)
        case 'restore':
            is_touched = unique.condition is not None
        case _:
            is_touched = False
    if not is_touched:
        return False
    values = [_value(change, name) for name in unique.attributes]
    if unique.distinct_nulls and None in values:
        return False
    return unique.condition is None or is_soft or _holds(batch, change, unique.condition)


def _holds(batch: Batch, change: Change, condition: Q) -> bool:
    """Whether a condition holds for a row as it will be."""
    columns = columns_of(batch.resource.options.model)
    values = {
        column.name: Value(_value(change, name), output_field=column)
        for name, column in columns.items()
        if not column.generated
    }
    if change.verb == 'restore':
        deleted = columns[batch.resource.options.soft_delete]
        values[deleted.name] = Value(None, output_field=deleted)
    return condition.check(values, using=batch.using)


def _value(change: Change, attribute: str) -> Any:
    """Return the attribute as the row will hold it, if that is known before the write."""
    if change.parent is not None and attribute == change.parent_attribute:
        return change.parent_key
    if change.verb != 'create' or attribute in change.values:
        return change.value(attribute)
    return None


def _values(change: Change, unique: UniqueSet) -> tuple[Any, ...]:
    return tuple(_value(change, name) for name in unique.attributes)


def _refuse_among_themselves(batch: Batch, changes: Sequence[Change], unique: UniqueSet) -> None:
    first: dict[tuple[Any, ...], Change] = {}
    for change in changes:
        other = first.setdefault(_values(change, unique), change)
        if other is not change:
            for one, another in ((change, other), (other, change)):
                if not one.is_refused:
                    detail = f'Operation {another.asked.index} has the same value.'
                    if batch.depth:
                        detail = 'Another row of this request has the same value.'
                    one.problem = duplicate(
                        batch, one, unique.attributes, detail, unique.constraint
                    )


def _refuse_beside_others(batch: Batch, changes: Sequence[Change], unique: UniqueSet) -> None:
    model = batch.resource.options.model
    rows = model._base_manager.using(batch.using).order_by()
    if unique.condition is not None:
        rows = rows.filter(unique.condition)
    leaving = _leaving(batch, unique)
    taken: dict[tuple[Any, ...], Any] = {}
    wanted = list({_values(change, unique) for change in changes})
    for start in range(0, len(wanted), _AT_ONCE):
        each = (_equals(unique, values) for values in wanted[start : start + _AT_ONCE])
        where = Q(*each, _connector=Q.OR)
        for pk, *values in rows.filter(where).values_list('pk', *unique.attributes):
            if pk not in leaving:
                taken[tuple(values)] = pk
    for change in changes:
        pk = taken.get(_values(change, unique))
        own = change.row.pk if change.row is not None else None
        if pk is not None and pk != own and not change.is_refused:
            change.problem = duplicate(
                batch, change, unique.attributes, SAME_VALUE, unique.constraint
            )


def _equals(unique: UniqueSet, values: Sequence[Any]) -> Q:
    return Q(
        **{
            f'{name}__isnull' if value is None else name: True if value is None else value
            for name, value in zip(unique.attributes, values, strict=True)
        }
    )


def _leaving(batch: Batch, unique: UniqueSet) -> set[Any]:
    """Return the keys of rows that are deleted or change their values before others take them."""
    moving = {
        change.row.pk
        for change in batch.open('update')
        if change.row is not None and any(name in change.values for name in unique.attributes)
    }
    soft_delete = batch.resource.options.soft_delete
    if soft_delete and not _is_soft(unique, soft_delete):
        return moving
    return moving | {change.row.pk for change in batch.open('delete') if change.row is not None}


def duplicate(
    batch: Batch,
    change: Change,
    attributes: Sequence[str],
    detail: str,
    constraint: models.BaseConstraint | None = None,
) -> Problem:
    """Return a 409 with pointers to the members whose values exist already.

    The words and the code that the constraint itself declares come first.
    """
    faults = faults_of(batch, change, attributes, 'duplicate', detail, constraint)
    return Problem(words_of(constraint, detail), status=409, code='duplicate', errors=faults)


def words_of(constraint: models.BaseConstraint | None, otherwise: str) -> str:
    """Return the message that a constraint declares for its violation."""
    if constraint is None:
        return otherwise
    is_default = constraint.violation_error_message == constraint.default_violation_error_message
    return otherwise if is_default else str(constraint.get_violation_error_message())


def faults_of(
    batch: Batch,
    change: Change,
    attributes: Sequence[str],
    code: str,
    detail: str,
    constraint: models.BaseConstraint | None = None,
) -> list[Fault]:
    """Return a fault for each of the columns that was sent, or that the caller knows."""
    readable = Readable(batch.resource, batch.caller.standing())
    known = {*readable.names, *change.body}
    names = {field.attname: name for name, field in batch.resource.fields().items()}
    told = [names[each] for each in attributes if names.get(each) in known]
    given = [name for name in told if name in change.body]
    return [
        Fault(
            pointer=f'{change.pointer}/{escape_pointer(name)}',
            code=(constraint.violation_error_code if constraint is not None else None) or code,
            detail=words_of(constraint, detail),
        )
        for name in given or told
    ]
