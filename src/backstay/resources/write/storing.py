"""Storing: rows of a batch, in few statements however many they are."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import models
from django.utils import timezone

from backstay.encryption import KeyDestroyed, seal_rows
from backstay.encryption.declared import EncryptedField
from backstay.errors import Problem
from backstay.resources.kinds.numbers import range_of
from backstay.resources.write import granting
from backstay.resources.write.change import Batch, Change
from backstay.resources.write.deletion import (
    FORBIDDEN,
    delete_with_consequences,
    in_use,
    is_in_use,
    resource_of,
)
from backstay.resources.write.exchanges import make_way
from backstay.resources.write.integrity import one_row
from backstay.resources.write.members import columns_of, has_db_default
from backstay.resources.write.parts import change_other_parts, versions_of
from backstay.resources.write.permissions import not_permitted


def create_rows(batch: Batch) -> None:
    """Insert the new rows, with the values that their models and the database give them."""
    model = batch.resource.options.model
    changes = list(batch.open('create'))
    for change in changes:
        if change.parent is not None:
            change.values[change.parent_attribute] = change.parent_key
        change.row = model(**change.values)
        for attribute in _needed(model):
            if getattr(change.row, attribute) is None:
                known = granting.known_names(batch)
                fields = batch.resource.fields().items()
                named = (
                    name for name, each in fields if each.attname == attribute and name in known
                )
                name = next(named, None)
                detail = f'`{name}` is required.' if name else 'A value is missing.'
                change.refuse(f'/{name}' if name else '', 'required', detail)
    changes = [change for change in changes if not change.is_refused]
    if not changes:
        return
    if batch.careful:
        for change in changes:
            with one_row(batch, change):
                _insert(batch, [change])
    else:
        _insert(batch, changes)


def _insert(batch: Batch, changes: Sequence[Change]) -> None:
    model = batch.resource.options.model
    rows = [change.row for change in changes if change.row is not None]
    if model._meta.parents:  # Django cannot insert rows of two tables at once
        for row in rows:
            # Parents too are inserted: an existing row of theirs is not overwritten.
            row.save(using=batch.using, force_insert=(models.Model,))
    else:
        _seal(batch, rows)
        model._base_manager.using(batch.using).bulk_create(rows)
    _read_back(batch, changes)


def update_rows(batch: Batch) -> None:
    """Write the changed attributes; leave rows alone that would stay as they are."""
    _store(batch, [change for change in batch.open('update') if change.values], _values)


def touch_rows(batch: Batch) -> None:
    """Write the next version of rows whose children or links alone have changed."""
    changes = [change for change in batch.open('update') if not change.values]
    _store(batch, [change for change in changes if _is_changed_below(batch, change)], _values)


def is_written(batch: Batch, change: Change) -> bool:
    """Whether the change wrote anything: to its row, its links or its children."""
    return change.verb != 'update' or bool(change.values) or _is_changed_below(batch, change)


def _is_changed_below(batch: Batch, change: Change) -> bool:
    return bool(change.relinked) or any(
        child.parent is change and is_written(below, child)
        for below in batch.children.values()
        for child in below.open()
    )


def restore_rows(batch: Batch) -> None:
    """Undo soft deletes of rows."""
    attribute = batch.resource.options.soft_delete
    _store(batch, list(batch.open('restore')), lambda _: {attribute: None})


def delete_rows(batch: Batch) -> None:
    """Delete rows: softly if the resource does so, else with the rows that refer to them."""
    changes = list(batch.open('delete'))
    attribute = batch.resource.options.soft_delete
    if attribute:
        now = timezone.now()
        _store(batch, changes, lambda _: {attribute: now})
        return
    _refuse_parents(batch, changes)
    changes = [change for change in changes if not change.is_refused]
    rows = [change.row for change in changes if change.row is not None]
    if rows:
        try:
            batch.consequences = delete_with_consequences(batch, rows)
        except FORBIDDEN:
            # Of rows that only together are in use, any may be meant.
            used = [each for each in changes if each.row and is_in_use(batch, each.row)]
            for change in used or changes:
                change.problem = in_use()
            return
        for consequence in batch.consequences:
            _store(consequence, list(consequence.open('update')), _values)
            _take_over(batch, consequence)


def _refuse_parents(batch: Batch, changes: Sequence[Change]) -> None:
    """Refuse deletions of rows whose part in a parent's table the caller may not delete."""
    for parent in batch.resource.options.model._meta.all_parents:
        resource = resource_of(parent)
        if resource is None:
            continue
        keys = {change.row._get_pk_val(parent._meta): change for change in changes if change.row}
        inner = Batch(asked=batch.asked, resource=resource, changes=())
        decided = granting.decide(inner, list(keys), 'delete')
        for key, change in keys.items():
            if key not in decided:
                change.problem = not_permitted()


