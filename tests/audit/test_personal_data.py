"""Everything that is held about an account: told to it, and erased, across services."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test import Client

from backstay.audit import SecurityEvent
from backstay.events.models import Webhook
from backstay.identity import PersonalData
from backstay.identity.email_changes import remember_change
from backstay.identity.keys import create_key
from backstay.identity.models import Account
from backstay.identity.personal_data import erase, export
from backstay.identity.recent import RECENT
from backstay.services import Service
from tests.bookshop.models import Author
from tests.identity.signing_in import PASSWORD, App, account_with_password, basic, bearer

pytestmark = [pytest.mark.django_db, pytest.mark.urls('tests.audit.site')]

ANN = 'ann.secretive@example.com'
MARKS = ('ann.secretive', 'Annabel', '203.0.113.77', 'Lynx/Ann')


def authors_of(account_id: Any) -> dict[str, Any]:
    """A service holds an author of the account's name."""
    return {'authors': Author.objects.filter(name=f'author {account_id} Annabel').values('name')}


def forget_authors(account_id: Any) -> None:
    """It deletes that."""
    Author.objects.filter(name=f'author {account_id} Annabel').delete()


AUTHORS = PersonalData(export=authors_of, erase=forget_authors)


@pytest.fixture(autouse=True)
def _shop(settings: Any) -> None:
    path = f'{__name__}.AUTHORS'
    shop = Service(name='shop', title='Shop', apps=(), urls={}, personal_data=path)
    settings.BACKSTAY_SERVICES = (shop,)


@pytest.fixture
def ann() -> Account:
    """Somebody of whom every part holds something."""
    account = account_with_password(ANN, name='Annabel', level=3)
    app = App('203.0.113.77', {'User-Agent': 'Lynx/Ann'})
    app.sign_in(ANN)
    app.post('auth/reauthenticate', {'password': PASSWORD})
    remember_change(account, 'ann.secretive@example.org')
    create_key(account, "Annabel's key")
    Authenticator.objects.create(user=account, type='totp', data={'secret': 'x'})
    Webhook.objects.create(owner=account, url='https://ann.secretive.example/', name='Annabel')
    Author.objects.create(name=f'author {account.pk} Annabel')
    account.groups.add(Group.objects.create(name='readers'))
    return account


def held(account: Account) -> dict[str, dict[str, list[Any]]]:
    """The export, by part and kind."""
    found: dict[str, dict[str, list[Any]]] = {}
    for part, kind, rows in export(account.pk):
        found.setdefault(part, {})[kind] = list(rows)
    return found


def everything() -> str:
    """Every row of every table, as text."""
    rows: list[Any] = []
    tables = connection.introspection.table_names()
    for model in apps.get_models():
        if model._meta.db_table in tables and not isinstance(model._meta.pk, models.OneToOneField):
            rows += model._base_manager.values()
    return json.dumps(rows, default=lambda value: repr(value))


def test_the_export_has_every_part(ann: Account) -> None:
    found = held(ann)
    assert set(found) == {'identity', 'events', 'shop'}
    empty = {kind for part in found.values() for kind, rows in part.items() if not rows}
    assert empty <= {'changes made', 'changes made in the admin'}
    text = json.dumps(found, default=str)
    assert all(mark in text for mark in MARKS)


def test_the_export_has_no_secret_and_nobody_else(ann: Account) -> None:
    bob = account_with_password('bob@example.com')
    create_key(bob, "Bob's key")
    text = json.dumps(held(ann), default=str)
    assert 'bob' not in text.lower()
    for model in (Account, *apps.get_app_config('identity').get_models()):
        for row in model._base_manager.values():
            hidden = {str(value) for name, value in row.items() if 'hash' in name} - {''}
            hidden |= {row['password']} if 'password' in row else set()
            assert not any(value in text for value in hidden)


def test_erasure_leaves_no_mark_anywhere(ann: Account) -> None:
    assert all(mark in everything() for mark in MARKS)
    erase(ann.pk)
    left = everything()
    assert not [mark for mark in MARKS if mark in left]
    ann.refresh_from_db()
    assert (ann.username, ann.status, ann.level) == (f'erased-{ann.pk}', 'closed', 1)
    assert not ann.has_usable_password()
    assert not Session.objects.exists()
    assert SecurityEvent.objects.get(action='account-erase').account_id == ann.pk


def test_erasure_may_be_repeated_and_spares_others(ann: Account) -> None:
    bob = account_with_password('bob@example.com', name='Bob')
    erase(ann.pk)
    erase(ann.pk)
    bob.refresh_from_db()
    assert (bob.name, bob.status) == ('Bob', 'active')


class TestTheApi:
    def token(self) -> dict[str, str]:
        return bearer(App().sign_in(ANN)['access_token'])

    def test_tells_the_account_what_is_held(self, db: None) -> None:
        account_with_password(ANN, name='Annabel')
        answer = Client().get('/auth/me/data', headers=self.token())
        found = json.loads(b''.join(answer))
        assert found['identity']['account'][0]['name'] == 'Annabel'
        assert set(found) == {'identity', 'events', 'shop'}

    def test_erases_after_the_name_was_typed(self, db: None) -> None:
        account_with_password(ANN)
        token = self.token()
        erased = '/auth/me/erase'
        wrong = Client().post(erased, {'username': 'ann'}, 'application/json', headers=token)
        assert wrong.status_code == 422
        right = Client().post(erased, {'username': ANN}, 'application/json', headers=token)
        assert right.status_code == 204
        assert Client().get('/auth/me', headers=token).status_code == 401
        assert Client().get('/auth/me', headers=basic(ANN)).status_code == 401

    @pytest.mark.parametrize(('method', 'path'), [('get', 'data'), ('post', 'erase')])
    def test_asks_for_a_recent_sign_in(self, method: str, path: str, monkeypatch: Any) -> None:
        account_with_password(ANN)
        token = self.token()
        monkeypatch.setattr('backstay.identity.recent.RECENT', RECENT - timedelta(hours=1))
        ask = getattr(Client(), method)
        given = {} if method == 'get' else {'data': {'username': ANN}}
        answer = ask(f'/auth/me/{path}', headers=token, content_type='application/json', **given)
        assert (answer.status_code, answer.json()['code']) == (403, 'sign-in-too-old')

    @pytest.mark.parametrize(('method', 'path'), [('get', 'data'), ('post', 'erase')])
    def test_is_for_accounts(self, method: str, path: str) -> None:
        _, key = create_key(account_with_password(ANN), 'k')
        ask = getattr(Client(), method)
        assert ask(f'/auth/me/{path}').status_code == 401
        assert ask(f'/auth/me/{path}', headers=bearer(key)).status_code == 403


class TestTheCommand:
    def test_exports_and_erases(self, ann: Account) -> None:
        out = StringIO()
        call_command('personal_data', 'export', ANN, stdout=out)
        assert json.loads(out.getvalue())['shop']['authors']
        call_command('personal_data', 'erase', ANN, '--yes', stdout=out)
        ann.refresh_from_db()
        assert ann.status == 'closed'

    def test_tells_of_an_unknown_account(self, db: None) -> None:
        with pytest.raises(CommandError, match='nobody'):
            call_command('personal_data', 'export', 'nobody@example.com')
