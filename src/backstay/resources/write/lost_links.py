"""Links of many-to-many relations that a deleted row takes along, as changes of the other ends.

A relation that a resource declares writable is part of what a client writes with an object, and so
of what If-Match protects: losing a link is a change of the object. Links that are only shown are
no part of it, as the rows of any other list are not.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.write.change import Batch, Change, Intent
from backstay.resources.write.members import columns_of, tables_of, through_of, writable_relations

#: Keys of one statement; SQLite does not take any number of parameters at once.
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The links of one relation, of rows that are linked to what is to be deleted."""

    resource: type[Resource]
    name: str
    through: type[models.Model]
    #: The attributes of `through` for these rows and for the rows that they are linked to.
    here: str
    there: str
    #: The rows, locked, and what they were linked to, by their primary key.
    rows: Mapping[Any, models.Model]
    linked: Mapping[Any, list[Any]]

    def changes(self, batch: Batch) -> Iterator[tuple[Change, tuple[list[Any], list[Any]]]]:
        """Yield a change for each row, with what it was linked to and is linked to now."""
        now = _linked(batch, self.through, self.here, self.there, self.rows)
        for key, row in self.rows.items():
            if now[key] != self.linked[key]:
                before = {name: getattr(row, name) for name in columns_of(type(row))}
                change = Change(asked=Intent(verb='update'), row=row, before=before)
                yield change, (self.linked[key], now[key])


def find_links(batch: Batch, going: Mapping[type[models.Model], Collection[Any]]) -> list[Links]:
    """Find the links to rows that may go, by their models and keys, and lock the rows that have
    them.
    """
    found: dict[type[models.Model], Links] = {}
    for resource in resources():
        for name, relation in writable_relations(resource).items():
            keys = going.get(relation.target.options.model._meta.concrete_model or models.Model)
            if not relation.many_to_many or not keys:
                continue
            through, here, there = through_of(resource, relation)
            if through in found:  # another resource over the same model
                continue
            table = through._base_manager.using(batch.using)
            having = {
                key
                for some in chunks(keys)
                for key in table.filter(**{f'{there}__in': some}).values_list(here, flat=True)
            }
            if having:
                rows = lock_rows(batch, resource.options.model, having)
                linked = _linked(batch, through, here, there, rows)
                found[through] = Links(
                    resource=resource,
                    name=name,
                    through=through,
                    here=here,
                    there=there,
                    rows=rows,
                    linked=linked,
                )
    return list(found.values())


def lock_rows(
    batch: Batch, model: type[models.Model], keys: Collection[Any], *, by: str = 'pk'
) -> dict[Any, models.Model]:
    """Return the rows with these keys by their primary key, locked in its order."""
    rows = model._base_manager.using(batch.using).select_for_update(of=tables_of(model))
    ordered = rows.order_by('pk')
    return {row.pk: row for some in chunks(keys) for row in ordered.filter(**{f'{by}__in': some})}


def _linked(
    batch: Batch, through: type[models.Model], here: str, there: str, keys: Collection[Any]
) -> dict[Any, list[Any]]:
    """Return what the rows with these keys are linked to, in order."""
    linked: dict[Any, list[Any]] = {key: [] for key in keys}
    links = through._base_manager.using(batch.using).order_by(there)
    for some in chunks(keys):
        for key, other in links.filter(**{f'{here}__in': some}).values_list(here, there):
            linked[key].append(other)
    return linked


def chunks(keys: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the keys in order, as many at once as one statement takes."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
