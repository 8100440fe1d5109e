"""Deletion: the rows of a batch, and what becomes of other rows because of it.

Rows that refer to a deleted one are changed or deleted too: by Django (`SET_NULL`, `SET_DEFAULT`,
`SET()`, `CASCADE`) or by the database (`DO_NOTHING` over a foreign key that has its own action).
Whoever does it, each such row that a resource stands for gets the next version and an entry in the
journal. So the rows that may be meant are read before, locked, and compared with what is there
afterwards.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import models
from django.db.models import deletion

from backstay.errors import Problem
from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.write.change import Batch, Change, Intent
from backstay.resources.write.members import columns_of

#: Keys of one statement; SQLite does not take any number of parameters at once.
_AT_ONCE = 1_000
#: Rows of one model by their primary key.
_ByKey = dict[Any, models.Model]


def delete_with_consequences(batch: Batch, rows: Sequence[models.Model]) -> list[Batch]:
    """Delete the rows; return the changes that this caused in other rows, a batch per resource.

    The changes hold what the database stores now. Raises Problem 409 `in-use` where a reference
    forbids the deletion.
    """
    collector = _Collector(using=batch.using, origin=rows[0])
    try:
        collector.collect(list(rows))
    except (models.ProtectedError, models.RestrictedError):
        raise in_use() from None
    own = {(type(row), row.pk) for row in rows}
    before = {
        model: _locked(batch, model, {key for key in keys if (model, key) not in own})
        for model, keys in _affected(collector).items()
    }
    keys = [row.pk for row in rows]
    collector.delete()
    for row, key in zip(rows, keys, strict=True):
        row.pk = key  # Django takes it from what it deleted
    found = [(resource_of(model), model, affected) for model, affected in before.items()]
    return [
        Batch(
            asked=batch.asked,
            resource=resource,
            changes=list(_consequences(batch, model, affected)),
        )
        for resource, model, affected in found
        if resource is not None and affected
    ]


def in_use() -> Problem:
    """409: other rows reference this one."""
    return Problem('Other rows reference this one.', status=409, code='in-use')


def resource_of(model: type[models.Model]) -> type[Resource] | None:
    """The resource that stands for a model where its rows change as a consequence.

    Of several it is the first that can be written, or the first of all.
    """
    concrete = model._meta.concrete_model
    own = [each for each in resources() if each.options.model._meta.concrete_model is concrete]
    able = [each for each in own if any(_writes(grant) for grant in each.grants)]
    return next(iter(able or own), None)


def _writes(grant: Any) -> bool:
    return bool(grant.create or grant.write or grant.delete)


class _Collector(deletion.Collector):
    """Django's, which loads the rows that need an entry where Django would delete them unseen."""

    def can_fast_delete(self, objs: Any, from_field: Any = None) -> bool:
        model = objs._meta.model if hasattr(objs, '_meta') else getattr(objs, 'model', None)
        if model is not None and (resource_of(model) or _left_to_the_database(model)):
            return False
        return bool(super().can_fast_delete(objs, from_field))


def _affected(collector: _Collector) -> dict[type[models.Model], set[Any]]:
    """Primary keys of the rows that may be changed or deleted, by their models."""
    affected = {model: {row.pk for row in rows} for model, rows in collector.data.items()}
    updates: Any = collector.field_updates
    for (field, _), groups in updates.items():
        keys = {row.pk for rows in groups for row in rows}
        affected.setdefault(field.model, set()).update(keys)
    # What the database deletes by itself takes along what refers to that, whatever Django says.
    waiting: list[tuple[Iterable[models.Model], list[Any]]] = [
        (rows, _left_to_the_database(model)) for model, rows in collector.data.items()
    ]
    while waiting:
        rows, relations = waiting.pop()
        for relation in relations:
            model, field = relation.related_model, relation.field
            known = affected.setdefault(model, set())
            new = [row for row in _referring(collector.using, field, rows) if row.pk not in known]
            known.update(row.pk for row in new)
            if new:
                waiting.append((new, _relations(model)))
    return affected


def _relations(model: type[models.Model]) -> list[Any]:
    return list(deletion.get_candidate_relations_to_delete(model._meta))


def _left_to_the_database(model: type[models.Model]) -> list[Any]:
    """The relations to a model whose rows Django leaves alone when a row of the model goes."""
    # `DB_CASCADE` and its like came with Django 6.1.
    kind = getattr(deletion, 'DatabaseOnDelete', ())
    found = ((each, each.field.remote_field.on_delete) for each in _relations(model))
    return [each for each, rule in found if rule is models.DO_NOTHING or isinstance(rule, kind)]


def _referring(
    using: str, field: models.Field, rows: Iterable[models.Model]
) -> Iterator[models.Model]:
    every = list(rows)
    for start in range(0, len(every), _AT_ONCE):
        named = {f'{field.name}__in': every[start : start + _AT_ONCE]}
        yield from field.model._base_manager.using(using).filter(**named)


def _locked(batch: Batch, model: type[models.Model], keys: Iterable[Any]) -> _ByKey:
    """The rows as they are: Django read only what it needs of them, and locked none."""
    if resource_of(model) is None:
        return {}
    rows = model._base_manager.using(batch.using).select_for_update(of=('self',)).order_by('pk')
    return {row.pk: row for some in _chunks(keys) for row in rows.filter(pk__in=some)}


def _consequences(batch: Batch, model: type[models.Model], affected: _ByKey) -> Iterator[Change]:
    """A change for each row that is gone or that holds other values than before."""
    names = tuple(columns_of(model))
    rows = model._base_manager.using(batch.using)
    there = {row.pk: row for some in _chunks(affected) for row in rows.filter(pk__in=some)}
    for key, row in affected.items():
        before = {name: getattr(row, name) for name in names}
        now = there.get(key)
        if now is None:
            yield Change(asked=Intent(verb='delete'), row=row, before=before)
            continue
        values = {name: getattr(now, name) for name in names if getattr(now, name) != before[name]}
        if values:
            yield Change(asked=Intent(verb='update'), row=now, before=before, values=values)


def _chunks(keys: Iterable[Any]) -> Iterator[Sequence[Any]]:
    ordered = sorted(keys)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
