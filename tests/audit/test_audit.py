"""Every action that the audit knows: who did it, from where, and what came of it."""

import json
from typing import Any

import pytest
from django.test import Client

from backstay.audit import SecurityEvent
from backstay.audit.actions import ACTIONS
from backstay.events.models import Webhook
from backstay.identity.email_changes import undo_change
from backstay.identity.keys import create_key
from backstay.identity.models import Account
from backstay.journal.models import Entry
from tests.identity.signing_in import (
    PASSWORD,
    App,
    account_with_password,
    basic,
    bearer,
    code_of_the_last_mail,
)
from tests.identity.test_email_changes import change, signed_in
from tests.identity.test_sign_in import code_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls('tests.audit.site')]

ANN = 'ann@example.com'
HERE = '192.0.2.1'


@pytest.fixture
def ann() -> Account:
    """Somebody with a password, of whose making nothing is told."""
    account = account_with_password(ANN, name='Ann')
    SecurityEvent.objects.all().delete()
    return account


def lines(action: str = '') -> list[SecurityEvent]:
    """What was recorded, the oldest first."""
    found = SecurityEvent.objects.order_by('pk')
    return list(found.filter(action=action) if action else found)


class TestSigningIn:
    def test_tells_who_from_where_and_in_which_session(self, ann: Account) -> None:
        App().sign_in()
        (line,) = lines('sign-in')
        assert (line.account_id, line.outcome, line.address) == (ann.pk, 'done', HERE)
        assert line.actor == f'account:{ann.pk}'
        assert len(line.session) == 16

    @pytest.mark.parametrize('name', [ANN, 'nobody@example.com'])
    def test_that_failed_is_told(self, ann: Account, name: str) -> None:
        App().post('auth/login', {'email': name, 'password': 'wrong wrong wrong'})
        (line,) = lines()
        assert (line.action, line.outcome, line.address) == ('sign-in', 'refused', HERE)
        assert line.account_id == (ann.pk if name == ANN else None)
        assert line.actor == 'guest:guest'

    def test_with_basic_is_told_once_until_it_is_looked_at_again(self, ann: Account) -> None:
        for _ in range(3):
            assert Client().get('/auth/me', headers=basic(ANN)).status_code == 200
        assert [line.detail for line in lines('sign-in')] == [{'how': 'basic'}]

    def test_too_often_locks_the_name(self, ann: Account) -> None:
        for number in range(21):
            App(f'198.51.100.{number}').post('auth/login', {'email': ANN, 'password': 'wrong'})
        assert len(lines('sign-in-locked')) == 1

    def test_out_is_told(self, ann: Account) -> None:
        app = App()
        app.sign_in()
        app.call('DELETE', 'app/v1/auth/session')
        (out,) = lines('sign-out')
        assert (out.account_id, out.session) == (ann.pk, lines('sign-in')[0].session)

    def test_up_is_told(self) -> None:
        App().post('auth/signup', {'email': 'new@example.com', 'password': 'a long enough one'})
        assert {line.action for line in lines()} >= {'account-create', 'sign-up'}


@pytest.mark.django_db(transaction=True)
def test_a_second_factor_leaves_its_traces(ann: Account) -> None:
    app = signed_in(ANN)
    secret = app.call('GET', 'app/v1/account/authenticators/totp').json()['meta']['secret']
    assert app.post('account/authenticators/totp', {'code': code_of(secret)}).status_code == 200
    other = App('192.0.2.9')
    other.post('auth/login', {'email': ANN, 'password': PASSWORD})
    other.post('auth/2fa/authenticate', {'code': '000000'})
    app.call('DELETE', 'app/v1/account/authenticators/totp')
    told = {(line.action, line.outcome) for line in lines()}
    assert told >= {
        ('factor-add', 'done'),
        ('factor-use', 'refused'),
        ('factor-remove', 'done'),
        ('reauthenticate', 'done'),
    }


def test_credentials_that_change_leave_their_traces(ann: Account) -> None:
    app = signed_in(ANN)
    undo = change(app, 'ann@example.org')
    undo_change(undo)
    app = signed_in(ANN)
    new = 'another long password'
    given = {'current_password': PASSWORD, 'new_password': new}
    assert app.post('account/password/change', given).status_code == 200
    App().post('auth/password/request', {'email': ANN})
    code = code_of_the_last_mail()
    App().post('auth/password/reset', {'key': code, 'password': 'a third long password'})
    told = {line.action for line in lines() if line.account_id == ann.pk}
    assert told >= {'email-change', 'email-confirm', 'email-undo', 'password-change'}


def test_keys_leave_their_traces(ann: Account) -> None:
    app = App()
    token = bearer(app.sign_in()['access_token'])
    made = app.call('POST', 'keys/', {'name': 'nightly'}, **token).json()
    assert made['key'].startswith('cak_')
    app.call('POST', f'keys/{made["id"]}/rotate/', **token)
    told = [(line.action, line.detail['key']) for line in lines() if 'key' in line.action]
    prefix = f'cak_{made["prefix"]}'
    assert told[:2] == [('key-create', prefix), ('key-revoke', prefix)]
    assert [action for action, _ in told] == ['key-create', 'key-revoke', 'key-create']


