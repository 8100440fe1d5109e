"""Writing the rows of a model and reading them back, by the fastest means of the database."""

from collections.abc import Sequence
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models

from backstay.encryption import Unsealed, reveal, seal_rows
from backstay.encryption.declared import EncryptedField, encrypted_fields
from backstay.engine import engine_of
from backstay.seeding.factory import Factory

#: Rows that one statement reads by key; SQLite limits the number of parameters.
_AT_ONCE = 900
_PLAIN = frozenset((int, str, float, bool, type(None)))


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or '')


def write(factory: Factory, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows with their keys: COPY on PostgreSQL, one prepared INSERT on SQLite.

    Neither `save()` nor signals run, and no field fills itself with the time of day.
    """
    table = _quoted(factory.model._meta.db_table)
    fields = (*factory.fields, *factory.kept)
    columns = [_quoted(field.column) for field in fields]
    kept = [_stored(field, field.get_default()) for field in factory.kept]
    rows = _encrypted(factory, rows)
    stored = [
        [*(_stored(*pair) for pair in zip(factory.fields, row, strict=True)), *kept] for row in rows
    ]
    engine_of(connection).load(connection, table, columns, stored)


def _encrypted(factory: Factory, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """Return the rows with what is stored of encrypted columns in place of their texts."""
    if not encrypted_fields(factory.model):
        return rows
    names = [field.attname for field in factory.fields]
    places = [at for at, field in enumerate(factory.fields) if isinstance(field, EncryptedField)]
    made = []
    for row in rows:
        values = dict(zip(names, row, strict=True))
        for at in places:
            values[names[at]] = None if row[at] is None else Unsealed(row[at])
        made.append(factory.model(**values))
    seal_rows(made, using=connection.alias)
    return [[getattr(row, name) for name in names] for row in made]


def _stored(field: models.Field, value: Any) -> Any:
    """Return the value as Django's own INSERT would bind it; most are bound as they are."""
    if type(value) in _PLAIN and not isinstance(field, models.JSONField):
        return value
    return field.get_db_prep_save(value, connection)


def read(factory: Factory, keys: Sequence[Any]) -> list[tuple[Any, ...] | None]:
    """Return the values of the rows with these keys, in their order; None for a missing row."""
    names = [field.attname for field in factory.fields]
    rows = factory.model._base_manager.values_list('pk', *names)
    found: dict[Any, tuple[Any, ...]] = {}
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        if encrypted_fields(factory.model):
            found |= _decrypted(factory, some)
        else:
            there = rows.filter(pk__in=some).order_by()
            found.update((key, values) for key, *values in there)
    return [found.get(key) for key in keys]


def _decrypted(factory: Factory, keys: Sequence[Any]) -> dict[Any, tuple[Any, ...]]:
    """Return the values of rows with the texts of encrypted columns, by key."""
    names = [
        field.name if isinstance(field, EncryptedField) else field.attname
        for field in factory.fields
    ]
    rows = reveal(factory.model._base_manager.filter(pk__in=keys).order_by())
    return {row.pk: tuple(getattr(row, name) for name in names) for row in rows}


def count(model: type[models.Model]) -> int:
    """Return the number of rows in the table."""
    return model._base_manager.count()


def clear(model: type[models.Model]) -> None:
    """Delete every row of the model in one statement, without cascades."""
    model._base_manager.all()._raw_delete(connection.alias)


def finish(written: Sequence[type[models.Model]]) -> None:
    """Set sequences behind the keys that were written, and update the planner's statistics."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), written):
            cursor.execute(statement)
    tidy(*written)


def tidy(*changed: type[models.Model], rewrite: bool = False) -> None:
    """Update the planner's statistics and, outside of a transaction, reclaim the space of old rows.

    With `rewrite`, tables that were changed repeatedly are rewritten without gaps.
    """
    with connection.cursor() as cursor:
        for verb in engine_of(connection).tidying(connection, rewrite=rewrite):
            for model in changed:
                cursor.execute(f'{verb} {_quoted(model._meta.db_table)}')
