"""Migrations leave the processes of the version before running: a release applies them first."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.utils import timezone

from backstay.resources.models import IdempotencyKey

#: Migrations from before the first release, which no process of an earlier version meets.
UNRELEASED = {
    ('codereview', '0004_counted_where_asked'),
    ('events', '0002_one_due'),
    ('identity', '0002_account_email_level_status'),
}


def _ours() -> Iterator[tuple[tuple[str, str], Any]]:
    loader = MigrationLoader(None)
    for key, migration in loader.disk_migrations.items():
        if type(migration).__module__.startswith(('backstay.', 'services.')):
            yield key, migration


def _on_the_database(operations: list[Operation]) -> Iterator[Operation]:
    for each in operations:
        if isinstance(each, migrations.SeparateDatabaseAndState):
            yield from _on_the_database(each.database_operations)
        else:
            yield each


def _breaks(operation: Operation) -> bool:
    """Whether statements of the version before fail once it is applied."""
    match operation:
        case migrations.AddField(field=field):
            has_default = field.null or field.db_default is not models.NOT_PROVIDED
            return not (has_default or field.many_to_many or field.generated)
        case (
            migrations.RemoveField()
            | migrations.RenameField()
            | migrations.DeleteModel()
            | migrations.RenameModel()
            | migrations.AlterModelTable()
        ):
            return True
    return False


MIGRATIONS = [
    pytest.param(migration, id='.'.join(key))
    for key, migration in sorted(_ours(), key=lambda each: each[0])
    if key not in UNRELEASED and not migration.initial
]


@pytest.mark.parametrize('migration', MIGRATIONS)
def test_a_migration_leaves_what_the_version_before_writes(migration: Any) -> None:
    new = {each.name for each in migration.operations if isinstance(each, migrations.CreateModel)}
    broken = [
        each.describe()
        for each in _on_the_database(migration.operations)
        if _breaks(each) and getattr(each, 'model_name', '').title() not in {n.title() for n in new}
    ]
    assert not broken, (
        'Add a column with NULL or `db_default`; take one out of the models first, and drop it '
        f'with a later version (docs/reference/operations.md): {broken}'
    )


@pytest.mark.django_db
@pytest.mark.parametrize('is_old', [True, False])
def test_the_version_before_goes_on_claiming_idempotency_keys(is_old: bool) -> None:
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    row: dict[str, Any] = {
        'id': 'k',
        'body': 'b',
        'attempt': 'a',
        'leased_until': now,
        'expires_at': now,
        'lookup': '',
    }
    if is_old:  # columns that its model has
        row |= {'headers': '{}', 'rights': ''}
    marks = ', '.join(['%s'] * len(row))
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO resources_idempotencykey ({", ".join(row)}) VALUES ({marks})',
            [*row.values()],
        )
        cursor.execute('SELECT headers, rights FROM resources_idempotencykey')
        assert [str(each) for each in cursor.fetchall()[0]] == ['{}', '']
    assert IdempotencyKey.objects.get().status is None
