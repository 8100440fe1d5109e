"""Storing: rows of a batch, in few statements however many they are."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from django.db import models
from django.db.models.deletion import Collector
from django.utils import timezone

from backstay.errors import Problem
from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.write.change import Batch, Change
from backstay.resources.write.members import columns_of

#: Keys of one statement; SQLite takes no number of parameters at once.
_AT_ONCE = 1_000


def create_rows(batch: Batch) -> None:
    """Insert the new rows, with what their models give them by themselves."""
    model = batch.resource.options.model
    changes = list(batch.open('create'))
    for change in changes:
        if change.parent is not None:
            change.values[change.parent_attribute] = change.parent_key
        change.row = model(**change.values)
        _refuse_missing(batch, change)
    changes = [change for change in changes if not change.is_refused]
    rows = [change.row for change in changes if change.row is not None]
    if not rows:
        return
    if model._meta.parents:  # Django cannot insert rows of two tables at once
        for row in rows:
            row.save(using=batch.using, force_insert=True)
    else:
        model._base_manager.using(batch.using).bulk_create(rows)
    _read_back(batch, changes)


def update_rows(batch: Batch) -> None:
    """Write the changed attributes; a row that would stay as it is stays."""
    changes = [change for change in batch.open('update') if is_changed(change)]
    _store(batch, changes, lambda change: change.values)


def restore_rows(batch: Batch) -> None:
    """Take back soft deletes."""
    attribute = batch.resource.options.soft_delete
    _store(batch, list(batch.open('restore')), lambda _: {attribute: None})


def delete_rows(batch: Batch) -> None:
    """Delete rows, softly where the resource has that, and else with what hangs on them."""
    changes = list(batch.open('delete'))
    attribute = batch.resource.options.soft_delete
    if attribute:
        now = timezone.now()
        _store(batch, changes, lambda _: {attribute: now})
        return
    rows = [change.row for change in changes if change.row is not None]
    if rows:
        _delete(batch, rows)


def is_changed(change: Change) -> bool:
    """Whether an update has anything to do."""
    return bool(change.values or change.related)


def _refuse_missing(batch: Batch, change: Change) -> None:
    """A column that needs a value, and that neither the client nor the server gave one."""
    for attribute in _needed(batch.resource.options.model):
        if getattr(change.row, attribute) is None:
            named = (n for n, each in batch.resource.fields().items() if each.attname == attribute)
            name = next(named, None)
            detail = f'`{name}` is required.' if name else 'A value is missing.'
            change.refuse(f'/{name}' if name else '', 'required', detail)


@lru_cache(maxsize=1_024)
def _needed(model: type[models.Model]) -> tuple[str, ...]:
    """Attributes that are never NULL and that nothing sets by itself."""
    return tuple(
        name
        for name, column in columns_of(model).items()
        if not (column.null or column.generated or isinstance(column, models.AutoField))
        and not (getattr(column, 'auto_now', False) or getattr(column, 'auto_now_add', False))
    )


def _store(batch: Batch, changes: Sequence[Change], values_of: Any) -> None:
    """Write attributes, the next version, and what the model sets by itself on every change."""
    if not changes:
        return
    options = batch.resource.options
    columns = columns_of(options.model)
    touched: dict[str, None] = {}
    for change in changes:
        row: Any = change.row
        values = dict(values_of(change))
        if options.version:
            values[options.version] = (getattr(row, options.version) or 0) + 1
        for name, value in values.items():
            setattr(row, name, value)
        for name, column in columns.items():
            if getattr(column, 'auto_now', False):
                values[name] = column.pre_save(row, add=False)
        change.values |= values
        touched |= dict.fromkeys(values)
    if not touched:
        return
    rows: list[Any] = [change.row for change in changes]
    manager = options.model._base_manager.using(batch.using)
    if len(rows) == 1:
        values = {columns[name].name: getattr(rows[0], name) for name in touched}
        manager.filter(pk=rows[0].pk).update(**values)
    else:
        manager.bulk_update(rows, [columns[name].name for name in touched])
    if any(column.generated for column in columns.values()):
        _read_back(batch, changes)


def _read_back(batch: Batch, changes: Sequence[Change]) -> None:
    """Read the rows again where the database made some of their values."""
    columns = columns_of(batch.resource.options.model).values()
    made = [column.attname for column in columns if _is_made(column)]
    rows: dict[Any, Any] = {change.row.pk: change.row for change in changes if change.row}
    if not made or not rows:
        return
    read = batch.resource.options.model._base_manager.using(batch.using).filter(pk__in=rows)
    for pk, *values in read.values_list('pk', *made):
        for name, value in zip(made, values, strict=True):
            setattr(rows[pk], name, value)


def _is_made(column: models.Field) -> bool:
    default = getattr(column, 'db_default', models.NOT_PROVIDED)
    return column.generated or default is not models.NOT_PROVIDED


class _Collector(Collector):
    """Django's, which loads what the journal tells of, where Django would delete it unseen."""

    def can_fast_delete(self, objs: Any, from_field: Any = None) -> bool:
        model = objs._meta.model if hasattr(objs, '_meta') else getattr(objs, 'model', None)
        is_told_of = model is not None and resource_of(model) is not None
        return not is_told_of and bool(super().can_fast_delete(objs, from_field))


def _delete(batch: Batch, rows: Sequence[models.Model]) -> None:
    collector = _Collector(using=batch.using, origin=rows[0])
    try:
        collector.collect(list(rows))
    except (models.ProtectedError, models.RestrictedError):
        raise in_use() from None
    own = {(type(row), row.pk) for row in rows}
    for model, found in collector.data.items():
        if resource := resource_of(model):
            below = [row.pk for row in found if (model, row.pk) not in own]
            batch.cascaded += [(resource, row) for row in _locked(batch, model, below)]
    keys = [row.pk for row in rows]
    collector.delete()
    for row, key in zip(rows, keys, strict=True):
        row.pk = key  # Django takes it from what it deleted


def _locked(batch: Batch, model: type[models.Model], keys: Sequence[Any]) -> Iterator[models.Model]:
    """The rows as they are: Django read of them what it needs to delete them, and locked none."""
    rows = model._base_manager.using(batch.using).select_for_update(of=('self',)).order_by('pk')
    ordered = sorted(keys)
    for start in range(0, len(ordered), _AT_ONCE):
        yield from rows.filter(pk__in=ordered[start : start + _AT_ONCE])


def in_use() -> Problem:
    """409: other rows need this one."""
    return Problem('Other rows need this one.', status=409, code='in-use')


def resource_of(model: type[models.Model]) -> type[Resource] | None:
    """The resource that stands for a model where rows of it change by themselves.

    Of several it is the first that can be written, or the first of all.
    """
    own = [each for each in resources() if each.options.model is model]
    able = [each for each in own if any(_writes(grant) for grant in each.grants)]
    return next(iter(able or own), None)


def _writes(grant: Any) -> bool:
    return bool(grant.create or grant.write or grant.delete)
