"""Values of filters: what a client wrote, as Python's own type for the kind of the field.

Stage: reading. It refuses what a field cannot hold (`FilterError` `BadValue`), so that no database
ever meets a value that it would stumble over. Source: commerce contract 5.3.

A value comes out of JSON or out of a query parameter. Text is read alike in both, so that `"10"`
and `10` are the same number; only true and false differ, which JSON has words for.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, DecimalException
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations
from django.utils.dateparse import parse_duration
from django.utils.ipv6 import clean_ipv6_address

from backstay.resources.declaration.kinds import Kind
from backstay.resources.declaration.shape import Field
from backstay.resources.errors import FilterError
from backstay.resources.query.json_text import shown

MOST_CHARACTERS = 256
#: Digits of a decimal before its point, and after it.
_MOST_DIGITS = 38
_BIG = 2**63 - 1
#: SQLite holds durations as microseconds in 64 bits.
_LONGEST = timedelta(microseconds=_BIG)
#: Choices that the text of an error tells.
_MOST_CHOICES = 20


def read(field: Field, raw: object, pointer: str = '') -> Any:
    """The value that JSON or text stands for, of the type that the field's column is compared with.

    An array's value is one of its elements. Raises FilterError `BadValue`, with the pointer.
    """
    kind, column = field.kind, field.model_field
    if kind is Kind.ARRAY:
        kind, column = field.element or Kind.JSON, getattr(column, 'base_field', column)
    try:
        return _READERS[kind](raw, column)
    except OverflowError:
        fault = 'value out of range'
    except ValueError:
        fault = 'value of the wrong type'
    detail = f'A {fault}: `{field.name}` takes {_expected(kind, column)}.'
    raise FilterError('BadValue', detail, pointer)


def from_parameter(field: Field, text: str) -> object:
    """What JSON would have instead of the text of a query parameter."""
    if field.kind is Kind.BOOLEAN:
        return {'true': True, 'false': False}.get(text, text)
    return text


def escaped(text: str) -> str:
    """The pattern that matches a text literally.

    >>> escaped('100%')
    '100\\\\%'
    """
    return text.replace('\\', '\\\\').replace('%', '\\%').replace('_', '\\_')


def range_of(column: models.Field) -> tuple[int, int]:
    """The whole numbers that a column can be compared with: all that its type in SQL can hold."""
    while isinstance(column, models.ForeignKey):
        column = column.target_field
    ranges = BaseDatabaseOperations.integer_field_ranges
    _, high = ranges.get(column.get_internal_type(), (0, _BIG))
    return -high - 1, high


# One reader for each kind: ValueError says "not of this kind", OverflowError "not of this size".


def _text(raw: object, _column: models.Field) -> str:
    if not isinstance(raw, str) or '\0' in raw:
        raise ValueError
    if len(raw) > MOST_CHARACTERS:
        raise OverflowError
    if not raw.isascii():
        raw.encode()  # a lone surrogate is a ValueError
    return raw


def _choice(raw: object, column: models.Field) -> str:
    if raw not in _choices(column):
        raise ValueError
    return str(raw)


def _choices(column: models.Field) -> list[str]:
    chosen = [value for value, _ in column.flatchoices]
    return [*chosen, ''] if column.blank and '' not in chosen else chosen


def _integer(raw: object, column: models.Field) -> int:
    value = raw
    if type(raw) is str and raw.isascii() and raw.removeprefix('-').isdigit():
        if len(raw) > MOST_CHARACTERS:
            raise OverflowError
        value = int(raw)
    if type(value) is not int:
        raise ValueError
    low, high = range_of(column)
    if not low <= value <= high:
        raise OverflowError
    return value


def _number(raw: object) -> Decimal:
    """The exact number that JSON or text names."""
    if type(raw) is float:
        raw = repr(raw)
    if type(raw) is str and (len(raw) > MOST_CHARACTERS or raw.strip('+-.0123456789eE')):
        raise ValueError
    if type(raw) not in (int, str, Decimal):
        raise ValueError
    try:
        number = Decimal(raw)  # type: ignore[arg-type]  # one of the three by now
    except DecimalException:
        raise ValueError from None
    if not number.is_finite():
        raise ValueError
    return number


def _decimal(raw: object, _column: models.Field) -> Decimal:
    number = _number(raw)
    exponent = number.as_tuple().exponent
    # A short text such as 1e999999 names a million digits: the size is known before they are.
    if number.adjusted() >= _MOST_DIGITS or not isinstance(exponent, int):
        raise OverflowError
    if exponent < -_MOST_DIGITS:
        raise OverflowError
    return number


def _float(raw: object, _column: models.Field) -> float:
    number = float(_number(raw))
    if not math.isfinite(number):
        raise OverflowError
    return number


def _boolean(raw: object, _column: models.Field) -> bool:
    if not isinstance(raw, bool):
        raise ValueError
    return raw


def _date(raw: object, _column: models.Field) -> date:
    if not isinstance(raw, str) or len(raw) != 10 or not raw[4] == raw[7] == '-':
        raise ValueError
    return date.fromisoformat(raw)


def _time(raw: object, _column: models.Field) -> time:
    if not isinstance(raw, str) or raw[2:3] != ':':
        raise ValueError
    read_time = time.fromisoformat(_fraction_checked(raw))
    if read_time.tzinfo is not None:
        raise ValueError
    return read_time


def _datetime(raw: object, _column: models.Field) -> datetime:
    """RFC 3339; without a zone it is UTC, and a date is the start of its day there."""
    if not isinstance(raw, str) or not raw[4:5] == raw[7:8] == '-':
        raise ValueError
    if len(raw) > 10 and (raw[10] not in 'Tt ' or raw[13:14] != ':'):
        raise ValueError
    moment = datetime.fromisoformat(_fraction_checked(raw.upper()))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _fraction_checked(text: str) -> str:
    """The text, if its seconds have at most six decimals: Python would drop what follows."""
    _, _, fraction = text.partition('.')
    decimals = len(fraction) - len(fraction.lstrip('0123456789'))  # an offset may follow
    if ',' in text or decimals > 6:
        raise ValueError
    return text


def _duration(raw: object, column: models.Field) -> timedelta:
    duration = parse_duration(_text(raw, column))
    if duration is None:
        raise ValueError
    if abs(duration) > _LONGEST:
        raise OverflowError
    return duration


def _uuid(raw: object, column: models.Field) -> UUID:
    text = _text(raw, column)
    value = UUID(text)
    if str(value) != text.lower():
        raise ValueError
    return value


def _ip(raw: object, column: models.Field) -> str:
    """The address as `GenericIPAddressField` stores it."""
    text = _text(raw, column)
    if ':' not in text:
        return str(IPv4Address(text))
    if '%' in text:  # a zone: Python would drop it, PostgreSQL refuse it
        raise ValueError
    try:
        return clean_ipv6_address(text, unpack_ipv4=getattr(column, 'unpack_ipv4', False))
    except ValidationError:
        raise ValueError from None


def _scalar(raw: object, column: models.Field) -> str | int | float | bool:
    """A scalar inside JSON. Its numbers are those of JSON: whole in 64 bits, or floating."""
    match raw:
        case bool():
            return raw
        case str():
            return _text(raw, column)
        case int() if -_BIG - 1 <= raw <= _BIG:
            return raw
        case int():
            raise OverflowError
    return _float(raw, column)


_READERS: Mapping[Kind, Callable[[object, models.Field], Any]] = {
    Kind.TEXT: _text,
    Kind.LONG_TEXT: _text,
    Kind.CHOICE: _choice,
    Kind.INTEGER: _integer,
    Kind.FLOAT: _float,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.DATETIME: _datetime,
    Kind.DURATION: _duration,
    Kind.UUID: _uuid,
    Kind.IP: _ip,
    Kind.FILE: _text,
    Kind.JSON: _scalar,
}

_TEXT_EXPECTED = f'text of at most {MOST_CHARACTERS} characters, without NUL'
_EXPECTED: Mapping[Kind, str] = {
    Kind.TEXT: _TEXT_EXPECTED,
    Kind.LONG_TEXT: _TEXT_EXPECTED,
    Kind.FILE: _TEXT_EXPECTED,
    Kind.FLOAT: 'a finite number',
    Kind.DECIMAL: f'a number with at most {_MOST_DIGITS} digits on each side of the point',
    Kind.BOOLEAN: 'true or false',
    Kind.DATE: 'a date such as 2026-01-31',
    Kind.TIME: 'a time such as 14:05:00',
    Kind.DATETIME: 'a time such as 2026-01-31T14:05:00Z, or a date',
    Kind.DURATION: 'a duration such as 1 02:03:04 or P1DT2H3M4S',
    Kind.UUID: 'a UUID such as 01234567-89ab-cdef-0123-456789abcdef',
    Kind.IP: 'an IP address',
    Kind.JSON: 'a text, a number, true or false',
}


def _expected(kind: Kind, column: models.Field) -> str:
    match kind:
        case Kind.INTEGER:
            low, high = range_of(column)
            return f'an integer from {low} to {high}'
        case Kind.CHOICE:
            chosen = _choices(column)
            more = ', …' if len(chosen) > _MOST_CHOICES else ''
            return 'one of ' + ', '.join(f'`{shown(each)}`' for each in chosen[:20]) + more
    return _EXPECTED[kind]
