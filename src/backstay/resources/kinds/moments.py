"""Dates, times of day, moments and durations."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import models
from django.utils.dateparse import parse_duration
from django.utils.duration import duration_microseconds

from backstay.engine.forms import Form, cast_binding, json_binding, spelled_binding
from backstay.resources.kinds.numbers import LARGEST
from backstay.resources.kinds.operators import COMPARISONS
from backstay.resources.kinds.texts import read_text
from backstay.resources.kinds.value_kind import Column, Schema, ValueKind, Writing

_CLOCK = r'\d{2}:\d{2}:\d{2}(\.\d{1,6})?'
_CLOCK_OF_BODIES = r'([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?'
_SUFFIXES = ('', 'gte', 'lte')


def _read_date(raw: object, _column: Column) -> date:
    if not isinstance(raw, str) or len(raw) != 10 or not raw[4] == raw[7] == '-':
        raise ValueError
    return date.fromisoformat(raw)


def _schema_of_date(_column: Column) -> Schema:
    return {'type': 'string', 'format': 'date'}


DATE = ValueKind(
    name='date',
    columns=(models.DateField,),
    operators=COMPARISONS,
    read=_read_date,
    check_body=_read_date,
    expected=lambda _column: 'a date such as 2026-01-31',
    writing={
        'postgresql': Writing(column=Form('{x}', quoted=True)),
        'sqlite': Writing(column=Form('{x}', quoted=True), computed=Form('date({x})', quoted=True)),
    },
    bindings={'postgresql': cast_binding('date'), 'sqlite': json_binding(str)},
    # Such as `db_default=Now()`, where SQLite stores the moment.
    computed_form={'sqlite': 'date({x})'},
    answer_schema=_schema_of_date,
    asked_schema=_schema_of_date,
    body_schema={'type': 'string', 'format': 'date'},
    suffixes=_SUFFIXES,
    is_admin_filter=True,
)


def _read_time(raw: object, _column: Column) -> time:
    if not isinstance(raw, str) or raw[2:3] != ':':
        raise ValueError
    found = time.fromisoformat(_fraction_checked(raw))
    if found.tzinfo is not None:
        raise ValueError
    return found


def _spelled(seconds: str, microsecond: int) -> list[str]:
    """Return the spellings of a moment in SQLite, from the shortest to six decimals.

    Django writes six decimals, or none where all are zero, and SQLite's own `now` three. A shorter
    spelling sorts before a longer one, and no other moment between the two.

    >>> _spelled('12:00:00', 120_000)[:3]
    ['12:00:00.12', '12:00:00.120', '12:00:00.1200']
    """
    digits = f'{microsecond:06d}'
    shortest = len(digits.rstrip('0'))
    return [f'{seconds}.{digits[:length]}' if length else seconds for length in range(shortest, 7)]


def _fraction_checked(text: str) -> str:
    """Return the text if its seconds have at most six decimals: Python drops what follows."""
    _, _, fraction = text.partition('.')
    decimals = len(fraction) - len(fraction.lstrip('0123456789'))  # an offset may follow
    if ',' in text or decimals > 6:
        raise ValueError
    return text


def _schema_of_time(_column: Column) -> Schema:
    # RFC 3339's time has a zone, and so has JSON Schema's format of that name; this has none.
    return {'type': 'string', 'format': 'time-local', 'pattern': f'^{_CLOCK}$'}


_POSTGRESQL_CLOCK = "replace(to_char({x}, 'HH24:MI:SS.US'), '.000000', '')"

#: Django writes six decimals or none, SQLite itself three.
_SQLITE_TIME = 'CASE length({x}) WHEN 12 THEN backstay_time({x}) ELSE {x} END'


TIME = ValueKind(
    name='time',
    columns=(models.TimeField,),
    operators=COMPARISONS,
    read=_read_time,
    check_body=_read_time,
    expected=lambda _column: 'a time such as 14:05:00',
    writing={
        'postgresql': Writing(
            column=Form(_POSTGRESQL_CLOCK.format(x='{x}::interval'), quoted=True)
        ),
        'sqlite': Writing(
            column=Form(_SQLITE_TIME, quoted=True),
            computed=Form('backstay_time({x})', quoted=True),
            key=Form('{x}', quoted=True),
        ),
    },
    bindings={
        'postgresql': cast_binding('time'),
        'sqlite': spelled_binding(
            lambda value: _spelled(value.isoformat('seconds'), value.microsecond), adapt_key=str
        ),
    },
    answer_schema=_schema_of_time,
    asked_schema=_schema_of_time,
    body_schema={'type': 'string', 'format': 'time-local', 'pattern': f'^{_CLOCK_OF_BODIES}$'},
    suffixes=_SUFFIXES,
)


def _read_datetime(raw: object, _column: Column) -> datetime:
    """Read RFC 3339; without a zone it is UTC, and a date is the start of its day there."""
    if not isinstance(raw, str) or not raw[4:5] == raw[7:8] == '-':
        raise ValueError
    if len(raw) > 10 and (raw[10] not in 'Tt ' or raw[13:14] != ':'):
        raise ValueError
    moment = datetime.fromisoformat(_fraction_checked(raw.upper()))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _spelled_moment(value: datetime) -> list[str]:
    """Return the spellings of a moment as Django stores it in SQLite: in UTC, without a zone."""
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return _spelled(value.isoformat(' ', 'seconds'), value.microsecond)


def _key_text(value: Any) -> str:
    return value if isinstance(value, str) else value.isoformat(' ')


def _schema_of_datetime(_column: Column) -> Schema:
    return {'type': 'string', 'format': 'date-time'}


_SQLITE_MOMENT = (
    "CASE length({x}) WHEN 23 THEN backstay_datetime({x}) ELSE replace({x}, ' ', 'T') || 'Z' END"
)

DATETIME = ValueKind(
    name='datetime',
    columns=(models.DateTimeField,),
    operators=COMPARISONS,
    read=_read_datetime,
    check_body=_read_datetime,
    expected=lambda _column: 'a time such as 2026-01-31T14:05:00Z, or a date',
    # The first and last years may have no such moment in UTC.
    refine=lambda value: value.astimezone(UTC),
    writing={
        'postgresql': Writing(
            column=Form(
                "replace(to_char({x} AT TIME ZONE 'UTC', "
                "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), '.000000', '')",
                quoted=True,
            )
        ),
        'sqlite': Writing(
            column=Form(_SQLITE_MOMENT, quoted=True),
            computed=Form('backstay_datetime({x})', quoted=True),
            key=Form('{x}', quoted=True),
        ),
    },
    bindings={
        'postgresql': cast_binding(
            'timestamp with time zone', lambda value: value.isoformat(), adapt_key=_key_text
        ),
        'sqlite': spelled_binding(_spelled_moment, adapt_key=_key_text),
    },
    answer_schema=_schema_of_datetime,
    asked_schema=_schema_of_datetime,
    body_schema={'type': 'string', 'format': 'date-time'},
    suffixes=_SUFFIXES,
    is_admin_filter=True,
)

#: SQLite holds durations as microseconds in 64 bits.
_LONGEST = timedelta(microseconds=LARGEST)


#: Decimals of a second that Python drops.
_LOST_DECIMALS = re.compile(r'[.,]\d{7}')


def _read_duration(raw: object, column: Column) -> timedelta:
    text = read_text(raw, column)
    duration = parse_duration(text)
    if duration is None or not text.isascii() or _LOST_DECIMALS.search(text):
        raise ValueError
    return _short_enough(duration)


def _short_enough(value: timedelta) -> timedelta:
    if abs(value) > _LONGEST:
        raise OverflowError
    return value


def _schema_of_duration(_column: Column) -> Schema:
    return {'type': 'string', 'pattern': rf'^(-?\d+ )?{_CLOCK}$'}


_DAYS = 'floor(extract(epoch FROM {x}) / 86400)'
_POSTGRESQL_DURATION = (
    f"CASE WHEN {_DAYS} <> 0 THEN {_DAYS}::bigint || ' ' ELSE '' END || "
    + _POSTGRESQL_CLOCK.format(
        x=f'make_interval(secs => (extract(epoch FROM {{x}}) - {_DAYS} * 86400)::float8)'
    )
)

DURATION = ValueKind(
    name='duration',
    columns=(models.DurationField,),
    operators=COMPARISONS,
    read=_read_duration,
    check_body=_read_duration,
    expected=lambda _column: 'a duration such as 1 02:03:04 or P1DT2H3M4S',
    refine=_short_enough,
    is_always_refined=True,
    writing={
        'postgresql': Writing(column=Form(_POSTGRESQL_DURATION, quoted=True)),
        'sqlite': Writing(column=Form('backstay_duration({x})', quoted=True)),
    },
    bindings={
        'postgresql': cast_binding(
            'interval',
            lambda value: f'{value.days} days {value.seconds}.{value.microseconds:06d} s',
        ),
        'sqlite': json_binding(duration_microseconds),
    },
    # Such as a duration times 1.5, which PostgreSQL rounds to whole microseconds.
    computed_form={'sqlite': 'backstay_whole({x})'},
    from_key=lambda raw: (
        parse_duration(raw) if isinstance(raw, str) else timedelta(microseconds=raw)
    ),
    answer_schema=_schema_of_duration,
    asked_schema=_schema_of_duration,
    body_schema={'type': 'string', 'pattern': rf'^(-?\d{{1,8}} )?{_CLOCK_OF_BODIES}$'},
    suffixes=_SUFFIXES,
)
