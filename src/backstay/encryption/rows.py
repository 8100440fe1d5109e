"""Values of rows: sealed before they are stored, revealed when they are read.

One statement reads or makes the keys of any number of rows.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models

from backstay.encryption import blind, keys
from backstay.encryption.declared import EncryptedField, encrypted_fields
from backstay.encryption.envelope import Sealed, place_of, seal, unseal
from backstay.encryption.errors import NotReadable, NotSealable
from backstay.encryption.owners import Owner


class Unsealed:
    """A value on its way to the database. It shows and pickles nothing."""

    __slots__ = ('row', 'text')

    def __init__(self, text: str, row: models.Model | None = None) -> None:
        self.text = text
        #: The row for which it is encrypted; its attribute sets it.
        self.row = row

    def __repr__(self) -> str:
        return '<Unsealed>'

    def __deepcopy__(self, _: Any) -> 'Unsealed':
        return Unsealed(self.text)

    def __reduce__(self) -> Any:
        raise NotSealable('A value that is not encrypted yet is not pickled: save its row first.')


def seal_rows(
    rows: Iterable[models.Model], *, using: str, of: type[models.Model] | None = None
) -> None:
    """Encrypt the new values of rows, which are about to be stored in a database.

    With `of`, only those of its own table: a child has no key before its parent is stored. Needs
    three statements for any number of rows, at most. Raises NotSealable, KeyDestroyed.
    """
    waiting = [
        (row, field, value)
        for row in rows
        for field in encrypted_fields(type(row))
        if field.model is (of or field.model)
        and isinstance(value := vars(row).get(field.attname), Unsealed)
    ]
    owners = [field.owner_of(row) for row, field, _ in waiting]
    made = keys.newest(owners, using)
    opened = {owner: keys.unwrapped(key) for owner, key in made.items()}
    indexed = {field: field.context for _, field, _ in waiting if field.normalise}
    index = {each: keys.index_keys(name, using, make=True)[0] for each, name in indexed.items()}
    for (row, field, value), owner in zip(waiting, owners, strict=True):
        found = b''
        if field.normalise:
            found = blind.digest(field.normalise(value.text), *index[field])
        sealed = seal(value.text, made[owner].id, opened[owner], field.place(row, owner), found)
        sealed.text, sealed.epoch, sealed.is_fresh = value.text, keys.epoch(), True
        vars(row)[field.attname] = sealed


def reveal(rows: Iterable[models.Model], *names: str) -> Sequence[Any]:
    """Decrypt values of rows with one statement for all of their keys. Return the rows.

    Without names it is every encrypted column. A value whose key was destroyed is left alone: its
    attribute raises KeyDestroyed. Raises NotReadable.
    """
    every: list[Any] = list(rows)
    waiting = [
        (row, field, value)
        for row in every
        for field in encrypted_fields(row.__class__)
        if (not names or field.name in names)
        and isinstance(value := getattr(row, field.attname), Sealed)
    ]
    using = {row._state.db or keys.database_of_keys() for row, _, _ in waiting}
    for alias in using:
        here = [each for each in waiting if (each[0]._state.db or alias) == alias]
        found = keys.with_ids((value.key_id for _, _, value in here), alias)
        for row, field, value in here:
            key = found.get(value.key_id)
            if key is None or key.wrapped is not None:
                text = unseal(value, keys.unwrapped(key), _place(field, row, value))
                _keep(vars(row)[field.attname], text)
    return every


def text_of(field: EncryptedField, row: Any) -> str | None:
    """Return the value of a row. Raises NotReadable, KeyDestroyed."""
    return text_in(held_by(field, row), field, row)


def held_by(field: EncryptedField, row: Any) -> Sealed | Unsealed | None:
    """Return what a row holds of a column, read from the database if it was deferred."""
    getattr(row, field.attname)
    held: Sealed | Unsealed | None = vars(row)[field.attname]
    return held


def text_in(value: Sealed | Unsealed | None, field: EncryptedField, row: Any) -> str | None:
    """Return the text of what a row holds, or held. Raises NotReadable, KeyDestroyed."""
    if isinstance(value, Unsealed):
        return value.text
    if value is None:
        return None
    if value.text is None or value.epoch != keys.epoch():
        using = row._state.db or keys.database_of_keys()
        key = keys.with_ids([value.key_id], using).get(value.key_id)
        _keep(value, unseal(value, keys.unwrapped(key), _place(field, row, value)))
    return value.text


def _keep(value: Sealed, text: str) -> None:
    value.text, value.epoch = text, keys.epoch()


def _place(field: EncryptedField, row: Any, value: Sealed) -> list[str]:
    place = field.place(row)
    if place_of(place) != value.place:
        raise NotReadable(
            f'{field.context}: what is stored belongs to another row, column or owner.'
        )
    return place


def storable(field: EncryptedField, value: Sealed, using: str) -> Sealed:
    """Return a value as it may be stored in its row: as it is, or encrypted anew.

    Anew where its owner changed, or where its key was rolled back with an earlier try. Raises
    NotSealable for the value of another row.
    """
    row = value.row
    place = field.place(row)
    if place_of(place) != value.place:
        return _sealed_anew(field, row, _moved_text(field, value, using), using)
    is_here = value.key_id in keys.with_ids([value.key_id], using) if value.is_fresh else True
    return value if is_here else _sealed_anew(field, row, value.text or '', using)


def _moved_text(field: EncryptedField, value: Sealed, using: str) -> str:
    """Return a value of the row that was encrypted for another owner of it."""
    key = keys.with_ids([value.key_id], using).get(value.key_id)
    if key is not None:
        place = field.place(value.row, Owner(key.owner, key.owner_id))
        if place_of(place) == value.place:
            return unseal(value, keys.unwrapped(key), place)
    raise NotSealable(
        f'{field.context}: the ciphertext of another row cannot be stored here. Assign the value, '
        f'row.{field.name} = other.{field.name}.'
    )


def _sealed_anew(field: EncryptedField, row: Any, text: str, using: str) -> Sealed:
    vars(row)[field.attname] = Unsealed(text, row)
    seal_rows([row], using=using, of=field.model)
    sealed: Sealed = vars(row)[field.attname]
    return sealed
