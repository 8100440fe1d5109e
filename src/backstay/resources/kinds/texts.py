"""Texts: short ones, long ones, those of a fixed set, and the names of files."""

from collections.abc import Mapping
from typing import Any

from django.db import models

from backstay.engine.forms import Bindings, Form, cast_binding, json_binding
from backstay.resources.kinds.operators import EQUALITY, OF_TEXT, WITHOUT_VALUE
from backstay.resources.kinds.value_kind import Column, Refused, Schema, ValueKind, Writing

MAX_TEXT_CHARACTERS = 256
#: Choices that the text of an error tells.
_MAX_SHOWN_CHOICES = 20

BINDINGS: Bindings = {'postgresql': cast_binding('text'), 'sqlite': json_binding(str)}
_WRITING: Mapping[str, Writing] = {
    'postgresql': Writing(column=Form('to_json({x})'), is_plain_element=True),
    'sqlite': Writing(column=Form('json_quote({x})')),
}


def read_text(raw: object, _column: Column) -> str:
    """Return a text of at most `MAX_TEXT_CHARACTERS`, without NUL and lone surrogates."""
    if not isinstance(raw, str) or '\0' in raw:
        raise ValueError
    if len(raw) > MAX_TEXT_CHARACTERS:
        raise OverflowError
    if not raw.isascii():
        raw.encode()  # a lone surrogate is a ValueError
    return raw


def check_text(raw: object, _column: Column) -> None:
    """Raise Refused for what is no text."""
    if not isinstance(raw, str):
        raise Refused('A text is required.')


def schema_of_text(_column: Column) -> Schema:
    """Return the schema of any text."""
    return {'type': 'string'}


def schema_of_short_text(_column: Column) -> Schema:
    """Return the schema of what `read_text` takes."""
    return {'type': 'string', 'maxLength': MAX_TEXT_CHARACTERS}


def _expected(_column: Column) -> str:
    return f'text of at most {MAX_TEXT_CHARACTERS} characters, without NUL'


def _read_choice(raw: object, column: Column) -> str:
    if raw not in choices_of(column):
        raise ValueError
    return str(raw)


def choices_of(column: Column) -> list[Any]:
    """Return the values, other than NULL, that a column with choices may hold."""
    chosen = [value for value, _ in column.flatchoices if value is not None]
    is_text = isinstance(column, models.CharField | models.TextField)
    has_blank = column.blank and is_text and '' not in chosen
    return [*chosen, ''] if chosen and has_blank else chosen


def _expected_choices(column: Column) -> str:
    chosen = choices_of(column)
    more = ', …' if len(chosen) > _MAX_SHOWN_CHOICES else ''
    return 'one of ' + ', '.join(f'`{each}`' for each in chosen[:_MAX_SHOWN_CHOICES]) + more


def _schema_of_choices(column: Column) -> Schema:
    return {'type': 'string', 'enum': choices_of(column)}


#: A text column with choices.
CHOICE = ValueKind(
    name='choice',
    operators=EQUALITY,
    read=_read_choice,
    check_body=check_text,
    expected=_expected_choices,
    writing=_WRITING,
    bindings=BINDINGS,
    is_bytewise=True,
    is_exact=True,
    answer_schema=_schema_of_choices,
    asked_schema=_schema_of_choices,
    suffixes=('', 'in'),
    is_text=True,
    is_admin_filter=True,
)

TEXT = ValueKind(
    name='text',
    columns=(models.CharField, models.FilePathField),
    with_choices=CHOICE,
    operators=OF_TEXT,
    read=read_text,
    check_body=check_text,
    expected=_expected,
    writing=_WRITING,
    bindings=BINDINGS,
    is_bytewise=True,
    is_exact=True,
    answer_schema=schema_of_text,
    asked_schema=schema_of_short_text,
    suffixes=('', 'icontains'),
    is_text=True,
)

LONG_TEXT = ValueKind(
    name='long text',
    columns=(models.TextField,),
    operators=OF_TEXT,
    read=read_text,
    check_body=check_text,
    expected=_expected,
    writing=_WRITING,
    bindings=BINDINGS,
    is_bytewise=True,
    is_filterable=False,
    is_sortable=False,
    answer_schema=schema_of_text,
    asked_schema=schema_of_short_text,
    suffixes=('', 'icontains'),
    is_text=True,
    is_long=True,
)


#: The name of a file; a file that is not there is null.
FILE = ValueKind(
    name='file',
    columns=(models.FileField,),
    operators=WITHOUT_VALUE,
    read=read_text,
    expected=_expected,
    writing={
        'postgresql': Writing(column=Form("to_json(NULLIF({x}, ''))", may_be_null=True)),
        'sqlite': Writing(column=Form("json_quote(NULLIF({x}, ''))")),
    },
    bindings=BINDINGS,
    is_filterable=False,
    is_sortable=False,
    answer_schema=schema_of_text,
    asked_schema=schema_of_text,
    suffixes=('isnull',),
    is_null_at_times=True,
    is_text=True,
)
