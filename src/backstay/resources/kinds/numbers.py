"""Numbers: whole ones, binary floats and decimals."""

import math
from decimal import Decimal, DecimalException

from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations

from backstay.engine.forms import Form, cast_binding, json_binding
from backstay.resources.kinds.operators import COMPARISONS
from backstay.resources.kinds.texts import MAX_TEXT_CHARACTERS
from backstay.resources.kinds.value_kind import Column, Refused, Schema, ValueKind, Writing

#: Digits of a decimal before its point, and after it.
_MAX_DECIMAL_DIGITS = 38
#: The largest whole number of 64 bits.
LARGEST = 2**63 - 1


def range_of(column: Column) -> tuple[int, int]:
    """Return the whole numbers that a column's type in SQL can hold."""
    while isinstance(column, models.ForeignKey):
        column = column.target_field
    ranges = BaseDatabaseOperations.integer_field_ranges
    _, high = ranges.get(column.get_internal_type(), (0, LARGEST))
    return -high - 1, high


def _read_integer(raw: object, column: Column) -> int:
    value = raw
    if type(raw) is str and raw.isascii() and raw.removeprefix('-').isdigit():
        if len(raw) > MAX_TEXT_CHARACTERS:
            raise OverflowError
        value = int(raw)
    if type(value) is not int:
        raise ValueError
    low, high = range_of(column)
    if not low <= value <= high:
        raise OverflowError
    return value


def _range_schema(column: Column) -> Schema:
    low, high = range_of(column)
    return {'type': 'integer', 'minimum': low, 'maximum': high}


INTEGER = ValueKind(
    name='integer',
    columns=(models.AutoField, models.BigIntegerField, models.IntegerField),
    operators=COMPARISONS,
    read=_read_integer,
    check_body=_read_integer,
    expected=lambda column: 'an integer from {} to {}'.format(*range_of(column)),
    writing={
        'postgresql': Writing(column=Form('{x}'), is_plain_element=True),
        'sqlite': Writing(column=Form('{x}')),
    },
    bindings={'postgresql': cast_binding('bigint'), 'sqlite': json_binding(int)},
    is_exact=True,
    answer_schema=lambda _column: {'type': 'integer'},
    asked_schema=_range_schema,
    suffixes=('', 'gte', 'lte'),
    is_safe_in_url=True,
)


def _number(raw: object) -> Decimal:
    """Return the exact number that JSON or text names."""
    if type(raw) is float:
        raw = repr(raw)
    if type(raw) is str and (len(raw) > MAX_TEXT_CHARACTERS or raw.strip('+-.0123456789eE')):
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


def read_float(raw: object, _column: Column) -> float:
    """Return the finite float that JSON or text names."""
    number = float(_number(raw))
    if not math.isfinite(number):
        raise OverflowError
    return number


def finite(value: float) -> float:
    """Return the float; raise Refused where JSON cannot write it."""
    if not math.isfinite(value):
        raise Refused('A finite number is required.')
    return value


def _schema_of_float(_column: Column) -> Schema:
    return {'type': 'number'}


_FLOAT = "CASE WHEN {x} IN ('NaN', 'Infinity', '-Infinity') THEN 'null' ELSE {x}::text END"

FLOAT = ValueKind(
    name='float',
    columns=(models.FloatField,),
    operators=COMPARISONS,
    read=read_float,
    check_body=read_float,
    expected=lambda _column: 'a finite number',
    refine=finite,
    writing={
        'postgresql': Writing(
            column=Form(_FLOAT),
            # Such as a decimal times 1.5, which is a numeric of many digits.
            computed=Form(_FLOAT.replace('{x}', '({x})::float8')),
            key=Form('{x}', quoted=True),
            computed_key=Form('({x})::float8', quoted=True),
        ),
        'sqlite': Writing(
            column=Form('backstay_float({x})'), key=Form('backstay_exact_float({x})', quoted=True)
        ),
    },
    bindings={
        'postgresql': cast_binding('double precision'),
        # SQLite would not always read the same float out of JSON.
        'sqlite': json_binding(float, element='backstay_read_float(value)', adapt_element=repr),
    },
    from_key=float,
    answer_schema=_schema_of_float,
    asked_schema=_schema_of_float,
    suffixes=('', 'gte', 'lte'),
    # What JSON cannot write.
    is_null_at_times=True,
)


