"""Functions of SQLite's connections that do what its own get wrong.

Its own lose digits of floats, fold only ASCII in LIKE, and read decimals unlike Django.
"""

import re
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, timedelta
from decimal import Context, Decimal
from functools import lru_cache
from math import isfinite
from typing import Any

from django.utils.dateparse import parse_datetime, parse_time
from django.utils.duration import duration_string

#: Digits that a REAL keeps, and to which Django rounds a decimal that it reads.
_EXACT_DIGITS = 15


def write_float(number: float | None) -> str | None:
    """Write the shortest digits that read back as the same float, as PostgreSQL does.

    Floats that JSON cannot express are null. Python differs in a `.0` behind whole numbers, and in
    its lack of an exponent from 1e15 up to 1e16.
    """
    if number is None:
        return None
    if not isfinite(number):
        return 'null'
    text = repr(float(number)).removesuffix('.0')
    if 1e15 <= abs(number) < 1e16:
        digits = text.lstrip('-').replace('.', '').rstrip('0')
        fraction = f'.{digits[1:]}' if digits[1:] else ''
        return f'{"-" if number < 0 else ""}{digits[0]}{fraction}e+15'
    return text


def write_exact_float(number: float | None) -> str | None:
    """Write any float, infinity included, as Python reads it."""
    return None if number is None else repr(float(number))


def round_real(number: float | str | None) -> float | str | None:
    """Round to the digits that a REAL keeps, so that equal decimals are equal numbers."""
    return float(f'{number:.{_EXACT_DIGITS}g}') if isinstance(number, float) else number


def round_whole(number: float | None) -> int | None:
    """Round to a whole number, half to even."""
    return None if number is None else round(number)


def write_decimal(number: float | str | None, digits: int, places: int) -> str | None:
    """Write a decimal as Django reads it: to 15 digits, then to the column's places."""
    if number is None:
        return None
    exact = Context(prec=_EXACT_DIGITS).create_decimal(
        number if isinstance(number, str) else Decimal.from_float(number)
    )
    # More digits than the column has, since 15 digits may round up to one more.
    rounding = Context(prec=max(digits, _EXACT_DIGITS) + 1)
    shown = exact.quantize(Decimal(1).scaleb(-places), context=rounding)
    # PostgreSQL knows no -0.
    return f'{shown if shown else shown.copy_abs():f}'


def write_duration(microseconds: int | None) -> str | None:
    """Write a duration as Django does."""
    return None if microseconds is None else duration_string(timedelta(microseconds=microseconds))


def write_datetime(text: str | None) -> str | None:
    """Write a moment in UTC, in the form of ISO 8601."""
    moment = parse_datetime(text) if text else None
    if moment and moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return f'{moment.isoformat()}Z' if moment else None


def write_time(text: str | None) -> str | None:
    """Write a time in the form of ISO 8601."""
    time = parse_time(text) if text else None
    return time.isoformat() if time else None


def write_base64(data: bytes | None) -> str | None:
    """Write bytes in base64."""
    return None if data is None else b64encode(data).decode('ascii')


def ilike(text: Any, pattern: str | None) -> bool | None:
    """Match ILIKE as PostgreSQL does, for every letter of Unicode."""
    if text is None or pattern is None:
        return None
    return _expression_of(_lower(pattern)).fullmatch(_lower(str(text))) is not None


def _lower(text: str) -> str:
    """Lower each letter by itself: Python lowers these two by their context, or to two letters."""
    return text.replace('\u0130', 'i').replace('\u03a3', '\u03c3').lower()


@lru_cache(maxsize=256)
def _expression_of(pattern: str) -> re.Pattern[str]:
    """Return the expression of a LIKE pattern, which never backtracks in the text.

    A part between two `%` is taken at its leftmost place: if the whole matches at all, it matches
    this way too. Atomic groups and a possessive quantifier keep each such choice.
    """
    parts: list[list[str]] = [[]]
    characters = iter(pattern)
    for character in characters:
        if character == '%':
            parts.append([])
        elif character == '\\':
            parts[-1].append(re.escape(next(characters, '\\')))
        else:
            parts[-1].append('.' if character == '_' else re.escape(character))
    first, *others = (''.join(part) for part in parts)
    between = ''.join(f'(?>.*?{part})' for part in others[:-1])
    # The last part is looked for behind the others alone.
    end = f'.{{{len(parts[-1])},}}+(?<={others[-1]})' if others else ''
    return re.compile(first + between + end, re.DOTALL)


#: Every function, by its name in SQL and its number of arguments.
FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ('backstay_float', 1, write_float),
    ('backstay_exact_float', 1, write_exact_float),
    ('backstay_round', 1, round_real),
    ('backstay_whole', 1, round_whole),
    ('backstay_read_float', 1, float),
    ('backstay_decimal', 3, write_decimal),
    ('backstay_duration', 1, write_duration),
    ('backstay_datetime', 1, write_datetime),
    ('backstay_time', 1, write_time),
    ('backstay_base64', 1, write_base64),
    ('backstay_ilike', 2, ilike),
)
