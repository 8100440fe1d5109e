"""Values that are not compared as a whole: JSON documents, arrays, and bytes."""

import base64
import binascii
from typing import Any, NoReturn

from django.db import models
from rest_framework import serializers

from backstay.engine.forms import Form, cast_binding, json_binding
from backstay.resources.kinds.numbers import LARGEST, read_float
from backstay.resources.kinds.operators import OF_ARRAYS, WITHOUT_VALUE
from backstay.resources.kinds.registered import kind_of
from backstay.resources.kinds.texts import read_text, schema_of_short_text
from backstay.resources.kinds.value_kind import (
    OF_JSON,
    Column,
    Refused,
    Schema,
    ValueKind,
    Writing,
)

_BASE64 = r'^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$'


def _read_nothing(_raw: object, _column: Column) -> NoReturn:
    raise ValueError


def _read_scalar(raw: object, column: Column) -> str | int | float | bool:
    """Return a scalar inside JSON. Its numbers are whole in 64 bits, or floating."""
    match raw:
        case bool():
            return raw
        case str():
            return read_text(raw, column)
        case int() if -LARGEST - 1 <= raw <= LARGEST:
            return raw
        case int():
            raise OverflowError
    return read_float(raw, column)


JSON = ValueKind(
    name='json',
    columns=(models.JSONField,),
    operators=WITHOUT_VALUE,
    read=_read_scalar,
    expected=lambda _column: 'a text, a number, true or false',
    writing={
        'postgresql': Writing(column=Form('{x}')),
        'sqlite': Writing(column=Form('{x}')),
    },
    bindings={'postgresql': cast_binding('jsonb'), 'sqlite': json_binding(str)},
    has_parts=True,
    is_sortable=False,
    answer_schema=lambda _column: {},
    asked_schema=schema_of_short_text,
    suffixes=('isnull',),
    is_text=True,
    is_long=True,
)


def element_of(column: Column) -> tuple[ValueKind, Column]:
    """Return the kind of the elements of an array, and what stands for their column."""
    base: Column | None = getattr(column, 'base_field', None)
    kind = kind_of(base) if base else None
    return (kind, base) if kind and base else (JSON, column)


def _read_element(raw: object, column: Column) -> Any:
    kind, base = element_of(column)
    return kind.read(raw, base)


def _check_elements(raw: object, column: Column) -> None:
    if getattr(column, 'base_field', None) is None:
        return  # of JSON, which the checking field reads strictly
    kind, base = element_of(column)
    for each in raw if isinstance(raw, list) else ():
        if isinstance(each, OF_JSON):  # a form of the admin has read others already
            kind.check_body(each, base)


def _expected_element(column: Column) -> str:
    kind, base = element_of(column)
    return kind.expected(base)


def _array_in_postgresql(column: Column) -> Form:
    if getattr(column, 'base_field', None) is None:
        return Form('{x}')  # a JSON field that holds an array
    kind, base = element_of(column)
    writing = kind.writing['postgresql']
    if writing.is_plain_element:
        return Form('array_to_json({x})')
    form = writing.form(base)
    element = form.sql.replace('{x}', 'e')
    text = f"'\"' || {element} || '\"'" if form.quoted else f'({element})::text'
    rows = f"string_agg(COALESCE({text}, 'null'), ',' ORDER BY i)"
    listed = f"SELECT '[' || COALESCE({rows}, '') || ']' FROM unnest({{x}})"  # noqa: S608 a form
    return Form(f'CASE WHEN {{x}} IS NOT NULL THEN ({listed} WITH ORDINALITY u(e, i)) END')


def _schema_of_array(column: Column) -> Schema:
    kind, base = element_of(column)
    schema = kind.answer_schema(base)
    items = {**schema, 'type': [schema['type'], 'null']} if 'type' in schema else {}
    return {'type': 'array', 'items': items}


#: An array column of PostgreSQL, or a JSON column that is declared as one.
ARRAY = ValueKind(
    name='array',
    internal_type='ArrayField',
    operators=OF_ARRAYS,
    read=_read_element,
    check_body=_check_elements,
    expected=_expected_element,
    writing={
        'postgresql': Writing(column=_array_in_postgresql),
        'sqlite': Writing(column=Form('{x}')),
    },
    bindings={'postgresql': cast_binding('jsonb'), 'sqlite': json_binding(str)},
    has_parts=True,
    is_sortable=False,
    answer_schema=_schema_of_array,
    asked_schema=schema_of_short_text,
    suffixes=('any',),
    is_text=True,
    is_long=True,
)


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise Refused('Base64 is required.') from None


BINARY = ValueKind(
    name='binary',
    columns=(models.BinaryField,),
    operators=WITHOUT_VALUE,
    read=_read_nothing,
    expected=lambda _column: 'nothing',
    body_field=lambda column: serializers.CharField(allow_null=column.null, allow_blank=True),
    refine=_decoded,
    is_always_refined=True,
    writing={
        'postgresql': Writing(
            column=Form(r"translate(encode({x}, 'base64'), E'\n', '')", quoted=True)
        ),
        'sqlite': Writing(column=Form('backstay_base64({x})', quoted=True)),
    },
    bindings={'postgresql': cast_binding('bytea'), 'sqlite': json_binding(bytes)},
    is_filterable=False,
    is_sortable=False,
    answer_schema=lambda _column: {'type': 'string', 'contentEncoding': 'base64'},
    asked_schema=lambda _column: {'type': 'string', 'contentEncoding': 'base64'},
    body_schema={'type': 'string', 'contentEncoding': 'base64', 'pattern': _BASE64},
    suffixes=('isnull',),
    is_text=True,
    is_long=True,
)