def _read_decimal(raw: object, _column: Column) -> Decimal:
    number = _number(raw)
    exponent = number.as_tuple().exponent
    # A short text such as 1e999999 names a million digits: the size is known before they are.
    if number.adjusted() >= _MAX_DECIMAL_DIGITS or not isinstance(exponent, int):
        raise OverflowError
    if exponent < -_MAX_DECIMAL_DIGITS:
        raise OverflowError
    return number


#: Digits that a REAL of SQLite keeps, and to which Django rounds a decimal that it reads.
_REAL_DIGITS = 15


def _stored_in_sqlite(column: Column) -> Form:
    if _digits(column) > _REAL_DIGITS:
        return _rounded_in_sqlite(column)
    # printf would write NULL as zero.
    written = f"CASE WHEN {{x}} IS NOT NULL THEN printf('%%.{_places(column)}f', {{x}}) END"
    return Form(written, quoted=True)


def _rounded_in_sqlite(column: Column) -> Form:
    sql = f'backstay_decimal({{x}}, {_digits(column)}, {_places(column)})'
    return Form(sql, quoted=True)


def _rounded_in_postgresql(column: Column) -> Form:
    """Round half to even, as DRF does; PostgreSQL rounds half away from zero."""
    places = _places(column)
    rounded = (
        f'(round({{x}}, {places}) - CASE WHEN abs(mod({{x}} * 1e{places}, 2)) = 0.5'
        f' THEN sign({{x}}) * 1e-{places} ELSE 0 END)'
    )
    return Form(rounded, quoted=True)


def _digits(column: Column) -> int:
    return getattr(column, 'max_digits', None) or _MAX_DECIMAL_DIGITS


def _places(column: Column) -> int:
    return getattr(column, 'decimal_places', None) or 0


def _schema_of_decimal(column: Column) -> Schema:
    places = _places(column)
    fraction = rf'\.\d{{{places}}}' if places else ''
    return {'type': 'string', 'format': 'decimal', 'pattern': rf'^-?\d+{fraction}$'}


_SHORT_DECIMAL = rf'^-?\d{{1,{_MAX_DECIMAL_DIGITS}}}(\.\d{{1,{_MAX_DECIMAL_DIGITS}}})?$'

DECIMAL = ValueKind(
    name='decimal',
    columns=(models.DecimalField,),
    operators=COMPARISONS,
    read=_read_decimal,
    check_body=_read_decimal,
    expected=lambda _column: (
        f'a number with at most {_MAX_DECIMAL_DIGITS} digits on each side of the point'
    ),
    writing={
        'postgresql': Writing(
            column=Form('{x}', quoted=True),
            computed=_rounded_in_postgresql,
            key=Form('{x}', quoted=True),
        ),
        'sqlite': Writing(
            column=_stored_in_sqlite,
            computed=_rounded_in_sqlite,
            computed_key=Form('backstay_exact_float({x})', quoted=True),
        ),
    },
    bindings={
        'postgresql': cast_binding('numeric'),
        'sqlite': json_binding(
            str,
            sql='CAST(%s AS NUMERIC)',
            element='CAST(value AS NUMERIC)',
            # What SQLite computes as a decimal is a REAL, which may have more digits than it.
            adapt_key=float,
        ),
    },
    # What SQLite computes with decimals is binary: 0.1 * 3 is 0.30000000000000004 there.
    computed_form={'sqlite': 'backstay_round({x})'},
    from_key=lambda raw: Decimal(str(raw)),
    answer_schema=_schema_of_decimal,
    asked_schema=lambda _column: {
        'type': 'string',
        'format': 'decimal',
        'pattern': _SHORT_DECIMAL,
    },
    suffixes=('', 'gte', 'lte'),
)
