"""What an encrypted column declares: the place of its values, and whose key encrypts them."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import models

from backstay.encryption.errors import NotSealable
from backstay.encryption.owners import Owner


class EncryptedField(models.Field):
    """A column that holds ciphertext: the declaration alone, without conversions.

    The attribute `<name>_sealed` of a row has what is stored, so that Django's own ways of reading
    and writing columns move ciphertext; the attribute `<name>` has the value.
    """

    #: Brings texts that are equal into one spelling; None for a column without a blind index.
    normalise: Callable[[str], str] | None = None

    def __init__(
        self,
        *args: Any,
        row: str = 'pk',
        owner: str = '',
        owner_label: str = '',
        context: str = '',
        **kwargs: Any,
    ) -> None:
        self.row, self.owner = row, owner
        self._owner_label, self._context = owner_label, context
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Return the arguments that make the same field."""
        name, path, args, kwargs = super().deconstruct()
        given = {
            'row': '' if self.row == 'pk' else self.row,
            'owner': self.owner,
            'owner_label': self._owner_label,
            'context': self._context,
        }
        return (
            name,
            path,
            args,
            {**kwargs, **{each: value for each, value in given.items() if value}},
        )

    def get_attname(self) -> str:
        """Return the name of the attribute that has what is stored."""
        return f'{self.name}_sealed'

    def get_attname_column(self) -> tuple[str, str]:
        """Return that name and the column's, which is called as the field."""
        return self.get_attname(), self.db_column or self.name

    @property
    def context(self) -> str:
        """The name that its values are bound to: as first declared, whatever it is called now."""
        return self._context or f'{self.model._meta.label_lower}.{self.name}'

    @property
    def row_column(self) -> models.Field:
        """The column that tells its rows apart."""
        meta: Any = self.model._meta
        column: models.Field = meta.pk if self.row == 'pk' else meta.get_field(self.row)
        return column

    @property
    def owner_column(self) -> Any:
        """The foreign key to what owns the keys; None where each row has its own."""
        return self.model._meta.get_field(self.owner) if self.owner else None

    @property
    def owner_label(self) -> str:
        """The label of what owns the keys."""
        if self._owner_label:
            return self._owner_label
        if self.owner:
            return str(self.owner_column.related_model._meta.label_lower)
        return self.context.rpartition('.')[0]

    def owner_of(self, row: Any) -> Owner:
        """Return whose key encrypts the value of a row. Raises NotSealable where none is known."""
        column = self.owner_column or self.row_column
        return Owner(self.owner_label, self._text(column, row))

    def place(self, row: Any, owner: Owner | None = None) -> list[str]:
        """Return the place of the value of a row, which its ciphertext is bound to."""
        owner = owner or self.owner_of(row)
        return self.place_at(self._text(self.row_column, row), owner)

    def place_at(self, row_key: str, owner: Owner) -> list[str]:
        """Return the place of the value of the row with this key."""
        return [self.context, row_key, owner.label, owner.key]

    def _text(self, column: Any, row: Any) -> str:
        value = getattr(row, column.attname)
        while column.remote_field:
            column = column.target_field
        value = column.to_python(value)
        if value is None:
            raise NotSealable(
                f'{self.model.__name__}.{self.name} is encrypted for the row and owner that '
                f'{column.name!r} names, which is not set yet.'
            )
        return str(value)


@lru_cache(maxsize=1_024)
def encrypted_fields(model: type[models.Model]) -> tuple[EncryptedField, ...]:
    """Return the encrypted columns of a model, those of its parents included."""
    return tuple(each for each in model._meta.concrete_fields if isinstance(each, EncryptedField))


def all_encrypted_fields() -> Iterator[EncryptedField]:
    """Yield every encrypted column of the site, once."""
    for model in apps.get_models():
        if not model._meta.proxy:
            for each in model._meta.local_concrete_fields:
                if isinstance(each, EncryptedField):
                    yield each
