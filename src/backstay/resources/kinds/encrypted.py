"""Encrypted texts: the database writes ciphertext beside its wrapped key, Python decrypts it."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import structlog
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from rest_framework import serializers

from backstay.encryption.blind import DIGEST, wanted
from backstay.encryption.declared import EncryptedField
from backstay.encryption.envelope import KEY_AT, Sealed, unseal
from backstay.encryption.errors import EncryptionError, KeyDestroyed, NotReadable
from backstay.encryption.fields import BlindIndexedTextField, EncryptedTextField
from backstay.encryption.keys import database_of_keys, opened
from backstay.encryption.owners import Owner
from backstay.encryption.rows import Unsealed
from backstay.engine.forms import Bindings, Form, array_literal, cast_binding, json_binding
from backstay.errors import Problem
from backstay.resources.kinds.operators import EQUALITY, WITHOUT_VALUE
from backstay.resources.kinds.texts import check_text, read_text, schema_of_short_text
from backstay.resources.kinds.value_kind import Column, Schema, ValueKind, Writing

_log = structlog.get_logger(__name__)
#: `<ciphertext>:<master key>:<wrapped key>` in base64; `-` for a destroyed key, nothing for none.
_WITH_KEY = (
    "{encoded} || ':' || COALESCE((SELECT COALESCE(k.master || ':' || {wrapped}, '-')"
    ' FROM "encryption_datakey" k WHERE k.id = {id}), \'\')'
)
_WRITING: Mapping[str, Writing] = {
    'postgresql': Writing(
        column=Form(
            _WITH_KEY.format(
                encoded="translate(encode({x}, 'base64'), E'\\n', '')",
                wrapped="translate(encode(k.wrapped, 'base64'), E'\\n', '')",
                id=f"encode(substr({{x}}, {KEY_AT + 1}, 16), 'hex')::uuid",
            ),
            quoted=True,
        )
    ),
    'sqlite': Writing(
        column=Form(
            _WITH_KEY.format(
                encoded='backstay_base64({x})',
                wrapped='backstay_base64(k.wrapped)',
                id=f'lower(hex(substr({{x}}, {KEY_AT + 1}, 16)))',
            ),
            quoted=True,
        )
    ),
}


class PlainText(serializers.CharField):
    """A text of a body, or of a form of the admin, which is on its way to be encrypted."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Return the text. Raises ValidationError."""
        return super().run_validation(data.text if isinstance(data, Unsealed) else data)


def _checked(column: Any) -> serializers.Field:
    text = PlainText(allow_null=column.null, allow_blank=column.blank, max_length=column.max_length)
    known = (ProhibitNullCharactersValidator, MaxLengthValidator)
    text.validators += [each for each in column.validators if not isinstance(each, known)]
    return text


def _read_nothing(_raw: object, _column: Column) -> NoReturn:
    raise ValueError


def _beside(column: Any) -> Mapping[str, Column]:
    owner = {'owner': column.owner_column} if column.owner else {}
    return {'row': column.row_column, **owner}


def _reveal(column: Any, found: Mapping[str, Any]) -> str | None:
    """Return the text of a row; None where its key was destroyed.

    Raises Problem 500 `value-unreadable` where it was changed or moved, or a key is missing.
    """
    if found['value'] is None:
        return None
    row = str(found['row'])
    owner = Owner(column.owner_label, str(found.get('owner', row)))
    encoded, _, key = found['value'].partition(':')
    try:
        sealed = Sealed(base64.b64decode(encoded))
        text = unseal(sealed, _opened(sealed, key, owner), column.place_at(row, owner))
    except KeyDestroyed:
        return None
    except EncryptionError as error:
        _log.error('value_unreadable', context=column.context, row=row, reason=str(error))
        raise Problem(
            'A stored value cannot be decrypted.', status=500, code='value-unreadable'
        ) from None
    return text


def _opened(sealed: Sealed, told: str, owner: Owner) -> bytes:
    """Return the data key that the database wrote beside a ciphertext."""
    if not told:
        raise NotReadable('The data key of a value is not in the database.')
    master, _, wrapped = told.partition(':')
    return opened(sealed.key_id, owner, master, base64.b64decode(wrapped) if wrapped else None)


def _schema(_column: Any) -> Schema:
    return {
        'type': 'string',
        'description': 'Stored encrypted, and decrypted in Python; null once its key is destroyed.',
    }


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A text that an encrypted column is compared with."""

    text: str
    column: EncryptedField


def _read_wanted(raw: object, column: Any) -> _Wanted:
    return _Wanted(read_text(raw, column), column)


def _digests(values: Iterable[_Wanted]) -> list[str]:
    """Return every form in which the digests of texts may be stored."""
    using = database_of_keys()
    return [each for one in values for each in wanted(one.column, [one.text], using)]


_BINDINGS: Bindings = {'postgresql': cast_binding('text'), 'sqlite': json_binding(str)}

ENCRYPTED = ValueKind(
    name='encrypted text',
    columns=(EncryptedTextField,),
    operators=WITHOUT_VALUE,
    read=_read_nothing,
    expected=lambda _column: 'nothing',
    body_field=_checked,
    check_body=check_text,
    refine=Unsealed,
    is_always_refined=True,
    writing=_WRITING,
    bindings=_BINDINGS,
    is_filterable=False,
    is_sortable=False,
    reveal=_reveal,
    beside=_beside,
    answer_schema=_schema,
    asked_schema=schema_of_short_text,
    suffixes=('isnull',),
    is_null_at_times=True,
    is_text=True,
    is_long=True,
)

#: The same with a blind index, by which rows are found.
BLIND_INDEXED = replace(
    ENCRYPTED,
    name='encrypted text with a blind index',
    columns=(BlindIndexedTextField,),
    operators=EQUALITY,
    read=_read_wanted,
    expected=lambda _column: 'text of at most 256 characters, without NUL',
    bindings={
        'postgresql': replace(
            cast_binding('text'), adapt_list=lambda values: array_literal(_digests(values))
        ),
        'sqlite': replace(
            json_binding(str), adapt_list=lambda values: json.dumps(_digests(values))
        ),
    },
    digest_form=DIGEST,
    is_filterable=True,
    suffixes=('', 'in'),
)
