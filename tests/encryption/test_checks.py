"""Wrong declarations stop the start, each with its number; so does a site without a master key."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.db import models
from django.db.models import F, Q
from django.test.utils import isolate_apps

from backstay.encryption import (
    BlindIndex,
    BlindIndexedTextField,
    EncryptedTextField,
    NotReadable,
    NotSealable,
    casefolded,
)
from backstay.encryption.checks import check_contexts
from backstay.encryption.keyring import EnvironmentKeyring
from backstay.resources import ALL, Computed, Grant, Resource, anyone
from backstay.resources.checks import check_resources
from backstay.resources.declaration import registry
from tests.clinic.models import Company, Patient
from tests.encryption.conftest import again, new_master

UUID = {'primary_key': True, 'default': uuid4}


def numbers(meta: dict[str, Any] | None = None, **fields: Any) -> list[str]:
    """The numbers of the mistakes of a model with these fields."""
    with isolate_apps('tests.clinic'):
        given = {'app_label': 'clinic', **(meta or {})}
        body = {'__module__': __name__, 'Meta': type('Meta', (), given), **fields}
        made: Any = type('Wrong', (models.Model,), body)
        found = [str(each.id) for field in made._meta.get_fields() for each in field.check()]
        return [each for each in found if each.startswith('backstay.')]


def secret(**options: Any) -> EncryptedTextField[Any, Any]:
    return EncryptedTextField(**options)


@pytest.mark.parametrize(
    ('number', 'fields'),
    [
        (None, {'id': models.UUIDField(**UUID), 'secret': secret()}),
        ('E080', {'secret': secret()}),  # the database makes the key
        ('E080', {'secret': secret(row='none')}),
        ('E080', {'at': models.UUIDField(default=uuid4), 'secret': secret(row='at')}),
        ('E080', {'at': models.UUIDField(unique=True, null=True), 'secret': secret(row='at')}),
        ('E080', {'at': models.FloatField(unique=True), 'secret': secret(row='at')}),
        ('E081', {'id': models.UUIDField(**UUID), 'secret': secret(owner='none')}),
        ('E081', {'id': models.UUIDField(**UUID), 'secret': secret(owner='id')}),
        (
            'E081',
            {
                'id': models.UUIDField(**UUID),
                'of': models.ForeignKey(Company, models.CASCADE, null=True, related_name='+'),
                'secret': secret(owner='of'),
            },
        ),
        ('E082', {'id': models.UUIDField(**UUID), 'secret': secret(unique=True)}),
        ('E082', {'id': models.UUIDField(**UUID), 'secret': secret(db_index=True)}),
        ('E082', {'id': models.UUIDField(**UUID), 'secret': secret(choices=[('a', 'A')])}),
        ('E083', {'id': models.UUIDField(**UUID), 'secret': secret(context='short')}),
        (
            'E084',
            {
                'id': models.UUIDField(**UUID),
                'secret': secret(),
                'meta': {'indexes': [models.Index(fields=['secret'], name='wrong')]},
            },
        ),
        (
            'E084',
            {
                'id': models.UUIDField(**UUID),
                'secret': secret(),
                'meta': {'constraints': [models.UniqueConstraint(fields=['secret'], name='wrong')]},
            },
        ),
        (
            'E084',
            {'id': models.UUIDField(**UUID), 'secret': secret(), 'meta': {'ordering': ['-secret']}},
        ),
        (
            None,
            {
                'id': models.UUIDField(**UUID),
                'secret': BlindIndexedTextField(),
                'meta': {'constraints': [models.UniqueConstraint(BlindIndex('secret'), name='w')]},
            },
        ),
    ],
)
def test_a_wrong_declaration_has_its_number(number: str | None, fields: dict[str, Any]) -> None:
    assert numbers(**fields) == ([f'backstay.{number}'] if number else [])


def test_the_clinic_is_right() -> None:
    # Resources are checked whichever app is meant; W007 is silenced, and is about another's.
    found = run_checks(app_configs=[apps.get_app_config('clinic')])
    assert [each for each in found if not each.is_silenced()] == []
    assert check_contexts() == []


def test_two_columns_never_share_a_context(monkeypatch: pytest.MonkeyPatch) -> None:
    field: Any = Patient._meta.get_field('plan')
    monkeypatch.setattr(field, '_context', 'clinic.patient.notes')

    assert [each.id for each in check_contexts()] == ['backstay.E086']


def test_a_site_needs_a_master_key(masters: Callable[[str], None]) -> None:
    masters('')

    (found,) = check_contexts()
    assert found.id == 'backstay.E087'
    assert 'clinic.patient.notes' in found.msg


@pytest.mark.parametrize(
    ('number', 'meta', 'more'),
    [
        ('E008', {'ordering': ('notes',)}, {}),
        ('E008', {'orderable': ('email',)}, {}),
        ('E008', {'filterable': ('notes',)}, {}),
        ('E008', {'lookup': 'notes'}, {}),
        ('E008', {'natural_key': ('email',)}, {}),
        ('E008', {'tenant': 'notes'}, {}),
        ('E025', {}, {'shown': Computed(F('notes'), models.TextField())}),
        ('E042', {}, {'rows': Q(notes='x')}),
        ('E042', {}, {'rows': Q(email='x@example.org')}),
        ('E042', {}, {'rows': Q(notes=F('name'))}),
        (None, {'filterable': ('email',)}, {}),
    ],
)
def test_a_resource_that_would_compare_it_has_its_number(
    number: str | None, meta: dict[str, Any], more: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, '_registry', {})
    rows = more.pop('rows', None)
    given = {'model': Patient, 'fields': ('id', 'name', 'notes', 'email'), 'name': 'Wrong', **meta}
    grant = Grant(anyone, read=ALL) if rows is None else Grant(anyone, read=ALL, rows=rows)
    body = {'Meta': type('Meta', (), given), 'grants': (grant,), **more}
    type('WrongResource', (Resource,), body)
    found = {str(each.id) for each in check_resources() if 'WrongResource' in str(each.obj)}

    assert (f'backstay.{number}' in found) if number else not found


def test_options_survive_a_migration() -> None:
    field = BlindIndexedTextField(
        row='a', owner='b', owner_label='c', context='d.e.f', max_length=9, normalise=casefolded
    )
    name, path, args, kwargs = field.deconstruct()
    again_made = BlindIndexedTextField(*args, **kwargs)

    assert path == 'backstay.encryption.fields.BlindIndexedTextField'
    assert name is None
    assert again_made.deconstruct() == field.deconstruct()


@pytest.mark.parametrize(
    ('one', 'other', 'same'),
    [
        ('Ada@Example.org', ' ada@example.ORG ', True),
        ('STRASSE', 'straße', True),
        ('é', 'e\u0301', True),
        ('ﬁ', 'FI', True),
        ('ada', 'adä', False),
        ('a b', 'ab', False),
    ],
)
def test_equal_is_what_is_spelled_alike(one: str, other: str, same: bool) -> None:
    assert (casefolded(one) == casefolded(other)) is same
    assert casefolded(casefolded(one)) == casefolded(one)


class _Service:
    """A key service: it has a master key that nobody sees, and counts what it is asked."""

    newest = 'service-1'
    asked = 0

    def __init__(self) -> None:
        self._inside = EnvironmentKeyring(new_master('service-1'))

    def wrap(self, key: bytes, bound_to: bytes) -> tuple[str, bytes]:
        return self._inside.wrap(key, bound_to)

    def unwrap(self, version: str, wrapped: bytes, bound_to: bytes) -> bytes:
        type(self).asked += 1
        return self._inside.unwrap(version, wrapped, bound_to)


@pytest.mark.django_db
def test_a_key_service_may_hold_the_master_keys(settings: Any) -> None:
    update = {'keyring': f'{__name__}._Service'}
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update=update)
    row = Patient.objects.create(name='Ada', notes='by the service')
    before = _Service.asked

    assert again(row).notes == 'by the service'
    assert _Service.asked == before + 1
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'keyring': ''})
    with pytest.raises(NotReadable, match='service-1'):
        _ = again(row).notes


def test_a_keyring_without_keys_encrypts_nothing() -> None:
    with pytest.raises(NotSealable, match='is not set'):
        EnvironmentKeyring('').wrap(b'x' * 32, b'')
