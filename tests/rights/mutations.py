"""Changes of a world: a value, a row that comes or goes, a link of many to many."""

from dataclasses import dataclass
from random import Random
from typing import Any

from django.db import models

from tests.bookshop.models import Biography, Book, Country
from tests.rights.oracle import View
from tests.rights.resources import SERVED
from tests.rights.world import AUTHORS, MODELS, TAGS, Row, World, choices_of, values_of

_RESOURCES = tuple(SERVED.values())
#: Books have the most columns, and the most grants that tell their rows apart.
_WEIGHTS = tuple(8 if model is Book else 3 for model in MODELS)


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change of one row."""

    model: type[models.Model]
    key: Any
    #: The values that change, or those of a new row; None for a row that goes.
    values: Row | None
    is_new: bool = False

    def apply(self, world: World) -> None:
        """Change the world in Python."""
        rows = world.rows[self.model]
        if self.values is None:
            del rows[self.key]
        elif self.is_new:
            rows[self.key] = self.values
        else:
            rows[self.key] |= self.values

    def store(self) -> None:
        """Change the database."""
        rows = self.model._base_manager
        if self.is_new:
            rows.create(**(self.values or {}))
        elif self.values is None:
            rows.filter(pk=self.key)._raw_delete('default')
        else:
            rows.filter(pk=self.key).update(**self.values)


def unseen_mutation(random: Random, view: View, tries: int = 60) -> tuple[Mutation, View] | None:
    """A change after which the caller may know exactly what he may know before."""
    before = view.projection(_RESOURCES)
    for _ in range(tries):
        mutation = any_mutation(random, view.world)
        if mutation is None:
            continue
        world = view.world.copy()
        mutation.apply(world)
        after = View(world, view.caller)
        if after.projection(_RESOURCES) == before:
            return mutation, after
    return None


def any_mutation(random: Random, world: World) -> Mutation | None:
    """Any change that leaves no row pointing at nothing."""
    (model,) = random.choices(MODELS, _WEIGHTS)
    kind = random.random()
    if kind < 0.1:
        return _new(random, model, world)
    if not world.rows[model]:
        return None
    key = random.choice([*world.rows[model]])
    if kind < 0.2 or model in (AUTHORS, TAGS):
        return None if _is_referred_to(model, key, world) else Mutation(model, key, None)
    column, choices = random.choice([*choices_of(model, world).items()])
    value = random.choice(choices)
    if value == world.rows[model][key][column] or (model, column) == (Biography, 'author_id'):
        return None
    return Mutation(model, key, {column: value})


def _new(random: Random, model: type[models.Model], world: World) -> Mutation | None:
    if model is Country:
        return None
    values = values_of(model, world, random)
    columns = [name for name in values if name.endswith('_id')]
    is_unique = model in (AUTHORS, TAGS, Biography)
    if is_unique and any(
        all(row[name] == values[name] for name in columns) for row in world.rows[model].values()
    ):
        return None
    if any(values.get(name) is None and name != 'publisher_id' for name in columns):
        return None
    row = world.copy().add(model, **values)
    return Mutation(model, row['id'], row, is_new=True)


def _is_referred_to(model: type[models.Model], key: Any, world: World) -> bool:
    return any(
        row[field.attname] == key
        for other in MODELS
        for field in other._meta.concrete_fields
        if field.is_relation and field.related_model is model
        for row in world.rows[other].values()
    )
