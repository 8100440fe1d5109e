"""The values that a field of a model can have: plausible ones within all its limits."""

import datetime as dt
from collections.abc import Iterator
from math import ceil, floor
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator
from django.db import models

from backstay.encryption import EncryptedTextField
from backstay.resources.declaration.fields import Array
from backstay.resources.declaration.resource import Resource
from backstay.seeding import values
from backstay.seeding.draws import Stream, shuffled
from backstay.seeding.errors import SeedError
from backstay.seeding.values import Values

#: Days before the epoch in which dates lie.
WINDOW = 730
#: The range that the databases store, by Django's name for the type.
_LIMITS = {
    'SmallIntegerField': (-(2**15), 2**15 - 1),
    'SmallAutoField': (1, 2**15 - 1),
    'PositiveSmallIntegerField': (0, 2**15 - 1),
    'IntegerField': (-(2**31), 2**31 - 1),
    'AutoField': (1, 2**31 - 1),
    'PositiveIntegerField': (0, 2**31 - 1),
    'BigIntegerField': (-(2**63), 2**63 - 1),
    'BigAutoField': (1, 2**63 - 1),
    'PositiveBigIntegerField': (0, 2**63 - 1),
}
#: SQLite stores decimals as floats, which are exact up to this number of digits.
_EXACT_DIGITS = 15
_MAX_UNITS = 10**_EXACT_DIGITS - 1
#: The width of the range of numbers, in ones, unless validators narrow or move it.
_PLAUSIBLE = 10_000
#: Members of a set on which the validators of its field are tried.
_SAMPLES = 300


def values_for(
    field: models.Field, resource: type[Resource] | None, until: dt.datetime
) -> Values | None:
    """Return the values of the field; None when only null is known to fit.

    Raises SeedError for a required field whose type or validators no set of values here meets.
    """
    for candidate in _candidates(field, resource, until):
        if candidate.count and _passes(field, candidate):
            return candidate
    if field.null:
        return None
    raise SeedError(
        f'{field.model._meta.label}.{field.name}: nothing that is known to fit; give a function '
        f'{field.name}=lambda row: ...'
    )


def _passes(field: models.Field, candidate: Values) -> bool:
    """Whether the validators of the field let a sample of the values pass."""
    stream = Stream('samples')
    try:
        for index in range(min(_SAMPLES, candidate.count)):
            field.run_validators(candidate.at(shuffled(stream, index, candidate.count)))
    except ValidationError:
        return False
    return True


def _candidates(
    field: models.Field, resource: type[Resource] | None, until: dt.datetime
) -> Iterator[Values]:
    """Yield sets of values of the field's type, the most plausible first."""
    if field.choices:
        members = [value for value, _ in field.flatchoices if value not in (None, '')]
        yield values.among(members)
        return
    room = field.max_length or values.ROOM
    match field:
        case models.EmailField():
            yield values.emails(room)
        case models.URLField():
            yield values.urls(room)
        case models.SlugField():
            yield values.slugs(room)
            yield values.codes(min(room, 8), _LETTERS)
        case models.FileField():
            yield values.files(room=room)
        case models.FilePathField():
            path = field.path() if callable(field.path) else field.path
            yield values.files(f'{str(path).rstrip("/")}/', room)
        case models.CharField():
            yield from _texts(room)
        case models.TextField() | EncryptedTextField():
            yield values.sentences(room)
            yield from _texts(room)
        case models.BooleanField():
            yield values.among((False, True))
        case models.IntegerField() | models.FloatField() | models.DecimalField():
            yield _numbers(field)
        case models.DateTimeField():
            yield values.moments(until, WINDOW)
        case models.DateField():
            yield values.dates(until, WINDOW)
        case models.TimeField():
            yield values.clock_times()
        case models.DurationField():
            yield values.spans()
        case models.UUIDField():
            yield values.uuids()
        case models.GenericIPAddressField():
            yield values.addresses(6 if field.protocol.lower() == 'ipv6' else 4)
        case models.BinaryField():
            yield values.octets()
        case models.JSONField():
            yield values.word_lists() if _is_array(field, resource) else values.documents()


_LETTERS = 'abcdefghijklmnopqrstuvwxyz'
_DIGITS = '0123456789'


def _texts(room: int) -> Iterator[Values]:
    """Yield words where they fit; else emails and codes, for names of users and for numbers."""
    yield values.titles(room)
    yield values.slugs(room)
    yield values.emails(room)
    for letters in (_LETTERS.upper(), _LETTERS, _DIGITS):
        yield values.codes(min(room, 8), letters)


def _is_array(field: models.Field, resource: type[Resource] | None) -> bool:
    """Whether the resource says that the JSON is an array."""
    declared = resource.declared if resource else {}
    return any(
        isinstance(each, Array) and (each.source or name) == field.attname
        for name, each in declared.items()
    )


def _numbers(field: models.IntegerField | models.FloatField | models.DecimalField) -> Values:
    if isinstance(field, models.IntegerField):
        lowest, highest = _LIMITS.get(field.get_internal_type(), _LIMITS['IntegerField'])
        low, high, highest = _range(field, 1 if field.primary_key else lowest, highest, 1)
        return values.integers(low, high, highest)
    if isinstance(field, models.FloatField):
        low, high, _ = _range(field, -_MAX_UNITS, _MAX_UNITS, 1000)
        return values.floats(low, high)
    digits, places = field.max_digits or _EXACT_DIGITS, field.decimal_places or 0
    most = 10 ** min(digits, _EXACT_DIGITS) - 1
    low, high, highest = _range(field, -most, most, 10**places)
    return values.decimals(low, high, places, highest)


def _range(field: models.Field, lowest: int, highest: int, one: int) -> tuple[int, int, int]:
    """Return a plausible lowest and highest number, and the highest possible one.

    Numbers are in units of which `one` make 1. The range begins at 0, or where the validators of
    the field let it begin.
    """
    for validator in field.validators:
        if isinstance(validator, MinValueValidator):
            lowest = max(lowest, ceil(_limit(validator) * one))
        elif isinstance(validator, MaxValueValidator):
            highest = min(highest, floor(_limit(validator) * one))
    width = _PLAUSIBLE * one
    low = max(lowest, 0 if highest >= 0 else highest - width + 1)
    return low, min(low + width - 1, highest), highest


def _limit(validator: BaseValidator) -> Any:
    limit = validator.limit_value
    return limit() if callable(limit) else limit
