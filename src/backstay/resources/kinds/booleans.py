"""Booleans."""

from django.db import models

from backstay.engine.forms import Form, cast_binding, json_binding
from backstay.resources.kinds.operators import EQUALITY
from backstay.resources.kinds.value_kind import Column, Schema, ValueKind, Writing


def _read(raw: object, _column: Column) -> bool:
    if not isinstance(raw, bool):
        raise ValueError
    return raw


def _schema(_column: Column) -> Schema:
    return {'type': 'boolean'}


BOOLEAN = ValueKind(
    name='boolean',
    columns=(models.BooleanField,),
    operators=EQUALITY,
    read=_read,
    check_body=_read,
    expected=lambda _column: 'true or false',
    from_text=lambda text: {'true': True, 'false': False}.get(text, text),
    writing={
        'postgresql': Writing(column=Form('{x}::text'), is_plain_element=True),
        'sqlite': Writing(
            column=Form("CASE WHEN {x} THEN 'true' ELSE 'false' END", hides_null=True)
        ),
    },
    bindings={
        'postgresql': cast_binding('boolean', lambda value: 'true' if value else 'false'),
        'sqlite': json_binding(bool),
    },
    answer_schema=_schema,
    asked_schema=_schema,
    body_schema={'type': 'boolean'},
    suffixes=('',),
    is_admin_filter=True,
)