def test_a_key_that_is_refused_is_told_once_a_minute(ann: Account) -> None:
    made, key = create_key(ann, 'nightly', ip_allow=['198.51.100.0/24'])
    for _ in range(3):
        assert Client().get('/auth/me', headers=bearer(key)).status_code == 403
    (line,) = lines('key-use')
    assert (line.account_id, line.outcome) == (ann.pk, 'refused')
    assert line.detail == {'key': f'cak_{made.prefix}', 'why': 'ip-not-allowed'}


def test_rights_that_change_are_told_with_who_changed_them(ann: Account, client: Client) -> None:
    root = Account.objects.create_superuser('root@example.com', 'a long password')
    client.force_login(root)
    SecurityEvent.objects.all().delete()
    page = f'/admin/identity/account/{ann.pk}/change/'
    form = client.get(page).context['adminform'].form
    given = {name: value for name, value in form.initial.items() if value is not None}
    client.post(page, {**given, 'level': 3, 'groups': [], 'user_permissions': []})
    chosen = {'action': 'block', '_selected_action': [ann.pk]}
    client.post('/admin/identity/account/', chosen)
    told = [(line.account_id, line.actor, line.detail) for line in lines('account-change')]
    by = f'account:{root.pk}'
    assert told == [
        (ann.pk, by, {'before': {'level': 1}, 'after': {'level': 3}}),
        (ann.pk, by, {'before': {'status': 'active'}, 'after': {'status': 'blocked'}}),
    ]


def test_a_change_without_a_request_is_the_commands(ann: Account) -> None:
    ann.level = 2
    ann.save()
    (line,) = lines('account-change')
    assert (line.actor, line.address) == ('command:backstay', None)
    ann.name = 'Anna'
    ann.save()
    assert len(lines()) == 1


def test_no_line_has_a_secret(ann: Account, caplog: Any) -> None:
    app = App()
    tokens = app.sign_in()
    key = app.call('POST', 'keys/', {'name': 'k'}, **bearer(tokens['access_token'])).json()['key']
    App().post('auth/login', {'email': ANN, 'password': 'nearly right'})
    stored = json.dumps(
        [list(SecurityEvent.objects.values()), list(Entry.objects.values('after'))], default=str
    )
    session = app.headers['X-Session-Token']
    secrets = [PASSWORD, 'nearly right', key.partition('.')[2], session, *map(str, tokens.values())]
    for secret in secrets:
        if len(secret) > 8:
            assert secret not in stored + caplog.text


class TestRights:
    def test_an_account_sees_its_own_lines(self, ann: Account) -> None:
        account_with_password('bob@example.com')
        App().sign_in('bob@example.com')
        seen = Client(headers=basic(ANN)).get('/events/security/').json()['results']
        assert {line['account_id'] for line in seen} == {ann.pk}

    def test_the_highest_see_all_and_guests_none(self, ann: Account) -> None:
        account_with_password('boss@example.com', level=4)
        App().sign_in()
        seen = Client(headers=basic('boss@example.com')).get('/events/security/').json()
        assert {ann.pk} < {line['account_id'] for line in seen['results']}
        assert Client().get('/events/security/').status_code in (401, 403)

    def test_nobody_writes_it(self, ann: Account) -> None:
        App().sign_in()
        account_with_password('boss@example.com', level=5)
        path = f'/events/security/{lines()[0].pk}/'
        for method in ('put', 'patch', 'delete'):
            ask = getattr(Client(headers=basic('boss@example.com')), method)
            assert ask(path, {}, content_type='application/json').status_code in (403, 405)


def test_nobody_is_told_where_nobody_names_it(ann: Account) -> None:
    Webhook.objects.create(owner=ann, url='https://example.com/', types=['*'])
    App().sign_in()
    assert not Entry.objects.exists()


def test_every_line_is_an_event_for_who_names_it(ann: Account) -> None:
    types = ['securityevent.created']
    Webhook.objects.create(owner=ann, url='https://example.com/', types=types)
    App().sign_in()
    line = lines('sign-in')[0]
    entry = Entry.objects.get(aggregate='audit.securityevent', object_id=str(line.pk))
    assert (entry.resource, entry.pending, entry.verb) == ('SecurityEvent', True, 'create')


def test_an_unknown_action_is_a_mistake() -> None:
    from backstay.audit import record

    with pytest.raises(KeyError):
        record('dance')


def test_the_reference_has_every_action(root: Any) -> None:
    text = (root / 'docs/reference/audit.md').read_text()
    for action, meaning in ACTIONS.items():
        assert f'| `{action}` | {meaning} |' in text
