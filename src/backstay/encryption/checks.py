"""System checks of encrypted columns: a wrong declaration stops the start."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from backstay.encryption.declared import EncryptedField, all_encrypted_fields


def check_contexts(**_: Any) -> list[CheckMessage]:
    """Find columns that share a name to bind values to, and a site without a master key."""
    found: list[CheckMessage] = []
    known: dict[str, EncryptedField] = {}
    for field in all_encrypted_fields():
        other = known.setdefault(field.context, field)
        if other is not field:
            text = f'It is bound to {field.context!r}, as {other} is: values could change places.'
            found.append(_error(field, 'E086', text, 'Give one of them another `context`.'))
    environment = settings.BACKSTAY
    if known and not (environment.keyring or environment.encryption_keys.get_secret_value()):
        found.append(
            Error(
                f'{", ".join(sorted(known))}: encrypted, and there is no master key.',
                hint='Set BACKSTAY_ENCRYPTION_KEYS: docs/how-to/encrypt-columns.md.',
                id='backstay.E087',
            )
        )
    return found


def check_field(field: EncryptedField) -> Iterator[CheckMessage]:
    """Yield the mistakes of one declaration."""
    for check in (_check_row, _check_owner, _check_options, _check_uses):
        yield from check(field)


def _error(field: EncryptedField, number: str, text: str, hint: str = '') -> Error:
    return Error(text, hint=hint or None, obj=field, id=f'backstay.{number}')


def _column(field: EncryptedField, name: str) -> Any:
    try:
        return field.model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def _check_row(field: EncryptedField) -> Iterator[Error]:
    hint = 'Add models.UUIDField(default=uuid4, unique=True, editable=False), and name it as `row`.'
    column = field.model._meta.pk if field.row == 'pk' else _column(field, field.row)
    if column is None:
        yield _error(field, 'E080', f'`row` is {field.row!r}, which is no column.', hint)
    elif isinstance(column, models.AutoField):
        text = 'The database makes the primary key, so a new row has none to encrypt it for.'
        yield _error(field, 'E080', text, hint)
    elif column.null or not column.unique or not isinstance(_valued(column), _TELLING):
        text = f'`row` is {field.row!r}, which does not name one row for ever.'
        yield _error(field, 'E080', text, hint)


#: Types of columns whose values have one spelling.
_TELLING = (models.UUIDField, models.IntegerField, models.CharField)


def _valued(column: Any) -> Any:
    while column.remote_field:
        column = column.target_field
    return column


def _check_owner(field: EncryptedField) -> Iterator[Error]:
    column = _column(field, field.owner) if field.owner else None
    if field.owner and not (isinstance(column, models.ForeignKey) and not column.null):
        text = f'`owner` is {field.owner!r}, which is no foreign key that every row has.'
        yield _error(field, 'E081', text, 'Leave it out, and each row has a key of its own.')
    elif column is not None and not isinstance(_valued(column), _TELLING):
        yield _error(field, 'E081', f'`owner` is {field.owner!r}, whose key is of no known type.')


def _check_options(field: EncryptedField) -> Iterator[Error]:
    hint = 'For equality use BlindIndexedTextField, and models.Index(BlindIndex(...)).'
    column: Any = field
    options: tuple[tuple[str, Any], ...] = (
        ('unique', field.unique),
        ('db_index', column.db_index),
        ('primary_key', field.primary_key),
        ('choices', field.choices),
        ('db_default', field.db_default is not models.NOT_PROVIDED),
        ('unique_for_date', column.unique_for_date),
    )
    for name, value in options:
        if value:
            yield _error(field, 'E082', f'`{name}` means nothing of ciphertext.', hint)
    if field.context.count('.') < 2:
        text = f'`context` is {field.context!r}; give <app>.<model>.<field>.'
        yield _error(field, 'E083', text)


def _check_uses(field: EncryptedField) -> Iterator[Error]:
    """Find indexes, constraints and orders that would compare ciphertext."""
    meta = field.model._meta
    uses = [('an index', each.fields) for each in meta.indexes]
    uses += [('a constraint', getattr(each, 'fields', ())) for each in meta.constraints]
    uses += [('unique_together', each) for each in meta.unique_together]
    uses += [('ordering', [each for each in meta.ordering or () if isinstance(each, str)])]
    names = {field.name, field.attname}
    for use, listed in uses:
        if names & {each.lstrip('-') for each in listed}:
            text = f'Meta: {use} names it, and ciphertext cannot be compared.'
            yield _error(field, 'E084', text, 'Use BlindIndex for equality, or leave it out.')
