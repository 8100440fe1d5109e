"""Rotation: values and keys are brought to the newest keys, in steps that may be killed.

Each step is one transaction that leaves everything readable, and finds its work by looking at what
is stored: a rotation that was killed goes on where it stopped when it is run again.

    rewrap    data keys under an older master key are wrapped by the newest one
    renew     owners get a next data key, and blind indexes one of theirs
    reseal    values under another key than the newest of their owner are encrypted anew
    sweep     keys that no value uses any more are deleted
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from backstay.encryption.declared import EncryptedField, all_encrypted_fields
from backstay.encryption.envelope import Sealed, place_of, unseal
from backstay.encryption.errors import EncryptionError, KeyDestroyed
from backstay.encryption.keyring import keyring
from backstay.encryption.keys import (
    INDEXES,
    bound_to,
    index_keys,
    made_for,
    stored,
    unwrapped,
    with_ids,
)
from backstay.encryption.models import DataKey
from backstay.encryption.owners import Owner
from backstay.encryption.rows import Unsealed, seal_rows

#: Told the number of rows or keys that are done, after each step.
Progress = Callable[[int], Any]
#: Longer than any transaction that may have read a key before the next one was made.
GRACE = timedelta(days=1)
_AT_ONCE = 500


@dataclass(slots=True)
class Resealed:
    """What a run of `reseal` did."""

    changed: int = 0
    #: Values whose key was destroyed, which stay as they are.
    destroyed: int = 0
    #: The places of values that cannot be decrypted, which stay as they are.
    unreadable: list[str] = dataclass_field(default_factory=list)


def to_rewrap(using: str) -> 'models.QuerySet[DataKey]':
    """Return the keys that an older master key wraps."""
    keys = DataKey.objects.using(using).filter(wrapped__isnull=False)
    return keys.exclude(master=keyring().newest)


def rewrap(using: str, *, step: int, progress: Progress) -> int:
    """Wrap data keys with the newest master key. Return how many."""
    done = 0
    while True:
        with transaction.atomic(using=using):
            keys = list(to_rewrap(using).order_by('id').select_for_update()[:step])
            for key in keys:
                key.master, key.wrapped = keyring().wrap(
                    unwrapped(key), bound_to(key.id, Owner(key.owner, key.owner_id))
                )
            DataKey.objects.using(using).bulk_update(keys, ['master', 'wrapped'])
        if not keys:
            return done
        done += len(keys)
        progress(len(keys))


def to_renew(using: str, before: datetime, *, indexes: bool) -> 'models.QuerySet[DataKey]':
    """Return the newest keys of their owners that are older than a moment."""
    keys = DataKey.objects.using(using)
    same = Q(owner=OuterRef('owner'), owner_id=OuterRef('owner_id'))
    later = keys.filter(same, Q(sequence__gt=OuterRef('sequence')) | Q(wrapped=None))
    of_indexes = Q(owner=INDEXES)
    return keys.filter(
        of_indexes if indexes else ~of_indexes,
        ~Exists(later),
        wrapped__isnull=False,
        created_at__lt=before,
    )


def renew(using: str, before: datetime, *, indexes: bool, step: int, progress: Progress) -> int:
    """Make the next key of every owner whose newest one is older than a moment."""
    done = 0
    while True:
        with transaction.atomic(using=using):
            keys = list(to_renew(using, before, indexes=indexes).order_by('id')[:step])
            made = [made_for(Owner(key.owner, key.owner_id), key.sequence + 1) for key in keys]
            DataKey.objects.using(using).bulk_create(made, ignore_conflicts=True)
        if not keys:
            return done
        done += len(keys)
        progress(len(keys))


def reseal(field: EncryptedField, using: str, *, step: int, progress: Progress) -> Resealed:
    """Encrypt the values of a column anew that are not under the newest key of their owner.

    Neither versions nor the journal change: the values stay what they are.
    """
    found = Resealed()
    rows = field.model._base_manager.using(using).filter(**{f'{field.name}__isnull': False})
    needed = {'pk', field.attname, field.row_column.attname}
    if field.owner:
        needed.add(field.owner_column.attname)
    last: Any = None
    while True:
        after = rows if last is None else rows.filter(pk__gt=last)
        with transaction.atomic(using=using):
            some = list(
                after.order_by('pk')
                .only(*needed)
                .select_for_update(of=('self',), no_key=True)[:step]
            )
            changed = list(_opened(field, some, using, found))
            seal_rows(changed, using=using)
            field.model._base_manager.using(using).bulk_update(changed, [field.name])
        if not some:
            return found
        last = some[-1].pk
        found.changed += len(changed)
        progress(len(some))


def _opened(field: EncryptedField, rows: list[Any], using: str, found: Resealed) -> Iterator[Any]:
    """Yield the rows whose value has to be encrypted anew, with it decrypted."""
    sealed = {row.pk: vars(row)[field.attname] for row in rows}
    ids = (value.key_id for value in sealed.values() if value.is_whole)
    known = with_ids(ids, using)
    owners = {row.pk: field.owner_of(row) for row in rows}
    last = stored(set(owners.values()), using)
    number = 0
    if field.normalise is not None:
        number = index_keys(field.context, using, make=True)[0][0]
    for row in rows:
        value: Sealed = sealed[row.pk]
        try:
            key = known.get(value.key_id)
            current = last.get(owners[row.pk])
            if current is not None and current.wrapped is None:
                raise KeyDestroyed
            is_current = current is not None and key is not None and key.id == current.id
            if is_current and value.index_number == number:
                continue
            text = unseal(value, unwrapped(key), _place(field, row, value, key))
        except KeyDestroyed:
            found.destroyed += 1
            continue
        except EncryptionError:
            found.unreadable.append(f'{field.context} of {row.pk}')
            continue
        vars(row)[field.attname] = Unsealed(text, row)
        yield row


def _place(field: EncryptedField, row: Any, value: Sealed, key: DataKey | None) -> list[str]:
    """Return the place of a value of the row, which may have had another owner."""
    place = field.place(row)
    if key is not None and place_of(place) != value.place:
        return field.place(row, Owner(key.owner, key.owner_id))
    return place


def used_keys(using: str) -> set[Any]:
    """Return the ids of the data keys, and the contexts and numbers of the index keys, in use."""
    used: set[Any] = set()
    for field in all_encrypted_fields():
        rows = field.model._base_manager.using(using).filter(**{f'{field.name}__isnull': False})
        for value in rows.values_list(field.name, flat=True).iterator():
            if value.is_whole:
                used.add(value.key_id)
                used.add((field.context, value.index_number))
    return used


def sweep(using: str, *, grace: timedelta = GRACE) -> int:
    """Delete keys that no value uses: superseded ones, and those of rows that are gone.

    A key made within the grace is left alone, as is one whose next was made then: what is written
    meanwhile may use it. Return how many.
    """
    until = timezone.now() - grace
    every = DataKey.objects.using(using)
    same = Q(owner=OuterRef('owner'), owner_id=OuterRef('owner_id'))
    later = every.filter(same, sequence__gt=OuterRef('sequence'))
    old = every.filter(~Exists(later.filter(created_at__gte=until)), wrapped__isnull=False)
    old = old.filter(created_at__lt=until).annotate(is_superseded=Exists(later))
    used = used_keys(using)
    gone = [
        key.id
        for key in old
        if not used & {key.id, (key.owner_id, key.sequence)}
        and (key.is_superseded or not _has_owner(key, using))
    ]
    for start in range(0, len(gone), _AT_ONCE):
        every.filter(id__in=gone[start : start + _AT_ONCE]).delete()
    return len(gone)


def _has_owner(key: DataKey, using: str) -> bool:
    """Whether the row that owns a key is there; an owner that no column knows is left alone."""
    for field in all_encrypted_fields():
        if field.owner_label == key.owner:
            column = field.owner_column.target_field if field.owner else field.row_column
            rows = column.model._base_manager.using(using)
            return bool(rows.filter(**{column.attname: key.owner_id}).exists())
    return True
