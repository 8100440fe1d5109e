"""Deletion: the rows of a batch, and what becomes of other rows because of it.

Rows that refer to a deleted one are changed or deleted too: by Django (`SET_NULL`, `SET_DEFAULT`,
`SET()`, `CASCADE`) or by the database (`DO_NOTHING` over a foreign key that has its own action).
Whoever does it, each such row that a resource stands for gets the next version and an entry in the
journal. So the rows that may be meant are read before, locked, and compared with what is there
afterwards.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from django.db import models
from django.db.models import deletion

from backstay.errors import Problem
from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.write.change import Batch, Change, Intent
from backstay.resources.write.lost_links import Links, chunks, find_links, lock_rows
from backstay.resources.write.members import columns_of

#: Rows of one model by their primary key.
_ByKey = dict[Any, models.Model]


def delete_with_consequences(batch: Batch, rows: Sequence[models.Model]) -> list[Batch]:
    """Delete the rows; return the changes that this caused in other rows, a batch per resource.

    The changes hold what the database stores now. Raises ProtectedError or RestrictedError where a
    reference forbids the deletion, before anything is deleted.
    """
    collector = _collected(batch, rows)
    own = {(type(row), row.pk) for row in rows}
    going = _affected(collector)
    before = {
        model: _locked(batch, model, {key for key in keys if (model, key) not in own})
        for model, keys in going.items()
    }
    links = find_links(batch, going)
    keys = [row.pk for row in rows]
    collector.delete()
    for row, key in zip(rows, keys, strict=True):
        row.pk = key  # Django takes it from what it deleted
    found = [(resource_of(model), model, affected) for model, affected in before.items()]
    caused = [
        Batch(
            asked=batch.asked,
            resource=resource,
            changes=list(_consequences(batch, model, affected)),
        )
        for resource, model, affected in found
        if resource is not None and affected
    ]
    return [*caused, *_lost_links(batch, caused, links, {key for _, key in own})]


def _lost_links(
    batch: Batch, caused: Sequence[Batch], links: Sequence[Links], own: Collection[Any]
) -> Iterator[Batch]:
    """Yield the changes of rows that only lost links; rows that changed otherwise lose them too."""
    known = {
        (each.resource.options.model._meta.concrete_model, change.row.pk): change
        for each in caused
        for change in each.changes
        if change.row is not None
    }
    deleted = batch.resource.options.model._meta.concrete_model
    for each in links:
        model = each.resource.options.model._meta.concrete_model
        added = []
        for change, linked in each.changes(batch):
            key = change.row.pk if change.row is not None else None
            first = known.setdefault((model, key), change)
            if first.verb == 'delete' or (model is deleted and key in own):
                continue
            first.relinked[each.name] = linked
            if first is change:
                added.append(change)
        if added:
            yield Batch(asked=batch.asked, resource=each.resource, changes=added)


def _collected(batch: Batch, rows: Sequence[models.Model]) -> '_Collector':
    collector = _Collector(using=batch.using, origin=rows[0])
    collector.collect(list(rows))
    return collector


#: What forbids a deletion, as Django says it.
FORBIDDEN = (models.ProtectedError, models.RestrictedError)


def is_in_use(batch: Batch, row: models.Model) -> bool:
    """Return whether a reference forbids that this row is deleted by itself."""
    try:
        _collected(batch, [row])
    except FORBIDDEN:
        return True
    return False


def in_use() -> Problem:
    """409: other rows reference this one."""
    return Problem('Other rows reference this one.', status=409, code='in-use')


def resource_of(model: type[models.Model]) -> type[Resource] | None:
    """The resource that stands for a model where its rows change as a consequence.

    Of several it is the first that can be written, or the first of all.
    """
    return _resource_of(model._meta.concrete_model, resources())


@lru_cache(maxsize=1_024)
def _resource_of(
    concrete: type[models.Model] | None, declared: Sequence[type[Resource]]
) -> type[Resource] | None:
    own = [each for each in declared if each.options.model._meta.concrete_model is concrete]
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
                waiting.append((new, relations_to(model)))
    return affected


def relations_to(model: type[models.Model]) -> list[Any]:
    """Return the relations of other models to a model, hidden ones included."""
    return list(deletion.get_candidate_relations_to_delete(model._meta))


def _left_to_the_database(model: type[models.Model]) -> list[Any]:
    """The relations to a model whose rows Django leaves alone when a row of the model goes."""
    # `DB_CASCADE` and its like came with Django 6.1.
    kind = getattr(deletion, 'DatabaseOnDelete', ())
    found = ((each, each.field.remote_field.on_delete) for each in relations_to(model))
    return [each for each, rule in found if rule is models.DO_NOTHING or isinstance(rule, kind)]


def _referring(
    using: str, field: models.Field, rows: Iterable[models.Model]
) -> Iterator[models.Model]:
    by_key = {row.pk: row for row in rows}
    for some in chunks(by_key):
        named = {f'{field.name}__in': [by_key[key] for key in some]}
        yield from field.model._base_manager.using(using).filter(**named)


def _locked(batch: Batch, model: type[models.Model], keys: Iterable[Any]) -> _ByKey:
    """The rows as they are: Django read only what it needs of them, and locked none."""
    if resource_of(model) is None:
        return {}
    return lock_rows(batch, model, list(keys))


def _consequences(batch: Batch, model: type[models.Model], affected: _ByKey) -> Iterator[Change]:
    """A change for each row that is gone or that holds other values than before."""
    names = tuple(columns_of(model))
    rows = model._base_manager.using(batch.using)
    there = {row.pk: row for some in chunks(affected) for row in rows.filter(pk__in=some)}
    for key, row in affected.items():
        before = {name: getattr(row, name) for name in names}
        now = there.get(key)
        if now is None:
            yield Change(asked=Intent(verb='delete'), row=row, before=before)
            continue
        values = {name: getattr(now, name) for name in names if getattr(now, name) != before[name]}
        if values:
            yield Change(asked=Intent(verb='update'), row=now, before=before, values=values)
