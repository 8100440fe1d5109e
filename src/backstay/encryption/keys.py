"""Data keys: made, unwrapped and destroyed. An unwrapped one is never kept.

Every read of a value reads its key from the database, so that a key that was destroyed is gone for
whatever begins to read afterwards, in every process.
"""

import os
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.apps import apps
from django.db import router, transaction
from django.utils import timezone

from backstay.encryption.envelope import KEY_BYTES, packed
from backstay.encryption.errors import KeyDestroyed, NotReadable
from backstay.encryption.keyring import keyring
from backstay.encryption.owners import Owner

if TYPE_CHECKING:
    from backstay.encryption.models import DataKey

#: Keys that one statement asks for.
_AT_ONCE = 500
#: The owner of the keys of blind indexes; no model has a label without a dot.
INDEXES = 'index'


class _Epoch:
    """Counts the destructions of this process, after which it trusts no text that it kept."""

    now = 0


def epoch() -> int:
    """Return a number that changes with every destruction of a key in this process."""
    return _Epoch.now


def data_keys(using: str) -> Any:
    """Return the query set of all data keys of a database."""
    return apps.get_model('encryption', 'DataKey')._base_manager.using(using)


def made_for(owner: Owner, sequence: int = 1) -> 'DataKey':
    """Return a new key, wrapped and not stored yet."""
    model = apps.get_model('encryption', 'DataKey')
    key: DataKey = model(owner=owner.label, owner_id=owner.key, sequence=sequence)
    key.master, key.wrapped = keyring().wrap(os.urandom(KEY_BYTES), bound_to(key.id, owner))
    return key


def bound_to(key_id: UUID, owner: Owner) -> bytes:
    """Return what a wrapped key is bound to: none can be moved to another owner."""
    return packed([str(key_id), owner.label, owner.key])


def newest(owners: Collection[Owner], using: str) -> 'dict[Owner, DataKey]':
    """Return the key that encrypts for each owner; make it for an owner without one.

    Raises KeyDestroyed for an owner whose key was destroyed.
    """
    found = stored(owners, using)
    missing = [owner for owner in dict.fromkeys(owners) if owner not in found]
    if missing:
        made = [made_for(owner) for owner in missing]
        # Another process may make one at the same time: the first one counts.
        data_keys(using).bulk_create(made, ignore_conflicts=True)
        found |= stored(missing, using)
    for key in found.values():
        if key.wrapped is None:
            raise KeyDestroyed('The key of this owner was destroyed: nothing is encrypted for it.')
    return found


def stored(owners: Collection[Owner], using: str) -> 'dict[Owner, DataKey]':
    """Return the key with the highest number of each owner that has one."""
    ids: dict[str, list[str]] = {}
    for owner in dict.fromkeys(owners):
        ids.setdefault(owner.label, []).append(owner.key)
    found: dict[Owner, DataKey] = {}
    for label, every in ids.items():
        for start in range(0, len(every), _AT_ONCE):
            keys = data_keys(using).filter(
                owner=label, owner_id__in=every[start : start + _AT_ONCE]
            )
            found |= {Owner(key.owner, key.owner_id): key for key in keys.order_by('sequence')}
    return found


def with_ids(ids: Iterable[UUID], using: str) -> 'dict[UUID, DataKey]':
    """Return the keys with these ids."""
    every = list(dict.fromkeys(ids))
    found: dict[UUID, DataKey] = {}
    for start in range(0, len(every), _AT_ONCE):
        found |= data_keys(using).in_bulk(every[start : start + _AT_ONCE])
    return found


def unwrapped(key: 'DataKey | None') -> bytes:
    """Return the bytes of a key. Raises KeyDestroyed, or NotReadable where there is none."""
    if key is None:
        raise NotReadable('The data key of a value is not in the database.')
    return opened(key.id, Owner(key.owner, key.owner_id), key.master, key.wrapped)


def opened(key_id: UUID, owner: Owner, master: str, wrapped: Any) -> bytes:
    """Return the bytes of a key that is stored as these. Raises KeyDestroyed, NotReadable."""
    if wrapped is None:
        raise KeyDestroyed('The key of this value was destroyed, and the value with it.')
    return keyring().unwrap(master, bytes(wrapped), bound_to(key_id, owner))


def index_keys(context: str, using: str, *, make: bool = False) -> list[tuple[int, bytes]]:
    """Return the numbers and keys of a blind index, the newest first; with `make` at least one."""
    owner = Owner(INDEXES, context)
    if make:
        newest([owner], using)
    keys = data_keys(using).filter(owner=INDEXES, owner_id=context)
    return [(key.sequence, _derived(unwrapped(key), context)) for key in keys.order_by('-sequence')]


def _derived(key: bytes, context: str) -> bytes:
    info = b'backstay blind index ' + context.encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)


def destroy_keys(owner: Owner, using: str) -> int:
    """Destroy every key of an owner, for good. Return how many it had."""
    keys = data_keys(using).filter(owner=owner.label, owner_id=owner.key)
    now = timezone.now()
    with transaction.atomic(using=using):
        last = keys.order_by('sequence').last()
        if last is None or last.wrapped is not None:
            # It stands where the next key would: none is made meanwhile, nor later.
            number = last.sequence + 1 if last else 1
            model = apps.get_model('encryption', 'DataKey')
            end = model(owner=owner.label, owner_id=owner.key, sequence=number, destroyed_at=now)
            data_keys(using).bulk_create([end], ignore_conflicts=True)
        count = keys.filter(wrapped__isnull=False).update(wrapped=None, destroyed_at=now)
    _Epoch.now += 1
    return int(count)


def database_of_keys() -> str:
    """Return the alias of the database from which keys are read where no row tells it."""
    return router.db_for_read(apps.get_model('encryption', 'DataKey')) or 'default'
