"""The ways of making a value: drawn from a set, combined, by a function, from a parent."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from backstay.seeding.draws import WIDTH, Stream, shuffled
from backstay.seeding.errors import SeedError
from backstay.seeding.factory import Maker, Row
from backstay.seeding.values import Values


def evenly(values: Values, stream: Stream, nulls: float) -> Maker:
    """Draw each of the values with the same chance."""
    count, at, bits_of, null = values.count, values.at, stream.bits, _threshold(nulls)

    def make(row: Row) -> Any:
        bits = bits_of(row.index)
        return None if bits & _LOW < null else at(bits * count >> WIDTH)

    return make


def all_different(values: Values, count: int, stream: Stream, nulls: float) -> Maker:
    """Draw a different value for each row."""
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


def by_zipf(values: Values, stream: Stream, nulls: float) -> Maker:
    """Draw the first values far more often than the last."""

    def make(row: Row) -> Any:
        draw = stream.draw(row.index)
        return None if draw.chance(nulls) else values.at(draw.zipf(values.count))

    return make


def combined(values: Values, count: int, stride: int, combinations: int, stream: Stream) -> Maker:
    """Return one field's part in the combination of values that belongs to the row."""

    def make(row: Row) -> Any:
        return values.at(shuffled(stream, row.index, combinations) // stride % count)

    return make


def by_function(field: models.Field, function: Callable[[Row], Any], stream: Stream) -> Maker:
    """Call the function of the service, and convert its answer as the database would return it."""

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
    """Return the value in the type and precision of its column."""
    if field.remote_field:
        field = field.target_field
    if isinstance(value, Enum):
        value = value.value
    if not isinstance(field, models.JSONField):
        try:
            value = field.to_python(value)
        except ValidationError as error:
            raise SeedError(f'{_called(field)}: {" ".join(error.messages)}') from None
    match value:
        case str() if field.max_length and len(value) > field.max_length:
            raise SeedError(f'{_called(field)}: {value!r} is longer than {field.max_length}')
        case Decimal() if isinstance(field, models.DecimalField):
            return value.quantize(Decimal(1).scaleb(-field.decimal_places), context=field.context)
        case dt.datetime():
            return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value
    return value


def _called(field: models.Field) -> str:
    return f'{field.model._meta.label}.{field.name}'


def key_of(field: Any) -> Maker:
    """Return the key of the row behind a foreign key, for its column."""
    name, target = field.name, field.target_field.attname

    def make(row: Row) -> Any:
        parent = row[name]
        return parent[target] if isinstance(parent, Row) else parent

    return make
