"""Making a key: who may, what it is by default, who hears of it, and how it ends."""

import time
from collections.abc import Callable
from concurrent.futures import wait
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backstay.identity import mails
from backstay.identity.keys import create_key
from backstay.identity.mails import plain_name
from backstay.identity.models import Account, ApiKey, TokenPair
from backstay.identity.session_store import SessionStore, StoredKey
from tests.identity.signing_in import (
    PASSWORD,
    App,
    account_with_password,
    basic,
    bearer,
    code_of_the_last_mail,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]

EVIL = 'Win at\nhttps://evil.example/x, ask me@evil.example! ' + 'x' * 200


def make(who: dict[str, str], **more: Any) -> Any:
    """The answer to a request for a key."""
    return Client().post(
        '/auth/keys/', {'name': 'ci', **more}, content_type='application/json', headers=who
    )


def age(key: str, seconds: float) -> None:
    """Make a sign-in so much older."""
    session = SessionStore(StoredKey(key))
    session['backstay_signed_in_at'] = time.time() - seconds
    for proof in session.get('account_authentication_methods', []):
        proof['at'] = time.time() - seconds
    session.save()


class TestStepUp:
    @pytest.mark.parametrize(('seconds', 'status'), [(60, 201), (590, 201), (610, 403)])
    def test_asks_for_a_recent_sign_in(self, ann: Account, seconds: int, status: int) -> None:
        who = bearer(App().sign_in()['access_token'])
        age(TokenPair.objects.get().session_key, seconds)

        answer = make(who)

        assert answer.status_code == status
        assert ApiKey.objects.exists() == (status == 201)
        assert status == 201 or answer.json()['code'] == 'sign-in-too-old'

    def test_takes_a_password_given_again(self, ann: Account) -> None:
        app = App()
        who = bearer(app.sign_in()['access_token'])
        age(TokenPair.objects.get().session_key, 3600)
        app.post('auth/reauthenticate', {'password': PASSWORD})

        assert make(who).status_code == 201

    def test_holds_for_replacing_too(self, ann: Account) -> None:
        key, _ = create_key(ann, 'x')
        who = bearer(App().sign_in()['access_token'])
        age(TokenPair.objects.get().session_key, 3600)

        assert Client().post(f'/auth/keys/{key.pk}/rotate/', headers=who).status_code == 403
        assert ApiKey.objects.get().revoked_at is None

    def test_holds_in_the_admin(self, client: Client) -> None:
        client.force_login(Account.objects.create_superuser('root', PASSWORD))
        form = {'name': 'ci', 'level': 1, 'ip_allow': '[]'}
        age(client.session.stored_key, 3600)

        answer = client.post('/admin/identity/apikey/add/', form)

        assert b'Your sign-in is too old' in answer.content
        assert not ApiKey.objects.exists()


def test_a_key_that_asks_for_nothing_gets_little() -> None:
    Account.objects.create_superuser('root@example.com', PASSWORD)

    body = make(basic('root@example.com')).json()

    key = ApiKey.objects.get()
    assert body['level'] == key.level == 1
    assert timedelta(days=29) < key.expires_at - timezone.now() <= timedelta(days=30)


def test_its_owner_hears_of_it_in_plain_words(
    ann: Account, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        create_key(ann, EVIL[:100])
    wait([mails._postman.submit(str)])

    (sent,) = mail.outbox
    assert sent.to == ['ann@example.com']
    assert ApiKey.objects.get().prefix in str(sent.body)
    assert 'evil.example' not in str(sent.body)


@given(st.text(max_size=300))
def test_no_name_makes_a_link_or_a_line(text: str) -> None:
    shown = plain_name(text)

    assert len(shown) <= 60
    assert not set(shown) & set('./:@<>&"\\\r\n\t\x00')
    assert shown == ' '.join(shown.split())


@pytest.mark.parametrize('email', ['new@example.com', 'ann@example.com'])
def test_no_mail_of_a_sign_up_has_the_name(ann: Account, email: str) -> None:
    App().post('auth/signup', {'email': email, 'password': PASSWORD, 'name': EVIL[:150]})

    (sent,) = mail.outbox
    assert 'Win' not in str(sent.body)
    assert 'evil' not in f'{sent.subject}{sent.body}'


@pytest.mark.parametrize(('body', 'left'), [({}, 1), ({'keys': False}, 1), ({'keys': True}, 0)])
@pytest.mark.parametrize('verb', ['end-all', 'end-others'])
def test_keys_end_with_the_sessions_if_wanted(
    ann: Account, verb: str, body: dict[str, Any], left: int
) -> None:
    create_key(ann, 'x')
    who = bearer(App().sign_in()['access_token'])

    answer = Client().post(
        f'/auth/sessions/{verb}/', body, content_type='application/json', headers=who
    )

    assert answer.status_code == 204
    assert ApiKey.objects.filter(revoked_at=None).count() == left


NEW = 'another horse battery'


def change_password(more: dict[str, Any]) -> Any:
    """The answer to a change of the password."""
    app = App()
    app.sign_in()
    body = {'current_password': PASSWORD, 'new_password': NEW}
    return app.post('account/password/change', {**body, **more})


def reset_password(more: dict[str, Any]) -> Any:
    """The answer to a new password by a mailed code."""
    app = App()
    app.post('auth/password/request', {'email': 'ann@example.com'})
    body = {'key': code_of_the_last_mail(), 'password': NEW}
    return app.post('auth/password/reset', {**body, **more})


@pytest.mark.parametrize('give', [change_password, reset_password])
class TestANewPassword:
    @pytest.mark.parametrize(
        ('more', 'left', 'told'),
        [({}, 1, 'still work: 1'), ({'keys': False}, 1, 'still work: 1'), ({'keys': True}, 0, '1')],
    )
    def test_ends_keys_if_wanted(
        self, ann: Account, give: Any, more: dict[str, Any], left: int, told: str
    ) -> None:
        create_key(ann, 'x')
        create_key(account_with_password('bob@example.com'), 'y')

        give(more)

        ann.refresh_from_db()
        assert ann.has_password(NEW)
        assert ApiKey.objects.filter(creator=ann, revoked_at=None).count() == left
        assert ApiKey.objects.filter(revoked_at=None).count() == left + 1
        text = str(mail.outbox[-1].body)
        assert ('still work' in text, 'have ended' in text) == (bool(left), not left)
        assert told in text

    @pytest.mark.parametrize('keys', ['yes', 'false', 0, 1, None, [], {}])
    def test_is_not_taken_where_it_cannot_be_told_if_they_end(
        self, ann: Account, give: Any, keys: Any
    ) -> None:
        create_key(ann, 'x')

        answer = give({'keys': keys})

        assert (answer.status_code, answer.json()['code']) == (422, 'validation-failed')
        assert answer.json()['errors'][0]['pointer'] == '/keys'
        ann.refresh_from_db()
        assert ann.has_password(PASSWORD)
        assert ApiKey.objects.filter(revoked_at=None).count() == 1


@pytest.mark.parametrize('path', ['/auth/keys/', '/auth/keys/7/', '/auth/keys/7/rotate/'])
@pytest.mark.parametrize('method', ['get', 'post', 'delete'])
def test_nobody_keeps_what_is_told_of_keys(ann: Account, path: str, method: str) -> None:
    answer = Client().generic(method.upper(), path, headers=basic('ann@example.com'))

    assert answer['Cache-Control'] == 'private, no-store'
