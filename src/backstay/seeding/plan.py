"""The plan of a seeding: its models, parents first, with their numbers of rows."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.db import models
from django.utils.module_loading import import_string

from backstay.seeding.errors import SeedError
from backstay.seeding.factory import Factory, model_behind, written_fields
from backstay.seeding.makers import Makers
from backstay.seeding.seed import Seed
from backstay.services import Service

#: The moment that stands for now, so that the rows are the same on every day.
EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
#: Rows that are made before anything is written, to find mistakes in functions.
_TRIED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPlan:
    """All rows that a seeding will write."""

    size: str
    seed: int
    until: dt.datetime
    #: In the order in which they are written.
    factories: tuple[Factory, ...]
    #: Called when all rows are written.
    afterwards: tuple[Callable[[], object], ...] = ()


def make_plan(
    seeds: Sequence[Seed], *, size: str, seed: int = 42, until: dt.datetime = EPOCH
) -> SeedPlan:
    """Return the plan for these seeds, and write nothing; raises SeedError if it cannot be made."""
    labels = [each.label for each in seeds]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise SeedError(f'seeded twice: {", ".join(twice)}')
    counts = _counts(seeds, size)
    given = {each.model: each for each in seeds}
    factories: dict[type[models.Model], Factory] = {}
    for model in _parents_first(counts):
        rows = counts[model]
        makers = Makers(
            given.get(model) or Seed(model), rows, number=seed, until=until, others=factories
        )
        factory = Factory(
            model,
            rows,
            makers=makers.build(),
            until=until,
            others=factories,
            kept=makers.kept,
        )
        factories[model] = factory
        factory.values(0, min(rows, _TRIED))
    return SeedPlan(
        size=size,
        seed=seed,
        until=until,
        factories=tuple(factories.values()),
        afterwards=tuple(each.afterwards for each in seeds if each.afterwards),
    )


def seeds_of(services: Iterable[Service]) -> list[Seed]:
    """Return the seeds of these services."""
    return [seed for service in services if service.seeds for seed in import_string(service.seeds)]


def sizes_of(seeds: Iterable[Seed]) -> list[str]:
    """Return the sizes that any of the seeds names."""
    return sorted({size for seed in seeds for size in seed.sizes})


def _counts(seeds: Sequence[Seed], size: str) -> dict[type[models.Model], int]:
    """Return the number of rows of each model: those of the seeds, then the tables between them."""
    if seeds and size not in (sizes := sizes_of(seeds)):
        raise SeedError(f'there is no size {size!r}; there are: {", ".join(sizes)}')
    counts: dict[type[models.Model], int] = {}
    for seed in seeds:
        counts[seed.model] = _count(seed, seeds, size, ())
    _refuse_unused(seeds)
    for seed in seeds:
        for relation in (each for each in seed.relations().values() if each.many_to_many):
            edge: Any = seed.model._meta.get_field(relation.source)
            field: Any = edge if isinstance(edge, models.ManyToManyField) else edge.field
            through, other = field.remote_field.through, relation.target.options.model
            # The table has no seed of its own, and both of its ends are seeded.
            if through._meta.auto_created and through not in counts and other in counts:
                rows = int(counts[seed.model] * seed.per_row(relation))
                counts[through] = min(rows, counts[seed.model] * counts[other])
    return counts


def _count(seed: Seed, seeds: Sequence[Seed], size: str, asked: tuple[Seed, ...]) -> int:
    """Return the number of rows of a seed, from its own number or from that of its parent."""
    if isinstance(seed.rows, int):
        return _checked(seed, seed.rows)
    if seed.rows is not None:
        if size not in seed.rows:
            sizes = ', '.join(sorted(seed.rows))
            raise SeedError(f'{seed.label} has no size {size!r}; it has: {sizes}')
        return _checked(seed, seed.rows[size])
    for parent in seeds:
        for relation in parent.relations().values():
            is_child = relation.target.options.model is seed.model and not relation.many_to_many
            if is_child and parent not in (*asked, seed):
                rows = _count(parent, seeds, size, (*asked, seed))
                return int(rows * parent.per_row(relation))
    raise SeedError(f'{seed.label}: say how many rows, since no seeded resource counts its rows')


def _checked(seed: Seed, rows: Any) -> int:
    if not isinstance(rows, int) or rows < 0:
        raise SeedError(f'{seed.label}: {rows!r} is not a number of rows')
    return rows


def _refuse_unused(seeds: Sequence[Seed]) -> None:
    """Reject a number for a relation whose rows are counted elsewhere, or not at all."""
    own = {seed.model: seed.rows is not None for seed in seeds}
    for seed in seeds:
        for name in seed.given.keys() & seed.relations():
            relation = seed.relations()[name]
            is_counted = own.get(relation.target.options.model)
            if is_counted is None or (is_counted and not relation.many_to_many):
                raise SeedError(f'{seed.label}.{name}: nothing takes a number of rows from there')


def _parents_first(counts: Collection[type[models.Model]]) -> list[type[models.Model]]:
    """Return the models in an order in which parents are written before their children.

    When foreign keys form a circle, those that may be null are left out, and are null.
    """
    for leaves_out_nulls in (False, True):
        parents = {
            model: [
                parent
                for field in written_fields(model)
                if field.remote_field and not (leaves_out_nulls and field.null)
                if (parent := model_behind(field)) in counts and parent is not model
            ]
            for model in counts
        }
        try:
            return list(TopologicalSorter(parents).static_order())
        except CycleError as error:
            circle = error.args[1]
    names = ' -> '.join(model._meta.label for model in circle)
    raise SeedError(f'foreign keys go round in a circle: {names}')
