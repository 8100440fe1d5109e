"""Keys of sessions: of a browser or of an app, stored as hashes, and replaced."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection, connections
from django.db.models.signals import post_save
from django.test import Client
from django.utils import timezone

from backstay.audit import SecurityEvent
from backstay.identity import session_store
from backstay.identity.models import Account, TokenPair
from backstay.identity.session_limits import end
from backstay.identity.session_store import (
    AppSessionStore,
    SessionStore,
    StoredKey,
    lines_of_ended_sessions,
    stored,
)
from backstay.identity.tokens import start_pair
from tests.identity.signing_in import (
    PASSWORD,
    App,
    account_with_password,
    bearer,
    code_of_the_last_mail,
    get_me,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]

NEW = 'another horse battery'


def browser() -> Client:
    """A browser that is signed in."""
    client = Client()
    given = {'email': 'ann@example.com', 'password': PASSWORD}
    answer = client.post('/auth/browser/v1/auth/login', given, content_type='application/json')
    assert answer.status_code == 200
    return client


def with_cookie(key: str) -> list[int]:
    """What a browser is answered that has a cookie with this key."""
    client = Client()
    client.cookies['sessionid'] = key
    paths = ('/auth/me', '/auth/browser/v1/auth/session', '/auth/sessions/', '/admin/')
    return [client.get(path).status_code for path in paths]


def with_token(key: str) -> list[int]:
    """What an app is answered that shows this key."""
    app = App(headers={'X-Session-Token': key})
    paths = ('auth/session', 'account/authenticators', 'auth/sessions', 'account/email')
    return [app.call('GET', f'app/v1/{path}').status_code for path in paths]


NOBODY = ([401, 401, 401, 302], [410, 410, 410, 410])


def everything_stored() -> str:
    """All rows of all tables, as a text."""
    models = [each for each in apps.get_models() if not each.__module__.startswith('tests.')]
    return '\n'.join(repr(vars(row)) for model in models for row in model._base_manager.all())


class TestAKey:
    def test_of_an_app_is_no_cookie(self, ann: Account) -> None:
        app = App()
        app.sign_in()
        key = app.headers['X-Session-Token']

        assert key.startswith('cst_')
        assert with_token(key) == [200, 200, 200, 200]
        for each in (key, key[4:], key[12:]):
            assert with_cookie(each) == NOBODY[0]

    def test_of_a_browser_is_no_token(self, ann: Account) -> None:
        client = browser()
        key = client.cookies['sessionid'].value
        prefix = AppSessionStore()._get_new_session_key()[:12]

        assert client.get('/auth/me').status_code == 200
        for each in (key, f'cst_{key}', prefix + key):
            assert with_token(each) == NOBODY[1]
        assert client.get('/auth/me').status_code == 200

    def test_as_it_is_stored_opens_nothing(self, ann: Account) -> None:
        browser()
        App().sign_in()
        keys = {
            *Session.objects.values_list('session_key', flat=True),
            *UserSession.objects.values_list('session_key', flat=True),
            *TokenPair.objects.values_list('session_key', flat=True),
        }
        prefix = AppSessionStore()._get_new_session_key()[:12]

        assert len(keys) == 2
        for key in keys:
            assert with_cookie(key) == NOBODY[0]
            for each in (key, f'cst_{key}', prefix + key):
                assert with_token(each) == NOBODY[1]
                assert with_cookie(each) == NOBODY[0]

    @pytest.mark.parametrize('key', ['cst_', 'cst_zzzzzzzz' + 'a' * 32, 'cst_\x00', 'é' * 40, 'x'])
    def test_that_is_none_is_refused(self, key: str) -> None:
        app = AppSessionStore(key)

        assert app.session_key is None
        assert SessionStore(f'cst_{key}').session_key is None

    def test_is_hashed_once(self) -> None:
        key = stored('a' * 32)

        assert stored(key) == key != stored(str(key))
        assert len(key) == 40


class TestTheDatabase:
    def test_holds_nothing_that_signs_anybody_in(self, ann: Account) -> None:
        client, app = browser(), App()
        meta = app.sign_in()
        asked = App()
        asked.post('auth/password/request', {'email': ann.email})
        signing_up = App()
        signing_up.post('auth/signup', {'email': 'new@example.com', 'password': NEW})
        codes = code_of_the_last_mail()
        text = everything_stored()

        assert ann.email in text  # it does hold what is looked for
        for secret in (
            client.cookies['sessionid'].value,
            meta['session_token'],
            meta['access_token'],
            meta['refresh_token'],
            asked.headers['X-Session-Token'],
            signing_up.headers['X-Session-Token'],
            codes,
        ):
            assert secret not in text
            assert secret.replace('-', '') not in text

    def test_does_not_tell_what_a_session_holds(self, ann: Account) -> None:
        session = SessionStore()
        session['code'] = 'A0B1-C2D3-E4F5'
        session.save()

        row = Session.objects.get()
        assert 'C2D3' not in row.session_data
        assert row.get_decoded() == {}
        assert SessionStore(session.session_key)['code'] == 'A0B1-C2D3-E4F5'

    def test_is_read_with_the_secret_key_before(self, settings: Any) -> None:
        session = SessionStore()
        session['name'] = 'łukasz'
        session.save()
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = 'another secret key of the site, which is long enough'
        assert SessionStore(session.session_key)['name'] == 'łukasz'

        settings.SECRET_KEY_FALLBACKS = []
        assert dict(SessionStore(session.session_key).items()) == {}


class TestReplacing:
    def test_comes_with_a_refresh(self, ann: Account) -> None:
        app = App()
        meta = app.sign_in()
        first = app.headers['X-Session-Token']
        (before,) = UserSession.objects.values('pk', 'created_at')

        answer = app.post('tokens/refresh', {'refresh_token': meta['refresh_token']})

        second = app.headers['X-Session-Token']
        assert answer.json()['meta'] == {'session_token': second}
        assert second != first
        assert with_token(first) == NOBODY[1]
        assert with_token(second) == [200, 200, 200, 200]
        assert get_me(**bearer(answer.json()['data']['access_token'])).status_code == 200
        (after,) = UserSession.objects.values('pk', 'created_at')
        assert after == before
        assert Session.objects.count() == 1

    def test_is_due_after_a_day(self, ann: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        app = App()
        meta = app.sign_in()
        first = app.headers['X-Session-Token']
        assert timedelta(days=1) == session_store.APP_KEY_LIFE
        with monkeypatch.context() as later:
            later.setattr(session_store, 'APP_KEY_LIFE', timedelta(seconds=-1))
            assert with_token(first) == NOBODY[1]

        # What has ended is sent along by a client that sends the same headers everywhere.
        stale = {**bearer('cat_ended'), 'X-Session-Token': 'cst_ended'}
        answer = App(headers=stale).post('tokens/refresh', {'refresh_token': meta['refresh_token']})

        assert answer.status_code == 200
        assert with_token(answer.json()['meta']['session_token'])[0] == 200

    def test_comes_with_a_new_password(self, ann: Account) -> None:
        app = App()
        token = app.sign_in()['access_token']
        first = app.headers['X-Session-Token']
        body = {'current_password': PASSWORD, 'new_password': NEW}

        assert app.post('account/password/change', body).status_code == 200

        assert with_token(first) == NOBODY[1]
        assert with_token(app.headers['X-Session-Token'])[0] == 200
        assert get_me(**bearer(token)).status_code == 200
        assert UserSession.objects.count() == TokenPair.objects.count() == 1

    def test_comes_with_a_new_password_by_access_token(self, ann: Account) -> None:
        app = App()
        token = app.sign_in()['access_token']
        body = {'current_password': PASSWORD, 'new_password': NEW}
        other = App()

        answer = other.post('account/password/change', body, **bearer(token))

        assert answer.status_code == 200
        assert answer.json()['meta']['session_token'].startswith('cst_')
        assert with_token(other.headers['X-Session-Token'])[0] == 200
        assert with_token(app.headers['X-Session-Token']) == NOBODY[1]

    def test_is_not_told_to_who_shows_an_access_token(self, ann: Account) -> None:
        token = App().sign_in()['access_token']

        answer = App().call('GET', 'app/v1/auth/session', **bearer(token))

        assert answer.json()['meta'] == {'is_authenticated': True}

    def test_comes_with_a_password_given_again(self, ann: Account) -> None:
        client, app = browser(), App()
        app.sign_in()
        keys = client.cookies['sessionid'].value, app.headers['X-Session-Token']
        given = {'password': PASSWORD}

        assert app.post('auth/reauthenticate', given).status_code == 200
        path = '/auth/browser/v1/auth/reauthenticate'
        assert client.post(path, given, content_type='application/json').status_code == 200

        assert with_cookie(keys[0]) == NOBODY[0]
        assert with_token(keys[1]) == NOBODY[1]
        assert client.get('/auth/me').status_code == 200
        assert with_token(app.headers['X-Session-Token'])[0] == 200
        assert UserSession.objects.count() == 2

    def test_comes_with_a_code_given_again(self, ann: Account) -> None:
        RecoveryCodes.activate(ann)
        code = RecoveryCodes(Authenticator.objects.get()).get_unused_codes()[0]
        client = Client()
        client.force_login(ann)
        key = client.cookies['sessionid'].value
        path = '/auth/browser/v1/auth/2fa/reauthenticate'

        answer = client.post(path, {'code': code}, content_type='application/json')

        assert answer.status_code == 200, answer.content
        assert with_cookie(key) == NOBODY[0]
        assert client.get('/auth/me').status_code == 200


class TestAnEnd:
    @pytest.mark.parametrize(
        'finish',
        [
            lambda app: app.call('DELETE', 'app/v1/auth/session'),
            lambda app: Client().post('/auth/sessions/end-all/', headers=app.bearer),
            lambda app: app.call(
                'DELETE', 'app/v1/auth/sessions', {'sessions': [UserSession.objects.get().pk]}
            ),
        ],
        ids=['signing out', 'ending all', "ending one by allauth's list"],
    )
    def test_leaves_nothing(self, ann: Account, finish: Callable[[Any], Any]) -> None:
        app: Any = App()
        app.bearer = bearer(app.sign_in()['access_token'])

        finish(app)

        assert with_token(app.headers['X-Session-Token']) == NOBODY[1]
        assert get_me(**app.bearer).status_code == 401
        assert not UserSession.objects.exists()

    def test_by_access_token_is_answered_as_one_with_the_key(self, ann: Account) -> None:
        token = App().sign_in()['access_token']

        answer = App().call('DELETE', 'app/v1/auth/session', **bearer(token))

        assert (answer.status_code, answer.json()['meta']['is_authenticated']) == (401, False)

    def test_that_comes_in_the_middle_is_told(self, ann: Account) -> None:
        app = App()
        app.sign_in()

        def end_all(**_: Any) -> None:
            end(UserSession.objects.all())

        post_save.connect(end_all, SecurityEvent, weak=False, dispatch_uid=__name__)
        try:
            answer = app.post('auth/reauthenticate', {'password': PASSWORD})
        finally:
            post_save.disconnect(sender=SecurityEvent, dispatch_uid=__name__)

        assert (answer.status_code, answer.json()['code']) == (401, 'session-revoked')
        assert answer['WWW-Authenticate'] == 'Bearer realm="backstay"'
        assert not Session.objects.exists()

    def test_by_time_is_forgotten(self, ann: Account) -> None:
        browser()
        kept = browser()
        row = UserSession.objects.latest('pk')
        Session.objects.exclude(session_key=row.session_key).delete()

        UserSession.objects.update(created_at=timezone.now() - timedelta(hours=2))
        assert lines_of_ended_sessions().delete()[0] == 1
        assert UserSession.objects.get() == row
        assert kept.get('/auth/me').status_code == 200


def session_of(account: Account) -> tuple[StoredKey, str]:
    """A session of an app as a sign-in leaves it, and its refresh token."""
    session = AppSessionStore()
    session.update(
        {
            '_auth_user_id': str(account.pk),
            '_auth_user_backend': 'backstay.identity.passwords.PasswordBackend',
            '_auth_user_hash': account.get_session_auth_hash(),
        }
    )
    session.save()
    key = session.stored_key
    assert key
    UserSession.objects.create(user=account, ip='192.0.2.1', session_key=key)
    return key, start_pair(account, key).refresh


@pytest.mark.skipif(connection.vendor != 'postgresql', reason='SQLite has one writer')
@pytest.mark.django_db(transaction=True)
def test_what_is_ended_stays_so_though_it_is_refreshed_at_that_moment() -> None:
    account = account_with_password('ann@example.com')
    for _ in range(10):
        _, token = session_of(account)
        barrier = threading.Barrier(2)
        answers: list[Any] = []

        def refresh(barrier: Any = barrier, token: str = token, answers: Any = answers) -> None:
            barrier.wait()
            try:
                answers.append(App().post('tokens/refresh', {'refresh_token': token}))
            finally:
                connections.close_all()

        thread = threading.Thread(target=refresh)
        thread.start()
        barrier.wait()
        end(UserSession.objects.filter(user=account))
        thread.join()

        assert answers[0].status_code in (200, 401)
        assert not Session.objects.exists()
        assert not UserSession.objects.exists()
        TokenPair.objects.all().delete()