def _values(change: Change) -> Mapping[str, Any]:
    return change.values


def _take_over(batch: Batch, consequence: Batch) -> None:
    """Update the rows of the batch and of its parents to what the deletion of others left."""
    left = {change.row.pk: change.values for change in consequence.open('update') if change.row}
    model = consequence.resource.options.model
    affected: dict[int, Change] = {}
    for change in batch.open():
        at: Change | None = change
        while at is not None and id(at) not in affected:
            affected[id(at)] = at
            at = at.parent
    for change in affected.values():
        values = left.get(change.row.pk) if isinstance(change.row, model) else None
        if values:
            for name, value in values.items():
                setattr(change.row, name, value)
            change.before = {**change.before, **values}


@lru_cache(maxsize=1_024)
def _needed(model: type[models.Model]) -> tuple[str, ...]:
    """Return the attributes that are never NULL and that nothing sets by itself."""
    return tuple(
        name
        for name, column in columns_of(model).items()
        if not (column.null or column.generated or isinstance(column, models.AutoField))
        and not getattr(column.remote_field, 'parent_link', False)
        and not (getattr(column, 'auto_now', False) or getattr(column, 'auto_now_add', False))
    )


def _store(
    batch: Batch, changes: Sequence[Change], values_of: Callable[[Change], Mapping[str, Any]]
) -> None:
    """Write attributes, the next version, and values that the model sets on every change."""
    if not changes:
        return
    options = batch.resource.options
    columns = columns_of(options.model)
    versions = versions_of(options.model)
    touched: dict[str, None] = {}
    for change in changes:
        row: Any = change.row
        values = dict(values_of(change))
        for name in versions:
            values[name] = (getattr(row, name) or 0) + 1
        for name, value in values.items():
            setattr(row, name, value)
        for name, column in columns.items():
            if getattr(column, 'auto_now', False):
                values[name] = column.pre_save(row, add=False)
            owner = column.owner_column if isinstance(column, EncryptedField) else None
            if owner is not None and owner.attname in values:  # it gets a key of the new owner
                values[name] = vars(row)[name]
        change.values |= values
        touched |= dict.fromkeys(values)
    if not touched:
        return
    if batch.careful:
        make_way(batch, changes)
        for change in changes:
            if not change.is_refused:
                with one_row(batch, change):
                    _update(batch, [change], list(touched))
    else:
        _update(batch, changes, list(touched))
    stored = [change for change in changes if not change.is_refused]
    batch.parts += change_other_parts(batch, stored)


def _update(batch: Batch, changes: Sequence[Change], names: Sequence[str]) -> None:
    columns = columns_of(batch.resource.options.model)
    rows: list[Any] = [change.row for change in changes]
    _seal(batch, rows)
    manager = batch.resource.options.model._base_manager.using(batch.using)
    if len(rows) == 1:
        values = {columns[name].name: getattr(rows[0], name) for name in names}
        manager.filter(pk=rows[0].pk).update(**values)
    else:
        manager.bulk_update(rows, [columns[name].name for name in names])
    if any(column.generated for column in columns.values()):
        _read_back(batch, changes)


def _seal(batch: Batch, rows: Sequence[models.Model]) -> None:
    """Encrypt new values of rows, all with one look for their keys."""
    try:
        seal_rows(rows, using=batch.using)
    except KeyDestroyed:
        detail = 'The key of this row was destroyed: it takes no encrypted values any more.'
        raise Problem(detail, status=409, code='key-destroyed') from None


def _read_back(batch: Batch, changes: Sequence[Change]) -> None:
    """Read the values of the rows again that the database made."""
    columns = columns_of(batch.resource.options.model)
    made = [name for name, column in columns.items() if column.generated or has_db_default(column)]
    rows: dict[Any, Any] = {change.row.pk: change.row for change in changes if change.row}
    if not made or not rows:
        return
    read = batch.resource.options.model._base_manager.using(batch.using).filter(pk__in=rows)
    for pk, *values in read.values_list('pk', *made):
        for name, value in zip(made, values, strict=True):
            _refuse_misfit(columns[name], value)
            setattr(rows[pk], name, value)


def _refuse_misfit(column: models.Field, value: Any) -> None:
    """Raise OverflowError for a value that SQLite stores and the column's type cannot hold."""
    kind = getattr(column, 'output_field', column)
    match value:
        case float() if not math.isfinite(value):
            raise OverflowError
        case int() | float() if isinstance(kind, models.IntegerField):
            low, high = range_of(kind)
            if not low <= value <= high:
                raise OverflowError
        case str() if kind.max_length is not None and len(value) > kind.max_length:
            raise OverflowError
