"""The plan of a seeding: how many rows of which models, parents first."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.db import models
from django.utils.module_loading import import_string

from backstay.resources.declaration.shape import Relation
from backstay.seeding.errors import SeedError
from backstay.seeding.factory import Factory, model_behind, written_fields
from backstay.seeding.makers import Makers
from backstay.seeding.seed import Seed
from backstay.services import Service

#: What stands for now, so that the rows are the same on every day.
EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
#: Rows that are made before anything is written, to find mistakes of functions.
_TRIED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPlan:
    """Everything that a seeding will write."""

    size: str
    seed: int
    until: dt.datetime
    #: In the order in which they are written.
    factories: tuple[Factory, ...]
    #: What is done when all rows are there.
    afterwards: tuple[Callable[[], object], ...] = ()


def make_plan(
    seeds: Sequence[Seed], *, size: str, seed: int = 42, until: dt.datetime = EPOCH
) -> SeedPlan:
    """The plan for these seeds. Raises SeedError for what cannot be made; writes nothing."""
    _refuse_twice(seeds)
    counts = dict(_counts(seeds, size))
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
    """What these services seed."""
    return [seed for service in services if service.seeds for seed in import_string(service.seeds)]


def sizes_of(seeds: Iterable[Seed]) -> list[str]:
    """The sizes that any of them names."""
    return sorted({size for seed in seeds for size in seed.sizes})


def _refuse_twice(seeds: Sequence[Seed]) -> None:
    labels = [seed.label for seed in seeds]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise SeedError(f'seeded twice: {", ".join(twice)}')


def _counts(seeds: Sequence[Seed], size: str) -> Iterator[tuple[type[models.Model], int]]:
    """Each model with its number of rows: those of the seeds, then the tables between them."""
    if seeds and size not in (sizes := sizes_of(seeds)):
        raise SeedError(f'there is no size {size!r}; there are: {", ".join(sizes)}')
    counts: dict[type[models.Model], int] = {}
    for seed in seeds:
        counts[seed.model] = _count(seed, seeds, size, ())
    _refuse_unused(seeds)
    yield from counts.items()
    for seed in seeds:
        for relation in seed.relations().values():
            if relation.many_to_many:
                yield from _between(seed, relation, counts)


def _count(seed: Seed, seeds: Sequence[Seed], size: str, asked: tuple[Seed, ...]) -> int:
    """The rows of a seed, by its own number or by those of its parent."""
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
    """A number for a relation whose rows are counted otherwise, or not at all, is a mistake."""
    own = {seed.model: seed.rows is not None for seed in seeds}
    for seed in seeds:
        for name in seed.given.keys() & seed.relations():
            relation = seed.relations()[name]
            is_counted = own.get(relation.target.options.model)
            if is_counted is None or (is_counted and not relation.many_to_many):
                raise SeedError(f'{seed.label}.{name}: nothing takes a number of rows from there')


def _between(
    seed: Seed, relation: Relation, counts: dict[type[models.Model], int]
) -> Iterator[tuple[type[models.Model], int]]:
    """The table of a many-to-many relation, unless it has a seed of its own or no other end."""
    edge: Any = seed.model._meta.get_field(relation.source)
    field: Any = edge if isinstance(edge, models.ManyToManyField) else edge.field
    through, other = field.remote_field.through, relation.target.options.model
    if through._meta.auto_created and through not in counts and other in counts:
        rows = int(counts[seed.model] * seed.per_row(relation))
        counts[through] = min(rows, counts[seed.model] * counts[other])
        yield through, counts[through]


def _parents_first(counts: Iterable[type[models.Model]]) -> list[type[models.Model]]:
    """The models in an order in which every parent is there when its children are written.

    Where foreign keys go round in circles those that may be null are left out, and are null.
    """
    known = list(counts)
    for is_needed in (lambda _: True, lambda field: not field.null):
        parents = {model: _parents(model, known, is_needed) for model in known}
        try:
            return list(TopologicalSorter(parents).static_order())
        except CycleError as error:
            circle = error.args[1]
    names = ' -> '.join(model._meta.label for model in circle)
    raise SeedError(f'foreign keys go round in a circle: {names}')


def _parents(model: type[models.Model], known: Sequence[Any], is_needed: Any) -> list[Any]:
    return [
        parent
        for field in written_fields(model)
        if field.remote_field and is_needed(field)
        for parent in [model_behind(field)]
        if parent in known and parent is not model
    ]
