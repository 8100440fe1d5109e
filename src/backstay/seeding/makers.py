"""The choice of a maker for each field of a model: by its set of values, parent and uniqueness."""

import datetime as dt
from collections.abc import Mapping
from functools import partial
from math import prod

from django.db import models

from backstay.seeding.draws import Stream
from backstay.seeding.errors import SeedError
from backstay.seeding.factory import Factory, Maker, Row, model_behind, written_fields
from backstay.seeding.fields import values_for
from backstay.seeding.seed import Seed, Zipf
from backstay.seeding.values import Values
from backstay.seeding.ways import all_different, by_function, by_zipf, combined, evenly, key_of

#: The share of nulls where a field may be null.
NULLS = 0.1


class Makers:
    """The makers of one model, by name of field and of column."""

    def __init__(
        self,
        seed: Seed,
        rows: int,
        *,
        number: int,
        until: dt.datetime,
        others: Mapping[type[models.Model], Factory],
    ) -> None:
        self.seed, self.rows, self.until, self.others = seed, rows, until, others
        self.label = seed.label
        if isinstance(seed.model._meta.pk, models.CompositePrimaryKey):
            raise SeedError(f'{self.label} has a key of several columns, which cannot be seeded')
        self.stream = partial(Stream, number, self.label)
        self.fields = {field.name: field for field in written_fields(seed.model)}
        #: Names of the fields that the database maintains.
        self.kept = [self._field(name).name for name in seed.kept]
        for name in self.kept:
            del self.fields[name]
        self.given = {self._field(name).name: value for name, value in seed.fields.items()}
        self.nulls = {self._field(name).name: share for name, share in seed.nulls.items()}
        self.made: dict[str, Maker] = {}

    def build(self) -> dict[str, Maker]:
        """Return a maker for each field, and for the key behind each foreign key."""
        for names, is_always in self._unique_sets().items():
            if len(names) > 1 and self.fields.keys() >= set(names):
                self._make_together(names, is_always)
        for name, field in self.fields.items():
            if name not in self.made:
                self.made[name] = self._maker(field)
            if field.remote_field:
                self.made[field.attname] = key_of(field)
        return self.made

    def _field(self, name: str) -> models.Field:
        for field in self.fields.values():
            if name in (field.name, field.attname):
                return field
        known = ', '.join(sorted(self.fields))
        raise SeedError(f'{self.label} has no {name!r}; it has: {known}')

    def _maker(self, field: models.Field) -> Maker:
        given = self.given.get(field.name)
        if callable(given):
            if field.name in self.nulls:
                raise SeedError(f'{self.label}.{field.name}: its function decides about nulls')
            return by_function(field, given, self.stream(field.name))
        if self._is_tree(field):
            return self._among_the_rows_before(field)
        values = self._values(field)
        if values is None:
            return lambda _: None
        if field.primary_key and isinstance(field, models.IntegerField | models.ForeignKey):
            self._refuse_above(field.name, values.most)
            return lambda row: values.at(row.index)
        stream, nulls = self.stream(field.name), self._nulls(field)
        if self._is_unique(field, values):
            return all_different(values, max(values.count, self.rows), stream, nulls)
        if isinstance(given, Zipf):
            return by_zipf(values, stream, nulls)
        return evenly(values, stream, nulls)

    def _values(self, field: models.Field) -> Values | None:
        """Return the set that the field draws from; None when it is to be null."""
        given = self.given.get(field.name)
        if isinstance(given, Values):
            return given
        if given is not None and not isinstance(given, Zipf):
            raise SeedError(f'{self.label}.{field.name}: give a function, Values or Zipf()')
        if not field.remote_field:
            return values_for(field, self.seed.resource, self.until)
        parent = self.others.get(model_behind(field))
        if parent and parent.rows:
            return Values(parent.rows, parent.row)
        if field.null:
            return None
        raise SeedError(
            f'{self.label}.{field.name} needs rows of {model_behind(field)._meta.label}: seed it '
            'before, or give a function'
        )

    def _nulls(self, field: models.Field) -> float:
        share = self.nulls.get(field.name, NULLS if field.null else 0.0)
        if share and not field.null:
            raise SeedError(f'{self.label}.{field.name} may not be null')
        return share

    def _is_tree(self, field: models.Field) -> bool:
        return bool(field.remote_field) and model_behind(field) is self.seed.model

    def _among_the_rows_before(self, field: models.Field) -> Maker:
        """Make a tree: the first row is a root, each other row hangs below an earlier one."""
        if field.unique or field.name in self.given:
            raise SeedError(f'{self.label}.{field.name} leads to its own model: give a function')
        stream, nulls = self.stream(field.name), self._nulls(field)

        def make(row: Row) -> Row | None:
            draw = stream.draw(row.index)
            if field.null and (not row.index or draw.chance(nulls)):
                return None
            return row.of(self.seed.model, draw.below(max(row.index, 1)))

        return make

    def _unique_sets(self) -> dict[tuple[str, ...], bool]:
        """Return the sets of fields that are unique together, and whether each is so on every row.

        With a condition, rows differ where there are enough values; else the condition may allow
        equal ones.
        """
        meta = self.seed.model._meta
        sets = {tuple(names): True for names in meta.unique_together}
        for each in meta.constraints:
            if isinstance(each, models.UniqueConstraint) and each.fields:
                sets[tuple(each.fields)] = each.condition is None or sets.get(
                    tuple(each.fields), False
                )
        return sets

    def _is_unique(self, field: models.Field, values: Values) -> bool:
        """Whether each row gets a different value; raises SeedError when there are too few."""
        is_always = field.unique or self._unique_sets().get((field.name,))
        if is_always is None or (not is_always and values.most < self.rows):
            return False
        self._refuse_above(field.name, values.most)
        if isinstance(self.given.get(field.name), Zipf):
            raise SeedError(f'{self.label}.{field.name} is unique: no Zipf() there')
        return True

    def _make_together(self, names: tuple[str, ...], is_always: bool) -> None:
        """Shuffle the combinations of the values of these fields.

        This is left out when one field or a function makes them unique, and a tree stays a tree.
        """
        fields = [self.fields[name] for name in names]
        if any(callable(self.given.get(each.name)) or each.unique for each in fields):
            return
        free = [each for each in fields if each.name not in self.made and not self._is_tree(each)]
        sets = [self._values(each) or Values(1, lambda _: None) for each in free]
        counts = [each.count for each in sets]
        if prod(counts) < self.rows:
            counts = [each.most for each in sets]
        if not is_always and prod(counts) < self.rows:
            return
        self._refuse_above(', '.join(names), prod(counts))
        if any(isinstance(self.given.get(each.name), Zipf) for each in free):
            raise SeedError(
                f'{self.label}: {", ".join(names)} are unique together: no Zipf() there'
            )
        stream = self.stream(*names)
        for place, (field, values) in enumerate(zip(free, sets, strict=True)):
            stride = prod(counts[:place])
            self.made[field.name] = combined(values, counts[place], stride, prod(counts), stream)

    def _refuse_above(self, names: str, most: int) -> None:
        if self.rows > most:
            raise SeedError(
                f'{self.label}: {self.rows} rows, and {names} can only be {most} different ones; '
                'give a function'
            )
