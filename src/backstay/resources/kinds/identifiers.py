"""Identifiers: UUIDs and IP addresses."""

from ipaddress import IPv4Address
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.ipv6 import clean_ipv6_address

from backstay.engine.forms import Form, cast_binding, json_binding
from backstay.resources.kinds.operators import COMPARISONS, EQUALITY
from backstay.resources.kinds.texts import read_text
from backstay.resources.kinds.value_kind import Column, Schema, ValueKind, Writing


def _read_uuid(raw: object, column: Column) -> UUID:
    text = read_text(raw, column)
    value = UUID(text)
    if str(value) != text.lower():
        raise ValueError
    return value


def _schema_of_uuid(_column: Column) -> Schema:
    return {'type': 'string', 'format': 'uuid'}


UUIDS = ValueKind(
    name='uuid',
    columns=(models.UUIDField,),
    operators=COMPARISONS,
    read=_read_uuid,
    check_body=_read_uuid,
    expected=lambda _column: 'a UUID such as 01234567-89ab-cdef-0123-456789abcdef',
    writing={
        'postgresql': Writing(column=Form('{x}', quoted=True)),
        'sqlite': Writing(
            column=Form(
                " || '-' || ".join(
                    f'substr({{x}}, {start}, {length})'
                    for start, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
                ),
                quoted=True,
            )
        ),
    },
    # As Django stores them in SQLite.
    bindings={
        'postgresql': cast_binding('uuid'),
        'sqlite': json_binding(lambda value: UUID(str(value)).hex),
    },
    from_key=UUID,
    is_exact=True,
    answer_schema=_schema_of_uuid,
    asked_schema=_schema_of_uuid,
    body_schema={'type': 'string', 'format': 'uuid'},
    suffixes=('', 'in'),
    is_safe_in_url=True,
)


def _read_address(raw: object, column: Column) -> str:
    """Return the address as `GenericIPAddressField` stores it."""
    text = read_text(raw, column)
    if ':' not in text:
        return str(IPv4Address(text))
    if '%' in text:  # a zone: Python would drop it, PostgreSQL refuse it
        raise ValueError
    try:
        return clean_ipv6_address(text, unpack_ipv4=getattr(column, 'unpack_ipv4', False))
    except ValidationError:
        raise ValueError from None


def _schema_of_address(_column: Column) -> Schema:
    return {'type': 'string', 'anyOf': [{'format': 'ipv4'}, {'format': 'ipv6'}]}


#: PostgreSQL sorts addresses as numbers, SQLite as text: they are not sorted by.
IP = ValueKind(
    name='ip',
    columns=(models.GenericIPAddressField,),
    operators=EQUALITY,
    read=_read_address,
    check_body=_read_address,
    expected=lambda _column: 'an IP address',
    writing={
        'postgresql': Writing(column=Form('host({x})', quoted=True)),
        'sqlite': Writing(column=Form('{x}', quoted=True)),
    },
    bindings={'postgresql': cast_binding('inet'), 'sqlite': json_binding(str)},
    is_sortable=False,
    answer_schema=_schema_of_address,
    asked_schema=_schema_of_address,
    suffixes=('',),
)
