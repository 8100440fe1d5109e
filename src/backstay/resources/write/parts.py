"""Parts of one row in several tables: what a write of one part means for the others.

A row of a child model (multi-table inheritance) is a row of its parents too, and each model may
have a resource. Whatever is written of a shared column, through whichever of them, is a change of
the row for all: each gets the next version and an entry in the journal. The parts in parents'
tables come with the row; those of its children and of other children of its parents are looked up.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import models
from django.db.models import F

from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.write.change import Batch, Change, Intent, Verb
from backstay.resources.write.deletion import resource_of
from backstay.resources.write.lost_links import lock_rows
from backstay.resources.write.members import columns_of


def versions_of(model: type[models.Model]) -> set[str]:
    """Return the versions in the tables of a row: each resource of a part may have its own."""
    own = columns_of(model)
    found = set()
    for resource in resources():
        name = resource.options.version
        if name and columns_of(resource.options.model).get(name) is own.get(name) is not None:
            found.add(name)
    return found


def verb_of(resource: type[Resource], change: Change) -> Verb:
    """Return what a change of a row is to the resource of another part of it."""
    if change.verb == 'create' or resource.options.soft_delete in change.values:
        return change.verb
    return 'update'


def change_other_parts(batch: Batch, changes: Sequence[Change]) -> Iterator[Batch]:
    """Write the next version of parts in children's tables; yield what changed for each of them.

    `changes` are written, and their rows locked.
    """
    model = batch.resource.options.model
    own = columns_of(model)
    family = {model._meta.concrete_model, *model._meta.all_parents}
    known = (each.options.model._meta.concrete_model for each in resources())
    for part in dict.fromkeys(each for each in known if each is not None and each not in family):
        common = next((each for each in part._meta.all_parents if each in family), None)
        resource = resource_of(part)
        if common is None or resource is None:
            continue
        shared = {name for name, column in columns_of(part).items() if own.get(name) is column}
        key = common._meta.pk.attname
        written = {
            getattr(change.row, key): change
            for change in changes
            if not shared.isdisjoint(change.values)
        }
        rows = lock_rows(batch, part, written, by=key)
        versions = versions_of(part) - shared
        if rows and versions:
            stored = part._base_manager.using(batch.using).filter(pk__in=rows)
            stored.update(**{name: F(name) + 1 for name in versions})
        there = (
            _seen_by(resource, row, written[getattr(row, key)], shared, versions)
            for row in rows.values()
        )
        if found := list(there):
            yield Batch(asked=batch.asked, resource=resource, changes=found)


def _seen_by(
    resource: type[Resource], row: Any, written: Change, shared: set[str], versions: set[str]
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
