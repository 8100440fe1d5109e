"""Rows of the clinic, what the database holds of them, and who asks about them."""

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, models
from django.http import HttpResponse
from django.test import Client
from pydantic import SecretStr

from backstay.caller import Caller, Held
from tests.clinic.models import Company, Letter, Patient
from tests.rights.site import MADE
from tests.tasks.conftest import shared_database, start

__all__ = ['shared_database', 'start']

Ask = Callable[..., HttpResponse]


def stored(row: models.Model, column: str) -> bytes | None:
    """What the database holds of a row, read without any field."""
    model: Any = type(row)
    quote = connection.ops.quote_name
    key = model._meta.pk
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT {quote(column)} FROM {quote(model._meta.db_table)} '
            f'WHERE {quote(key.column)} = %s',
            [key.get_db_prep_value(row.pk, connection)],
        )
        (value,) = cursor.fetchone()
    return None if value is None else bytes(value)


def store(row: models.Model, column: str, value: bytes | None) -> None:
    """Write into the database behind the back of all fields."""
    model: Any = type(row)
    quote = connection.ops.quote_name
    key = model._meta.pk
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE {quote(model._meta.db_table)} SET {quote(column)} = %s '
            f'WHERE {quote(key.column)} = %s',
            [value, key.get_db_prep_value(row.pk, connection)],
        )


def again(row: Any) -> Any:
    """The row as another process reads it."""
    return type(row)._base_manager.get(pk=row.pk)


def new_master(name: str) -> str:
    """A master key, as the environment has it."""
    return f'{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}'


@pytest.fixture
def masters(settings: Any) -> Callable[[str], None]:
    """Replace the master keys of the site."""

    def replace(text: str) -> None:
        update = {'encryption_keys': SecretStr(text)}
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update=update)

    return replace


@pytest.fixture
def company(db: None) -> Company:
    return Company.objects.create(name='North')


@pytest.fixture
def patient(db: None) -> Patient:
    return Patient.objects.create(name='Ada', notes='asthma since 1815', email='Ada@Example.org')


@pytest.fixture
def letter(company: Company) -> Letter:
    return Letter.objects.create(company=company, text='Dear Ada', code='A-1')


@pytest.fixture
def people() -> Iterator[None]:
    held = Held(over='branches', id=1, level=2)
    made = {
        'doctor': Caller(kind='account', account_id=1, name='doctor'),
        'clerk': Caller(kind='account', account_id=2, name='clerk', scopes=(held,)),
    }
    MADE.update(made)
    yield
    for word in made:
        del MADE[word]


@pytest.fixture
def ask(people: None, settings: Any) -> Ask:
    """Ask the clinic's site as somebody: `ask('doctor', 'post', '/patients/', {...})`."""
    settings.ROOT_URLCONF = 'tests.clinic.site'

    def ask(word: str, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        extra: dict[str, Any] = {'HTTP_AUTHORIZATION': f'Caller {word}', **headers}
        data = '' if body is None else json.dumps(body)
        kind = extra.pop('CONTENT_TYPE', 'application/json')
        response: HttpResponse = Client().generic(
            method.upper(), path, data, content_type=kind, **extra
        )
        return response

    return ask
