"""What the journal is told of a batch: fields as they were and are.

A field that no grant lets anybody read never leaves its row, so it is not in the journal either;
the values of sensitive and of encrypted ones are masked.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import models

from backstay.encryption import Sealed, Unsealed
from backstay.journal.recording import Step, record
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.declaration.shape import Field
from backstay.resources.write.change import Batch, Change
from backstay.resources.write.deletion import resource_of
from backstay.resources.write.members import columns_of
from backstay.resources.write.parts import verb_of
from backstay.resources.write.storing import is_written

MASKED = '***'
#: The types of most values, looked at first: each other question costs as much again.
_SHOWN_AS_IS = frozenset({bool, int, str, Decimal, datetime, date})


def write_journal(batch: Batch) -> None:
    """Write an entry for every row that was changed, first for those that changed with others.

    The entries are in the order in which it was done: a row may have gone for one with its key.
    """
    steps = [
        step
        for each in batch.consequences
        for change in each.changes
        for step in _steps(each.resource, change, is_gone=change.verb == 'delete')
    ]
    steps += [step for each in batch.consequences for step in _steps_of_parts(each)]
    is_soft = bool(batch.resource.options.soft_delete)
    steps += [
        step
        for change in sorted(batch.open(), key=lambda change: change.verb != 'delete')
        if is_written(batch, change)
        for step in _steps(batch.resource, change, is_gone=change.verb == 'delete' and not is_soft)
    ]
    steps += _steps_of_parts(batch)
    record(batch.caller, steps, using=batch.using)


def told_fields(resource: type[Resource]) -> Mapping[str, Field]:
    """The columns of a resource that the journal tells of, by name."""
    return _told_fields(Readable(resource))


@lru_cache(maxsize=1_024)
def _told_fields(readable: Readable) -> dict[str, Field]:
    resource = readable.resource
    return {
        name: field
        for name, field in resource.fields().items()
        if field.attname and any(grant.reads(name) for grant in resource.grants)
    }


def _steps(resource: type[Resource], change: Change, *, is_gone: bool) -> Iterator[Step]:
    """Yield the step of a row, and one for each part of it in a parent's table that changed too.

    Parts of a row that is gone are consequences of the deletion, with steps of their own.
    """
    yield _step(resource, change, change.verb, change.row.pk if change.row else None, is_gone)
    model = resource.options.model._meta.concrete_model
    for parent in () if is_gone or model is None else model._meta.all_parents:
        stands_for = resource_of(parent)
        touched = columns_of(parent).keys() & change.values.keys()
        if stands_for is not None and (touched or change.verb == 'create'):
            row: Any = change.row
            key = row._get_pk_val(parent._meta)
            yield _step(stands_for, change, verb_of(stands_for, change), key, is_gone=False)


def _steps_of_parts(batch: Batch) -> Iterator[Step]:
    """Yield a step for each part of its rows in a child's table, none of which is gone."""
    for each in batch.parts:
        for change in each.changes:
            key = change.row.pk if change.row else None
            yield _step(each.resource, change, change.verb, key, is_gone=False)


def _step(resource: type[Resource], change: Change, verb: str, key: Any, is_gone: bool) -> Step:
    row: Any = change.row
    after: dict[str, Any] | None = snapshot(resource, row)
    before: dict[str, Any] | None = None
    options = resource.options
    if verb != 'create':
        before = dict(_before(resource, change))
    if is_gone:
        before, after = after, None
    if after is not None:
        relinked = change.relinked.items()
        after |= {name: links[1] for name, links in relinked if name in resource.relations()}
    return Step(
        verb=verb,
        aggregate=options.model._meta.label_lower,
        resource=options.name,
        object_id=str(key),
        tenant=_tenant(resource, row),
        before=before,
        after=after,
        pending=options.events,
    )


def _before(resource: type[Resource], change: Change) -> Iterator[tuple[str, Any]]:
    """The changed fields as they were."""
    sensitive = resource.options.sensitive
    for name, field in told_fields(resource).items():
        if field.attname in change.values:
            yield name, _shown(change.before.get(field.attname), name in sensitive)
    for name, (linked, _) in change.relinked.items():
        if name in resource.relations():
            yield name, linked


def snapshot(resource: type[Resource], row: models.Model) -> dict[str, Any]:
    """The fields of a row as JSON can hold them."""
    sensitive = resource.options.sensitive
    return {
        name: _shown(getattr(row, field.attname), name in sensitive)
        for name, field in told_fields(resource).items()
    }


def _shown(value: Any, is_sensitive: bool) -> Any:
    if value is None or (type(value) in _SHOWN_AS_IS and not is_sensitive):
        return value
    if is_sensitive or isinstance(value, Sealed | Unsealed):
        return MASKED
    if isinstance(value, float) and not math.isfinite(value):
        return None  # as an answer has it
    if isinstance(value, models.fields.files.FieldFile):
        return value.name
    return value


def _tenant(resource: type[Resource], row: models.Model) -> str:
    name = resource.options.tenant
    if not name:
        return ''
    value = getattr(row, resource.fields()[name].attname)
    return '' if value is None else str(value)
