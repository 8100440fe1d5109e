"""`Row` and `Factory`: the rows of one model, each a function of its index."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.db import models

from backstay.seeding.draws import Draw
from backstay.seeding.errors import SeedError

Maker = Callable[['Row'], Any]
_IN_THE_MAKING = object()


class Row:
    """One row while it is made; each value is made when it is first read.

    `row['price']` is the value of a field of the same row. `row['company']` is the row behind a
    foreign key, with values of its own, and `row['company_id']` its key.
    """

    __slots__ = ('_factory', '_made', 'index', 'random')

    #: The chance of the value that is being made.
    random: Draw

    def __init__(self, factory: 'Factory', index: int) -> None:
        self._factory = factory
        self._made: dict[str, Any] = {}
        #: The index of the row in its model, from 0.
        self.index = index

    def __getitem__(self, name: str) -> Any:
        value = self._made.get(name, self)  # the row itself stands for a missing value
        if value is self:
            self._made[name] = _IN_THE_MAKING
            value = self._made[name] = self._factory.maker(name)(self)
        elif value is _IN_THE_MAKING:
            raise SeedError(f'{self._factory.label}.{name} needs its own value to be made')
        return value

    @property
    def until(self) -> dt.datetime:
        """The moment that stands for now: no value is later."""
        return self._factory.until

    def of(self, model: type[models.Model], index: int) -> 'Row':
        """Return a row of another seeded model by its index, as the value of a foreign key."""
        return self._factory.of(model).row(index)

    def count(self, model: type[models.Model]) -> int:
        """Return the number of rows of another seeded model."""
        return self._factory.of(model).rows


class Factory:
    """Makes the rows of one model."""

    def __init__(
        self,
        model: type[models.Model],
        rows: int,
        *,
        makers: Mapping[str, Maker],
        until: dt.datetime,
        others: Mapping[type[models.Model], 'Factory'],
        kept: Collection[str] = (),
    ) -> None:
        self.model = model
        self.label: str = model._meta.label
        self.rows = rows
        every = written_fields(model)
        #: The fields that are made, in the order of the values of a row.
        self.fields = tuple(each for each in every if each.name not in kept)
        #: The fields that the database keeps: they begin as their defaults.
        self.kept = tuple(each for each in every if each.name in kept)
        self.until = until
        self._names = tuple(field.attname for field in self.fields)
        self._makers = makers
        self._others = others

    def row(self, index: int) -> Row:
        """Return one row, none of whose values is made yet."""
        return Row(self, index)

    def values(self, first: int, last: int) -> list[list[Any]]:
        """Return the values of the rows from `first` up to, not including, `last`."""
        names = self._names
        return [[row[name] for name in names] for row in map(self.row, range(first, last))]

    def maker(self, name: str) -> Maker:
        """Return the maker of a field; raises SeedError when there is no such field."""
        try:
            return self._makers[name]
        except KeyError:
            known = ', '.join(sorted(self._makers))
            raise SeedError(f'{self.label} has no {name!r}; it has: {known}') from None

    def of(self, model: type[models.Model]) -> 'Factory':
        """Return the factory of another model; raises SeedError unless it is seeded before this."""
        try:
            return self._others[model]
        except KeyError:
            raise SeedError(f'{self.label} needs {model._meta.label}, not seeded before') from None


def written_fields(model: type[models.Model]) -> tuple[models.Field, ...]:
    """Return the fields with a column in the model's own table, without computed ones."""
    fields = model._meta.local_concrete_fields
    return tuple(each for each in fields if not isinstance(each, models.GeneratedField))


def model_behind(field: Any) -> type[models.Model]:
    """The model that a foreign key leads to, whichever proxy it names."""
    model: type[models.Model] = field.related_model._meta.concrete_model
    return model
