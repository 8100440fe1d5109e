"""Encrypted columns as Django knows them: they store ciphertext, or raise.

A row has two attributes for each: `notes` is the text, decrypted when it is first read, and
`notes_sealed` is what is stored, or an `Unsealed` text on its way there. Django itself reads and
writes the second. It is encrypted where Django prepares a value for its statement, the one place
that every way of writing passes.
"""

import base64
from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.core import checks
from django.core.exceptions import FieldError, ValidationError
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.constants import OnConflict
from django.db.models.expressions import Case, Value
from django.db.models.functions import Cast
from django.db.models.query_utils import DeferredAttribute
from django.utils.functional import lazystr

from backstay.encryption.blind import BlindExact, BlindIn, casefolded
from backstay.encryption.checks import check_field
from backstay.encryption.declared import EncryptedField
from backstay.encryption.envelope import Sealed
from backstay.encryption.errors import KeyDestroyed, NotSealable
from backstay.encryption.rows import Unsealed, held_by, seal_rows, storable, text_in, text_of
from backstay.engine import engine_of

#: What a ciphertext begins with in fixtures.
_SEALED = 'sealed:'
#: What a column holds, `{x}` being its name: NULL, or what begins as a stored value.
_CHECK = {
    'postgresql': "{x} IS NULL OR encode(substr({x}, 1, 1), 'hex') = 'e5'",
    'sqlite': "{x} IS NULL OR typeof({x}) = 'blob' AND hex(substr({x}, 1, 1)) = 'E5'",
}


class SealedAttribute(DeferredAttribute):
    """The attribute with what is stored."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            return value.of(instance)
        if isinstance(value, Unsealed):
            value.row = instance
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        if isinstance(value, Unsealed):
            value = Unsealed(value.text, instance)
        elif isinstance(value, Sealed):
            value = value.of(None)
        elif value is not None:
            name = self.field.name
            raise NotSealable(f'{name}_sealed takes ciphertext alone; set the text as {name}.')
        vars(instance)[self.field.attname] = value


class PlainAttribute:
    """The attribute with the text."""

    def __init__(self, field: 'EncryptedTextField') -> None:
        self.field = field

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        return self if instance is None else text_of(self.field, instance)

    def __set__(self, instance: Any, value: Any) -> None:
        if isinstance(value, str):
            now = vars(instance).get(self.field.attname)
            if isinstance(now, Sealed) and now.text == value:
                return
            value = Unsealed(value)
        elif not isinstance(value, Unsealed | Sealed | None):
            raise NotSealable(f'{self.field.name} is a text, and cannot be set to anything else.')
        setattr(instance, self.field.attname, value)


class EncryptedTextField(EncryptedField):
    """A text that is stored only as ciphertext.

    `row` names the column that tells rows apart and is known before they are stored: the primary
    key, unless the database makes it. `owner` names a foreign key to what owns the data keys, such
    as a tenant; without it each row has a key of its own. `context` keeps the name that values are
    bound to, `<app>.<model>.<field>`, when the model or the field is renamed, and `owner_label`
    that of a renamed owner.
    """

    description = 'Encrypted text'
    empty_strings_allowed = False
    descriptor_class = SealedAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.validators.append(ProhibitNullCharactersValidator())
        if self.max_length is not None:
            self.validators.append(MaxLengthValidator(self.max_length))

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        """Give the model both attributes."""
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.name, PlainAttribute(self))

    def get_internal_type(self) -> str:
        """Return the type of its column."""
        return 'BinaryField'

    def db_check(self, connection: BaseDatabaseWrapper) -> str:
        """Return the condition that keeps out what was not encrypted, whoever writes it."""
        name = connection.ops.quote_name(self.column or '')
        return _CHECK[engine_of(connection).name].format(x=name)

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Return the mistakes of its declaration."""
        return [*super().check(**kwargs), *check_field(self)]

    # Reading

    def from_db_value(self, value: Any, *_: Any) -> Sealed | None:
        """Return what is stored, as it is."""
        return None if value is None else Sealed(value)

    def get_lookup(self, lookup_name: str) -> Any:
        """Return the one lookup that there is: whether it is NULL. Raises FieldError."""
        if lookup_name == 'isnull':
            return super().get_lookup(lookup_name)
        raise FieldError(
            f'{self.name} is encrypted and cannot be compared ({lookup_name}). Equality needs a '
            'BlindIndexedTextField.'
        )

    def value_from_object(self, obj: Any) -> Any:
        """Return the text for forms, decrypted when it is shown; '' where its key is destroyed."""
        held = held_by(self, obj)
        return None if held is None else lazystr(_Shown(partial(text_in, held, self, obj)))

    # Writing

    def get_default(self) -> Any:
        """Return the default as a text that is not encrypted yet."""
        value = super().get_default()
        return Unsealed(value) if isinstance(value, str) else value

    def clean(self, value: Any, model_instance: Any) -> Any:
        """Validate a new text; what is stored was validated before."""
        if not isinstance(value, Sealed):
            text = value.text if isinstance(value, Unsealed) else value
            self.validate(text, model_instance)
            self.run_validators(text)
        return value

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        """Return what a statement is given. Raises NotSealable for all but values of rows."""
        return self.get_db_prep_save(value, connection)

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """Return the ciphertext of the value of a row. Raises NotSealable for anything else."""
        if value is None or (hasattr(value, 'as_sql') and _is_of_rows(value)):
            return value
        row = getattr(value, 'row', None)
        if row is None or not isinstance(value, Sealed | Unsealed):
            raise NotSealable(
                f'{self.context} is encrypted for each row: save rows, or use bulk_update. One '
                'value for many rows, and SQL, cannot be encrypted.'
            )
        if isinstance(value, Unsealed):
            seal_rows([row], using=connection.alias, of=self.model)
            sealed: Sealed = vars(row)[self.attname]
        else:
            sealed = storable(self, value, connection.alias)
        driver: Any = connection
        return driver.Database.Binary(bytes(sealed))

    def get_placeholder(self, _value: Any, compiler: Any, _: BaseDatabaseWrapper) -> str:
        """Refuse an upsert that would store the ciphertext of one row in another."""
        query = compiler.query
        if getattr(query, 'on_conflict', None) == OnConflict.UPDATE and self in query.update_fields:
            same = {*query.unique_fields}
            kept = {*query.unique_fields, *query.update_fields}
            if self.row_column not in same or self.owner_column not in {None, *kept}:
                raise NotSealable(
                    f'{self.context} is encrypted for the row that {self.row_column.name!r} names: '
                    'an upsert that updates it has to find rows by that.'
                )
        return '%s'

    # Fixtures and forms

    def to_python(self, value: Any) -> Any:
        """Return the ciphertext of a fixture, or a new text. Raises ValidationError."""
        if isinstance(value, str) and value.startswith(_SEALED):
            try:
                found = Sealed(base64.b64decode(value.removeprefix(_SEALED), validate=True))
            except ValueError:
                found = Sealed()
            if not found.is_whole:
                raise ValidationError('This is no ciphertext.', code='invalid')
            return found
        if isinstance(value, bytes | memoryview):
            return Sealed(value)
        return value

    def value_to_string(self, obj: Any) -> str:
        """Return the ciphertext for a fixture. Raises NotSealable before it is stored."""
        value = getattr(obj, self.attname)
        if isinstance(value, Unsealed):
            raise NotSealable(f'{self.context}: save the row before you serialise it.')
        return '' if value is None else _SEALED + base64.b64encode(value).decode()

    def formfield(self, **kwargs: Any) -> Any:
        """Return a text area."""
        given = {'max_length': self.max_length, 'form_class': forms.CharField}
        if self.has_default():
            given['initial'] = self.default
        return super().formfield(**{**given, 'widget': forms.Textarea, **kwargs})


