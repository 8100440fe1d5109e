"""Statements that are compiled once."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import Value

from backstay.engine.statements import Statement, text_slot
from backstay.identity.loading import account_called, account_with_key
from backstay.identity.models import Account

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize('name', ['bot', "o'bot", '%s', '{0}', 'łukasz', '\\', '"'])
def test_bind_whatever_is_asked_for(name: str) -> None:
    Account.objects.bulk_create([Account(username='other'), Account(username=name)])

    assert account_called(name).username == name


def test_give_the_values_that_the_orm_gives() -> None:
    account = Account.objects.create_user('ann@example.com', name='Ann', is_staff=True)
    fresh = Account.objects.get(pk=account.pk)

    loaded = account_with_key(account.pk)

    assert {**vars(loaded), '_state': None, 'held': None} == {
        **vars(fresh),
        '_state': None,
        'held': None,
    }
    loaded.save()  # it knows that it is in the database
    assert Account.objects.count() == 1


def test_prefer_the_user_name_to_the_address() -> None:
    Account.objects.create_user('bot', email='ann@example.com')
    Account.objects.bulk_create([Account(username='ann@example.com')])

    assert account_called('ann@example.com').email == ''


@pytest.mark.parametrize('name', ['nobody', '', "' OR 1=1 --"])
def test_find_nothing(name: str) -> None:
    assert account_called(name) is None


def test_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def rows() -> Any:
        made.append(None)
        found = Account.objects.filter(username=text_slot(0))
        return found.values_list('username', Value(7))

    statement = Statement(rows)
    Account.objects.create_user('bot')

    assert [statement.first(name) for name in ('bot', 'nobody')] == [('bot', 7), None]
    assert len(made) == 1


@pytest.mark.skipif(connection.vendor != 'postgresql', reason='SQLite prepares nothing')
@pytest.mark.django_db(transaction=True)
def test_outlive_a_migration() -> None:
    """PostgreSQL: "cached plan must not change result type"."""
    account = Account.objects.create_user('bot')
    assert account_with_key(account.pk)
    with connection.cursor() as cursor:
        cursor.execute('ALTER TABLE identity_account ALTER COLUMN name TYPE varchar(151)')
    try:
        assert account_with_key(account.pk).username == 'bot'
    finally:
        with connection.cursor() as cursor:
            cursor.execute('ALTER TABLE identity_account ALTER COLUMN name TYPE varchar(150)')
