"""Quick acceptance of values in their usual form, without asking Django REST Framework.

A field of DRF takes ten times as long to accept a short text as a look at it does. Values that a
reader here accepts, DRF would accept with the same result; all others go to DRF, as does every
refusal.
"""

import math
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from django.core.validators import MaxValueValidator, MinValueValidator
from rest_framework import serializers

#: The result of a reader for values that it leaves to DRF.
SLOW: Final = object()
Quick = Callable[[Any], Any]
_DATE = re.compile(r'\d{4}-\d{2}-\d{2}', re.ASCII)
_DATETIME = re.compile(
    r'\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{6})?(Z|[+-]\d{2}:\d{2})', re.ASCII
)
#: Validators that a text without NUL and surrogates passes up to its length.
_OF_TEXT = frozenset(
    {
        'MaxLengthValidator',
        'ProhibitNullCharactersValidator',
        'ProhibitSurrogateCharactersValidator',
    }
)


def quick(check: serializers.Field) -> Quick:
    """Return the reader for the usual form of the values that a field takes."""
    make = _MAKERS.get(type(check))
    reader = make(check) if make else slow
    if not check.allow_null:
        return reader
    return lambda raw: None if raw is None else reader(raw)


def slow(_raw: Any) -> Any:
    """Leave every value to DRF."""
    return SLOW


def _text(check: Any) -> Quick:
    if any(type(each).__name__ not in _OF_TEXT for each in check.validators):
        return slow
    most = check.max_length or 1_000_000
    least = 0 if check.allow_blank else 1
    if check.min_length or not check.trim_whitespace:
        return slow

    def read(raw: Any) -> Any:
        # Neither JSON nor a form, which are read as UTF-8, brings half of a surrogate pair.
        if type(raw) is str and least <= len(raw) <= most and '\0' not in raw:
            return raw if raw == raw.strip() else SLOW
        return SLOW

    return read


def _integer(check: Any) -> Quick:
    if any(type(each) not in (MinValueValidator, MaxValueValidator) for each in check.validators):
        return slow
    low, high = check.min_value, check.max_value
    if low is None or high is None:
        return slow
    return lambda raw: raw if type(raw) is int and low <= raw <= high else SLOW


def _decimal(check: Any) -> Quick:
    if check.validators or check.max_digits is None or not check.decimal_places:
        return slow
    whole = check.max_digits - check.decimal_places
    form = re.compile(rf'-?\d{{1,{max(whole, 1)}}}\.\d{{{check.decimal_places}}}', re.ASCII)
    if whole < 1:
        return slow
    return lambda raw: Decimal(raw) if type(raw) is str and form.fullmatch(raw) else SLOW


def _boolean(_check: Any) -> Quick:
    return lambda raw: raw if type(raw) is bool else SLOW


def _iso(form: re.Pattern[str], parse: Callable[[str], Any]) -> Callable[[Any], Quick]:
    """Return the maker of readers for texts of one ISO 8601 form."""

    def read(raw: Any) -> Any:
        if type(raw) is str and form.fullmatch(raw):
            with suppress(ValueError, OverflowError):
                return parse(raw)
        return SLOW

    return lambda check: slow if check.validators else read


def _float(check: Any) -> Quick:
    if check.validators:
        return slow

    def read(raw: Any) -> Any:
        # JSON was read with Decimals for fractions.
        if type(raw) is Decimal and abs(value := float(raw)) < math.inf:
            return value
        return SLOW

    return read


def _choice(check: Any) -> Quick:
    if check.validators:
        return slow
    values = {text: value for text, value in check.choice_strings_to_values.items() if text}
    return lambda raw: values.get(raw, SLOW) if type(raw) is str else SLOW


_MAKERS: dict[type, Callable[[Any], Quick]] = {
    serializers.BooleanField: _boolean,
    serializers.CharField: _text,
    serializers.ChoiceField: _choice,
    serializers.DateField: _iso(_DATE, date.fromisoformat),
    serializers.DateTimeField: _iso(
        _DATETIME, lambda raw: datetime.fromisoformat(raw).astimezone(UTC)
    ),
    serializers.DecimalField: _decimal,
    serializers.FloatField: _float,
    serializers.BigIntegerField: _integer,
    serializers.IntegerField: _integer,
}
