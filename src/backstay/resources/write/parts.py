"""Parts of one row in several tables: what a write of one part means for the others.

A row of a child model (multi-table inheritance) is a row of its parents too, and each model may
have a resource. Whatever is written of a shared column, through whichever of them, is a change of
the row for all: each gets the next version and an entry in the journal. The parts in parents'
tables come with the row; those of its children and of other children of its parents are looked up.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import models
from django.db.models import F

from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.write.change import Batch, Change, Intent, Verb
from backstay.resources.write.deletion import resource_of
from backstay.resources.write.lost_links import lock_rows
from backstay.resources.write.members import columns_of


def versions_of(model: type[models.Model]) -> Set[str]:
    """Return the versions in the tables of a row: each resource of a part may have its own."""
    return _versions_of(model, resources())


@lru_cache(maxsize=1_024)
def _versions_of(model: type[models.Model], declared: Sequence[type[Resource]]) -> frozenset[str]:
    own = columns_of(model)
    found = set()
    for resource in declared:
        name = resource.options.version
        if name and columns_of(resource.options.model).get(name) is own.get(name) is not None:
            found.add(name)
    return frozenset(found)


def verb_of(resource: type[Resource], change: Change) -> Verb:
    """Return what a change of a row is to the resource of another part of it."""
    if change.verb == 'create' or resource.options.soft_delete in change.values:
        return change.verb
    return 'update'


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Another model that a row may be of, whose table does not come with the row."""

    model: type[models.Model]
    resource: type[Resource]
    #: The attribute of the key that both share, and those of all columns that they share.
    key: str
    shared: frozenset[str]


@lru_cache(maxsize=1_024)
def _other_parts(
    model: type[models.Model], declared: Sequence[type[Resource]]
) -> tuple[_Part, ...]:
    own = columns_of(model)
    family = {model._meta.concrete_model, *model._meta.all_parents}
    known = (each.options.model._meta.concrete_model for each in declared)
    found = []
    for part in dict.fromkeys(each for each in known if each is not None and each not in family):
        common = next((each for each in part._meta.all_parents if each in family), None)
        resource = resource_of(part)
        if common is not None and resource is not None:
            columns = columns_of(part).items()
            shared = frozenset(name for name, column in columns if own.get(name) is column)
            key = common._meta.pk.attname
            found.append(_Part(model=part, resource=resource, key=key, shared=shared))
    return tuple(found)


def change_other_parts(batch: Batch, changes: Sequence[Change]) -> Iterator[Batch]:
    """Write the next version of parts in children's tables; yield what changed for each of them.

    `changes` are written, and their rows locked.
    """
    for part in _other_parts(batch.resource.options.model, resources()):
        key, shared = part.key, part.shared
        written = {
            getattr(change.row, key): change
            for change in changes
            if not shared.isdisjoint(change.values)
        }
        rows = lock_rows(batch, part.model, written, by=key)
        versions = versions_of(part.model) - shared
        if rows and versions:
            stored = part.model._base_manager.using(batch.using).filter(pk__in=rows)
            stored.update(**{name: F(name) + 1 for name in versions})
        there = (
            _seen_by(part.resource, row, written[getattr(row, key)], shared, versions)
            for row in rows.values()
        )
        if found := list(there):
            yield Batch(asked=batch.asked, resource=part.resource, changes=found)


def _seen_by(
    resource: type[Resource], row: Any, written: Change, shared: Set[str], versions: Set[str]
) -> Change:
    """Return a change of a row as the change of another part of it, which was read afterwards."""
    values = {name: value for name, value in written.values.items() if name in shared}
    values |= {name: getattr(row, name) + 1 for name in versions}
    before = {name: getattr(row, name) for name in columns_of(type(row))}
    before |= {name: written.before.get(name) for name in values.keys() & shared}
    for name, value in values.items():
        setattr(row, name, value)
    verb = verb_of(resource, written)
    return Change(asked=Intent(verb=verb), row=row, before=before, values=values)
