"""Values of every type of field for hypothesis, the awkward ones first."""

import datetime as dt
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import connection, models
from django.db.backends.base.operations import BaseDatabaseOperations
from hypothesis import strategies as st

#: PostgreSQL stores no NUL, in text or in jsonb.
_STORES_NUL = connection.vendor == 'sqlite'
_CONTROL = '\x01\x08\t\n\r\x1f\x7f' + '\0' * _STORES_NUL
_AWKWARD_TEXTS = (
    '',
    ' ',
    '0',
    '1',
    'null',
    'a"b',
    "a'b",
    'a\\b',
    '\\',
    '\\u0041',
    '\u001f',
    '100%',
    '%s %(x)s {0} {x}',
    'a_b',
    'a*b?c[d]e',
    'Ärger',
    'ärger',
    'STRASSE',
    'straße',
    'İı',
    'ΣΑΣ',
    'σας',
    '\u2028\u2029',
    '\U0001f600',
    '\uffff',
    'é',
    'e\u0301',
    _CONTROL,
)
_ALPHABET = st.sampled_from(
    'aAbBzZéÉß\u03c3Σ0159 _%\\"\'*?[]{}$:.,-\u2028\U0001f600\U00010400\ue000'
)
_AWKWARD_FLOATS = (
    0.0,
    -0.0,
    0.1 + 0.2,
    1e-310,
    5e-324,
    1e308,
    -1.7976931348623157e308,
    2.0**53 + 2,
    1e22,
    1e21,
    123456789.123456789,
    5.0,
    1 / 3,
)
#: 64 bits of microseconds, which is how SQLite holds a duration.
_LONGEST = dt.timedelta(microseconds=2**63 - 1)
_AWKWARD_DURATIONS = (
    dt.timedelta(0),
    dt.timedelta(microseconds=1),
    dt.timedelta(microseconds=-1),
    dt.timedelta(days=-1, microseconds=500_000),
    dt.timedelta(days=1),
    dt.timedelta(hours=-36),
    dt.timedelta(days=400, hours=23, seconds=59, microseconds=999_999),
    _LONGEST,
    -_LONGEST,
)
_MOMENTS = st.one_of(
    st.sampled_from(
        (
            dt.datetime(1, 1, 1, tzinfo=dt.UTC),
            dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC),
            dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC),
            dt.datetime(2026, 3, 29, 1, 30, 0, 1, tzinfo=dt.UTC),
            dt.datetime(2026, 3, 29, 1, 30, 0, 100_000, tzinfo=dt.UTC),
        )
    ),
    st.datetimes(timezones=st.just(dt.UTC)),
)
_CLOCKS = st.one_of(
    st.sampled_from((dt.time(0), dt.time(23, 59, 59, 999_999), dt.time(12, 30, 0, 120_000))),
    st.times(),
)
_DAYS = st.one_of(st.sampled_from((dt.date(1, 1, 1), dt.date(9999, 12, 31))), st.dates())
_SPANS = st.one_of(st.sampled_from(_AWKWARD_DURATIONS), st.timedeltas(-_LONGEST, _LONGEST))
_FLOATS = st.one_of(
    st.sampled_from(_AWKWARD_FLOATS), st.floats(allow_nan=False, allow_infinity=False)
)
_IPS = st.one_of(
    st.sampled_from(('127.0.0.1', '::1', '2001:db8::ff00:42:8329', '::ffff:1.2.3.4')),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
)


def texts(most: int) -> st.SearchStrategy[str]:
    """Text of at most this many characters."""
    awkward = tuple(text for text in _AWKWARD_TEXTS if len(text) <= most)
    return st.one_of(st.sampled_from(awkward), st.text(_ALPHABET, max_size=min(most, 12)))


def decimals(digits: int, places: int) -> st.SearchStrategy[Decimal]:
    """Decimals of a column; on SQLite of the 15 digits that a REAL keeps."""
    if connection.vendor == 'sqlite':
        digits = min(digits, 15)
    most = 10**digits - 1
    whole = st.one_of(st.sampled_from((0, 1, -1, 5, 10, most, -most)), st.integers(-most, most))
    return whole.map(lambda number: Decimal(f'{number}E-{places}'))


def documents() -> st.SearchStrategy[Any]:
    """JSON documents, some of which share the keys `color` and `größe`."""
    scalars = st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from((0, 1, -1, 2**53 + 1, 2**63 - 1, 10**30, '1', 'true', '', '{}', '[]')),
        st.sampled_from(_AWKWARD_FLOATS),
        texts(20),
    )
    keys = st.one_of(st.sampled_from(('color', 'größe', 'b', 'aa', 'a')), texts(6))
    nested = st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=6,
    )
    return st.one_of(st.dictionaries(keys, nested, max_size=4), nested.filter(_is_a_value))


def _is_a_value(document: Any) -> bool:
    """Whether Python's None does not stand for both NULL and JSON's null."""
    return document is not None


@cache
def labels() -> st.SearchStrategy[list[Any]]:
    """Arrays of scalars, as an `Array` field holds them."""
    return st.lists(
        st.one_of(st.sampled_from((1, True, '1', 'true', 'new', 1.5, None, '["x"]')), texts(6)),
        max_size=3,
    )


@cache
def of_field(field: models.Field) -> st.SearchStrategy[Any]:
    """Values of a model field, None included where the column takes it."""
    values = _of_type(field)
    return st.one_of(st.none(), values) if field.null else values


@cache
def askable(field: models.Field) -> st.SearchStrategy[Any]:
    """Values that a filter on the field takes: no None, and no NUL in text."""
    return _of_type(field).filter(lambda value: not isinstance(value, str) or '\0' not in value)


def _of_type(field: models.Field) -> st.SearchStrategy[Any]:
    match field:
        case models.GeneratedField():
            return _of_type(field.output_field)
        case models.FileField():
            return st.sampled_from(('', 'a.txt', 'ordner/ü "1".png'))
        case models.GenericIPAddressField():
            return _IPS
        case models.CharField() if field.choices:
            return st.sampled_from([value for value, _ in field.flatchoices])
        case models.CharField():
            return texts(min(field.max_length or 20, 30))
        case models.TextField() | models.FilePathField():
            return texts(90)
        case models.IntegerField():
            return _integers(field)
        case models.DecimalField():
            return decimals(field.max_digits or 0, field.decimal_places or 0)
    return _PLAIN[type(field)]


def _integers(field: models.IntegerField) -> st.SearchStrategy[int]:
    low, high = BaseDatabaseOperations.integer_field_ranges[field.get_internal_type()]
    if field.name == 'required_integer':  # whose double is a generated column, reckoned in 32 bits
        low, high = -(2**30), 2**30 - 1
    ends = st.sampled_from([each for each in (low, high, 0, 1, -1, 7) if low <= each <= high])
    return st.one_of(ends, st.integers(low, high))


_PLAIN: dict[type[models.Field], st.SearchStrategy[Any]] = {
    models.FloatField: _FLOATS,
    models.BooleanField: st.booleans(),
    models.DateField: _DAYS,
    models.DateTimeField: _MOMENTS,
    models.TimeField: _CLOCKS,
    models.DurationField: _SPANS,
    models.UUIDField: st.uuids(),
    models.BinaryField: st.binary(max_size=80),
    models.JSONField: documents(),
}