class BlindIndexedTextField(EncryptedTextField):
    """An encrypted text that is found by equality, through a digest under a key of its own.

    `normalise` is a function of a module that brings equal texts into one spelling. The digest
    tells which rows have equal values to whoever reads the database, and nothing more.
    """

    def __init__(
        self, *args: Any, normalise: Callable[[str], str] = casefolded, **kwargs: Any
    ) -> None:
        self.normalise = normalise
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Return the arguments that make the same field."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, 'normalise': self.normalise}

    def get_lookup(self, lookup_name: str) -> Any:
        """Return the lookups of equality."""
        return {'exact': BlindExact, 'in': BlindIn}.get(lookup_name) or super().get_lookup(
            lookup_name
        )


class _Shown:
    """The text of a row as a form found it, which is read when it is shown."""

    def __init__(self, read: Callable[[], str | None]) -> None:
        self.read = read

    def __str__(self) -> str:
        try:
            return self.read() or ''
        except KeyDestroyed:
            return ''


def _is_of_rows(expression: Any) -> bool:
    """Whether an expression chooses among values of rows, as that of `bulk_update` does."""
    match expression:
        case Value(value=value):
            is_of_row = getattr(value, 'row', None) is not None
            return value is None or (isinstance(value, Sealed | Unsealed) and is_of_row)
        case Cast():
            return _is_of_rows(expression.get_source_expressions()[0])
        case Case(cases=cases, default=default):
            return _is_of_rows(default) and all(_is_of_rows(each.result) for each in cases)
    return False
