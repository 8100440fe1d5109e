"""Erasure: a key is destroyed, and with it every value that it encrypted."""

from typing import Any

import structlog
from django.db import models, transaction

from backstay.encryption.declared import EncryptedField, all_encrypted_fields
from backstay.encryption.envelope import Sealed
from backstay.encryption.errors import EncryptionError
from backstay.encryption.keys import destroy_keys
from backstay.encryption.owners import Owner

_log = structlog.get_logger(__name__)
_AT_ONCE = 500


def destroy(row: models.Model) -> int:
    """Destroy the keys that a row owns, for good, and the blind indexes of what they encrypted.

    Return the number of keys. Nothing decrypts the values any more: at once in this process, and
    in others for every read that begins after the commit. The row takes no encrypted values later.
    Raises EncryptionError for a row that owns no keys.
    """
    using = row._state.db or 'default'
    owned = dict.fromkeys(owner for field in all_encrypted_fields() for owner in _owner(field, row))
    if not owned:
        raise EncryptionError(f'{type(row).__name__} owns no data keys.')
    with transaction.atomic(using=using):
        return sum(destroy_owner(owner, using) for owner in owned)


def destroy_owner(owner: Owner, using: str) -> int:
    """Destroy the keys of an owner by its label and key, as `destroy` does."""
    with transaction.atomic(using=using):
        count = destroy_keys(owner, using)
        for field in all_encrypted_fields():
            if field.owner_label == owner.label and field.normalise is not None:
                _clear_indexes(field, owner, using)
    _log.info('key_destroyed', owner=owner.label, owner_id=owner.key)
    return count


def _owner(field: EncryptedField, row: Any) -> list[Owner]:
    """Return the row as the owner of the keys of a column, if it is."""
    if not field.owner:
        return [field.owner_of(row)] if isinstance(row, field.model) else []
    if not isinstance(row, field.owner_column.related_model):
        return []
    key = getattr(row, field.owner_column.target_field.attname)
    return [Owner(field.owner_label, str(key))]


def _clear_indexes(field: EncryptedField, owner: Owner, using: str) -> None:
    column = field.owner_column or field.row_column
    rows = field.model._base_manager.using(using).filter(
        **{column.attname: owner.key, f'{field.name}__isnull': False}
    )
    keys = list(rows.order_by('pk').values_list('pk', flat=True))
    for start in range(0, len(keys), _AT_ONCE):
        found = list(rows.filter(pk__in=keys[start : start + _AT_ONCE]).select_for_update())
        for row in found:
            sealed: Sealed = vars(row)[field.attname]
            setattr(row, field.attname, sealed.without_index())
        field.model._base_manager.using(using).bulk_update(found, [field.name])
