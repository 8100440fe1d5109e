"""What makes each value of a model: sets of values, parents, what is unique, what is given."""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from functools import partial
from math import prod
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from backstay.seeding.draws import WIDTH, Stream, shuffled
from backstay.seeding.errors import SeedError
from backstay.seeding.factory import Factory, Maker, Row, model_behind, written_fields
from backstay.seeding.fields import values_for
from backstay.seeding.seed import Seed, Zipf
from backstay.seeding.values import Values

#: The share of nulls where a field may be null.
NULLS = 0.1


class Makers:
    """Builds the makers of one model, by name of field and of column."""

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
        #: Names of the fields that the database keeps.
        self.kept = [self._field(name).name for name in seed.kept]
        for name in self.kept:
            del self.fields[name]
        self.given = {self._field(name).name: value for name, value in seed.fields.items()}
        self.nulls = {self._field(name).name: share for name, share in seed.nulls.items()}
        self.made: dict[str, Maker] = {}

    def build(self) -> dict[str, Maker]:
        """A maker for each field, and for the key behind each foreign key."""
        for names, is_always in self._unique_sets().items():
            if len(names) > 1 and self.fields.keys() >= set(names):
                self._make_together(names, is_always)
        for name, field in self.fields.items():
            if name not in self.made:
                self.made[name] = self._maker(field)
            if field.remote_field:
                self.made[field.attname] = _key(field)
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
            return _given(field, given, self.stream(field.name))
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
            return _all_different(values, max(values.count, self.rows), stream, nulls)
        if isinstance(given, Zipf):
            return _by_zipf(values, stream, nulls)
        return _evenly(values, stream, nulls)

    def _values(self, field: models.Field) -> Values | None:
        """The set that the field draws from; None when it is to be null."""
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
        """A tree: the first row is a root, the others hang below any row before."""
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
        """The fields of which no two rows may have the same values, and whether that is always so.

        Under a condition it is kept where there are values enough; else the condition may save it.
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
        """Whether the field has another value in each row; refuses when it cannot."""
        is_always = field.unique or self._unique_sets().get((field.name,))
        if is_always is None or (not is_always and values.most < self.rows):
            return False
        self._refuse_above(field.name, values.most)
        if isinstance(self.given.get(field.name), Zipf):
            raise SeedError(f'{self.label}.{field.name} is unique: no Zipf() there')
        return True

    def _make_together(self, names: tuple[str, ...], is_always: bool) -> None:
        """Shuffle the combinations of the values of these fields.

        Not where a field alone, or a function, makes them different; and a tree stays a tree.
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
            self.made[field.name] = _combined(values, counts[place], stride, prod(counts), stream)

    def _refuse_above(self, names: str, most: int) -> None:
        if self.rows > most:
            raise SeedError(
                f'{self.label}: {self.rows} rows, and {names} can only be {most} different ones; '
                'give a function'
            )


def _evenly(values: Values, stream: Stream, nulls: float) -> Maker:
    """Each of the values as likely as the others."""
    count, at, bits_of, null = values.count, values.at, stream.bits, _threshold(nulls)

    def make(row: Row) -> Any:
        bits = bits_of(row.index)
        return None if bits & _LOW < null else at(bits * count >> WIDTH)

    return make


def _all_different(values: Values, count: int, stream: Stream, nulls: float) -> Maker:
    """Another value for each row."""
    null = _threshold(nulls)

    def make(row: Row) -> Any:
        if null and stream.bits(row.index) & _LOW < null:
            return None
        return values.at(shuffled(stream, row.index, count))

    return make


#: The low bits of a number decide about null, the high ones about the value.
_LOW = 0xFFFF


def _threshold(nulls: float) -> int:
    return int(nulls * (_LOW + 1))


def _by_zipf(values: Values, stream: Stream, nulls: float) -> Maker:
    """The first values far more often than the last."""

    def make(row: Row) -> Any:
        draw = stream.draw(row.index)
        return None if draw.chance(nulls) else values.at(draw.zipf(values.count))

    return make


def _combined(values: Values, count: int, stride: int, combinations: int, stream: Stream) -> Maker:
    """The part that one field has in the combination of the row."""

    def make(row: Row) -> Any:
        return values.at(shuffled(stream, row.index, combinations) // stride % count)

    return make


def _given(field: models.Field, function: Callable[[Row], Any], stream: Stream) -> Maker:
    """What the function of the service says, as the database would give it back."""

    def make(row: Row) -> Any:
        outer = getattr(row, 'random', None)  # a value may ask for another while it is made
        row.random = stream.draw(row.index)
        try:
            value = function(row)
            return value if isinstance(value, Row) else _as_stored(field, value)
        except Exception as error:
            error.add_note(f'in {_called(field)} of the row {row.index}')
            raise
        finally:
            if outer is not None:
                row.random = outer

    return make


def _as_stored(field: Any, value: Any) -> Any:
    """The value in the type and precision of its column."""
    if field.remote_field:
        field = field.target_field
    if isinstance(value, Enum):
        value = value.value
    if not isinstance(field, models.JSONField):
        value = _converted(field, value)
    match value:
        case str() if field.max_length and len(value) > field.max_length:
            raise SeedError(f'{_called(field)}: {value!r} is longer than {field.max_length}')
        case Decimal() if isinstance(field, models.DecimalField):
            return value.quantize(Decimal(1).scaleb(-field.decimal_places), context=field.context)
        case dt.datetime():
            return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value
    return value


def _converted(field: models.Field, value: Any) -> Any:
    try:
        return field.to_python(value)
    except ValidationError as error:
        raise SeedError(f'{_called(field)}: {" ".join(error.messages)}') from None


def _called(field: models.Field) -> str:
    return f'{field.model._meta.label}.{field.name}'


def _key(field: Any) -> Maker:
    """What the column of a foreign key holds."""
    name, target = field.name, field.target_field.attname

    def make(row: Row) -> Any:
        parent = row[name]
        return parent[target] if isinstance(parent, Row) else parent

    return make
