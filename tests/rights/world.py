"""What the database holds, in Python: rows that the oracle reads and that mutations change."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

from django.db import models

from tests.bookshop.models import (
    Author,
    Biography,
    Book,
    Country,
    Edition,
    Publisher,
    Review,
    Tag,
)

AUTHORS: Any = Book.authors.through
TAGS: Any = Book.tags.through
#: In an order in which each may point at those before it.
MODELS: tuple[type[models.Model], ...] = (
    Country,
    Publisher,
    Author,
    Biography,
    Tag,
    Book,
    Edition,
    Review,
    AUTHORS,
    TAGS,
)
Row = dict[str, Any]


class World:
    """Every row of every table, by model and primary key."""

    def __init__(self, rows: dict[type[models.Model], dict[Any, Row]] | None = None) -> None:
        self.rows = rows or {model: {} for model in MODELS}

    def add(self, model: type[models.Model], **values: Any) -> Row:
        """A new row; its primary key is the next number unless it is given."""
        column = _key(model)
        if column not in values:
            values[column] = max(self.rows[model], default=0) + 1
        row = {name: values.get(name) for name in columns(model)}
        self.rows[model][row[column]] = row
        return row

    def copy(self) -> 'World':
        return World(deepcopy(self.rows))

    def store(self) -> None:
        """Make the database hold exactly this."""
        for model in reversed(MODELS):
            model._base_manager.all()._raw_delete('default')
        for model in MODELS:
            model._base_manager.bulk_create(model(**row) for row in self.rows[model].values())


def columns(model: type[models.Model]) -> list[str]:
    """The attributes of a model's columns."""
    return [field.attname for field in model._meta.concrete_fields]


def _key(model: type[models.Model]) -> str:
    return str(model._meta.pk.attname)


# The values are few, so that rows share them and grants, filters and orders tell them apart.

STATUSES = ('active', 'draft', 'archived')
TITLES = ('Alpha', 'beta', 'Gamma', 'gamma')
PRICES = (None, Decimal('1.00'), Decimal('2.50'), Decimal('20.00'))
RATINGS = (None, 0.5, 1.5, 4.25)
DAYS = (None, date(2025, 3, 1), date(2026, 3, 1))
DOCUMENTS = (None, {'color': 'red'}, {'color': 'blue', 'size': 3}, {})
LABELS = (None, [], ['new'], ['new', 'old'])
NAMES = ('open', 'closed', 'north')
COLORS = ('x', 'secret', 'plain')
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def make_world(random: Random) -> World:
    """A world of some fifty rows."""
    world = World()
    for code in ('aa', 'bb', 'cc'):
        world.add(Country, code=code, name=random.choice(NAMES))
    for _ in range(4):
        world.add(Publisher, **values_of(Publisher, world, random))
    for _ in range(4):
        author = world.add(Author, **values_of(Author, world, random))
        if random.random() < 0.7:
            life = values_of(Biography, world, random) | {'author_id': author['id']}
            world.add(Biography, **life)
    for model, count in ((Tag, 4), (Book, 7), (Edition, 9), (Review, 12)):
        for _ in range(count):
            world.add(model, **values_of(model, world, random))
    for through, other in ((AUTHORS, 'author_id'), (TAGS, 'tag_id')):
        targets = world.rows[Author if through is AUTHORS else Tag]
        for book in world.rows[Book]:
            for target in random.sample([*targets], random.choice((0, 1, 1, 2))):
                world.add(through, book_id=book, **{other: target})
    return world


def values_of(model: type[models.Model], world: World, random: Random) -> Row:
    """Values for the columns of a row, but for its primary key."""
    return {
        name: random.choice(choices)
        for name, choices in choices_of(model, world).items()
        if choices
    }


def choices_of(model: type[models.Model], world: World) -> dict[str, list[Any]]:
    """What each column of a model may hold in this world, but for its primary key."""
    return {
        field.attname: [*_choices(field, world)]
        for field in model._meta.concrete_fields
        if not field.primary_key
    }


_CHOICES: dict[str, tuple[Any, ...]] = {
    'name': NAMES,
    'label': COLORS,
    'title': TITLES,
    'slug': ('a', 'b'),
    'status': STATUSES,
    'price': PRICES,
    'pages': (None, 1, 2, 300),
    'rating': RATINGS,
    'released_on': DAYS,
    'created_at': (NOON,),
    'blurb': ('',),
    'metadata': DOCUMENTS,
    'labels': LABELS,
    'isbn': ('i1', 'i2', 'i3'),
    'position': (0, 1, 2),
    'stock': (None, 0, 1, 7),
    'stars': (1, 2, 3, 4, 5),
    'text': ('', 'good', 'bad'),
    'words': (0, 1, 5, 20),
    'born': DAYS,
}


def _choices(field: models.Field, world: World) -> Iterator[Any]:
    if not isinstance(field, models.ForeignKey):
        yield from _CHOICES[field.name]
        return
    if field.null:
        yield None
    yield from world.rows[field.related_model]
