"""Passkeys by allauth's headless API, with a software authenticator."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from backstay.identity.models import Account, AccountStatus
from tests.identity.passkeys import Passkey
from tests.identity.signing_in import PASSWORD, App, account_with_password, basic, get_me
from tests.identity.test_sign_in import let_pass
from tests.proofs import half_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]

REGISTER = 'account/authenticators/webauthn'
LOGIN = 'auth/webauthn/login'
SECOND = 'auth/webauthn/authenticate'
AGAIN = 'auth/webauthn/reauthenticate'


@pytest.fixture
def app(ann: Account) -> App:
    """A client in which Ann has just shown who she is."""
    return signed_in()


def signed_in(email: str = 'ann@example.com') -> App:
    """A client in which somebody has given the password twice."""
    app = App()
    app.sign_in(email)
    assert app.post('auth/reauthenticate', {'password': PASSWORD}).status_code == 200
    return app


def get(app: App, path: str) -> Any:
    """What the site asks of an authenticator, or the answer when it is none of that."""
    answer = app.call('GET', f'app/v1/{path}')
    data = answer.json().get('data', {})
    return data.get('creation_options') or data.get('request_options') or answer


def register(app: App, key: Passkey, passwordless: bool = True) -> Any:
    """The answer to a new passkey."""
    options = get(app, f'{REGISTER}?passwordless' if passwordless else REGISTER)
    return app.post(REGISTER, {'name': 'Laptop', 'credential': key.create(options)})


def registered(app: App, **options: Any) -> Passkey:
    """A passkey that the account has."""
    key = Passkey(**options)
    answer = register(app, key)
    assert answer.status_code == 200, answer.content
    return key


def sign_in(key: Passkey, app: App | None = None) -> Any:
    """The answer to a sign-in with nothing but the passkey."""
    app = app or App()
    return app.post(LOGIN, {'credential': key.get(get(app, LOGIN))})


class TestRegistering:
    def test_adds_it_with_recovery_codes(self, app: App) -> None:
        answer = register(app, Passkey())

        assert answer.status_code == 200
        assert answer.json()['meta']['recovery_codes_generated']
        assert answer.json()['data']['is_passwordless']
        assert {each.type for each in Authenticator.objects.all()} == {
            'webauthn',
            'recovery_codes',
        }

    @pytest.mark.usefixtures('ann')
    def test_needs_more_than_a_session(self) -> None:
        app = App()
        app.sign_in()

        assert app.call('GET', f'app/v1/{REGISTER}').status_code == 401
        assert not Authenticator.objects.exists()

    def test_with_another_challenge_is_refused(self, app: App) -> None:
        key = Passkey()
        old = get(app, REGISTER)
        get(app, REGISTER)

        assert app.post(REGISTER, {'credential': key.create(old)}).status_code == 400
        assert not Authenticator.objects.exists()

    def test_twice_with_one_challenge_is_refused(self, app: App) -> None:
        options = get(app, REGISTER)
        assert app.post(REGISTER, {'credential': Passkey().create(options)}).status_code == 200

        assert app.post(REGISTER, {'credential': Passkey().create(options)}).status_code == 400

    def test_for_sign_in_takes_none_that_knows_not_who_is_there(self, app: App) -> None:
        assert register(app, Passkey(verifies=False)).status_code == 400

    @pytest.mark.parametrize(
        'origin', ['https://evil.example', 'http://testserver', 'https://testserver.evil.example']
    )
    def test_from_another_origin_is_refused(self, app: App, origin: str) -> None:
        assert register(app, Passkey(origin=origin)).status_code == 400
        assert not Authenticator.objects.exists()


class TestSigningIn:
    def test_needs_neither_name_nor_password(self, app: App) -> None:
        key = registered(app)
        other = App()

        answer = sign_in(key, other)

        assert answer.status_code == 200, answer.content
        assert answer.json()['data']['user']['email'] == 'ann@example.com'
        token = answer.json()['meta']['access_token']
        assert get_me(Authorization=f'Bearer {token}').json()['name'] == 'ann@example.com'

    def test_works_in_a_browser(self, app: App) -> None:
        key = registered(app)
        browser = Client()
        path = f'/auth/browser/v1/{LOGIN}'
        options = browser.get(path).json()['data']['request_options']

        answer = browser.post(
            path, json.dumps({'credential': key.get(options)}), content_type='application/json'
        )

        assert answer.status_code == 200
        assert browser.get('/auth/me').json()['name'] == 'ann@example.com'

    def test_from_another_origin_is_refused(self, app: App) -> None:
        key = registered(app)
        key.origin = 'https://evil.example'

        assert sign_in(key).status_code == 400

    def test_with_another_key_is_refused(self, app: App) -> None:
        key, other = registered(app), Passkey()
        other.handle = key.handle

        assert sign_in(other).status_code == 400
        other.id = key.id
        assert sign_in(other).status_code == 400

    def test_as_somebody_else_is_refused(self, app: App) -> None:
        key = registered(app)
        account_with_password('bob@example.com')
        bob = signed_in('bob@example.com')
        key.handle = registered(bob).handle

        assert sign_in(key).status_code == 400

    def test_needs_a_device_that_knows_who_is_there(self, app: App) -> None:
        key = registered(app)
        key.verifies = False

        assert sign_in(key).status_code == 400

    def test_with_the_same_answer_twice_is_refused(self, app: App) -> None:
        key, other = registered(app), App()
        answer = key.get(get(other, LOGIN))
        assert other.post(LOGIN, {'credential': answer}).status_code == 200

        assert App().post(LOGIN, {'credential': answer}).status_code == 400

    def test_of_a_blocked_account_is_refused(self, app: App) -> None:
        key = registered(app)
        Account.objects.update(status=AccountStatus.BLOCKED)

        answer = sign_in(key)

        assert (answer.status_code, answer.json()['code']) == (403, 'account-blocked')

    def test_with_a_key_that_was_removed_is_refused(self, app: App) -> None:
        key = registered(app)
        listed = app.call('GET', 'app/v1/account/authenticators').json()['data']
        (mine,) = [each['id'] for each in listed if each['type'] == 'webauthn']
        removed = app.call('DELETE', f'app/v1/{REGISTER}', {'authenticators': [mine]})

        assert removed.status_code == 200
        assert sign_in(key).status_code == 400
        assert not Authenticator.objects.exists()


class TestAsSecondFactor:
    def half_signed_in(self) -> App:
        """A client that has given the password."""
        app = App()
        answer = app.post('auth/login', {'email': 'ann@example.com', 'password': PASSWORD})
        assert answer.status_code == 401, answer.content
        (pending,) = [each for each in answer.json()['data']['flows'] if each.get('is_pending')]
        assert (pending['id'], 'webauthn' in pending['types']) == ('mfa_authenticate', True)
        return app

    @pytest.mark.parametrize('verifies', [True, False])
    def test_follows_the_password(self, app: App, verifies: bool) -> None:
        key = Passkey(verifies=verifies)
        assert register(app, key, passwordless=False).status_code == 200
        other = self.half_signed_in()

        answer = other.post(SECOND, {'credential': key.get(get(other, SECOND))})

        assert answer.status_code == 200
        assert 'access_token' in answer.json()['meta']

    def test_of_somebody_else_is_refused(self, app: App) -> None:
        registered(app)
        account_with_password('bob@example.com')
        bob = signed_in('bob@example.com')
        key, other = registered(bob), self.half_signed_in()

        assert other.post(SECOND, {'credential': key.get(get(other, SECOND))}).status_code == 400

    def test_can_be_a_recovery_code_where_the_device_is_lost(self, app: App) -> None:
        registered(app)
        listed = app.call('GET', 'app/v1/account/authenticators/recovery-codes').json()
        (code, *_) = listed['data']['unused_codes']

        answer = self.half_signed_in().post('auth/2fa/authenticate', {'code': code})

        assert answer.status_code == 200

    def test_shuts_out_the_password_alone(self, app: App, ann: Account) -> None:
        registered(app)

        answer = get_me(**basic(ann.username))

        assert (answer.status_code, answer.json()['code']) == (401, 'totp-required')

    def test_shows_again_who_one_is(self, app: App) -> None:
        key = registered(app)

        assert app.post(AGAIN, {'credential': key.get(get(app, AGAIN))}).status_code == 200


class TestTheSite:
    def test_is_the_host_where_it_has_no_front_end(self, app: App) -> None:
        asked = get(app, REGISTER)['publicKey']

        assert asked['rp']['id'] == 'testserver'
        assert asked['user']['name'] == 'ann@example.com'

    @pytest.mark.parametrize(
        ('frontend', 'site'),
        [
            ('https://shop.example.com', 'shop.example.com'),
            ('https://shop.example.com:8443/app', 'shop.example.com'),
            ('http://localhost:3000', 'localhost'),
        ],
    )
    def test_is_that_of_the_front_end(
        self, app: App, settings: Any, frontend: str, site: str
    ) -> None:
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'frontend_url': frontend})

        assert get(app, REGISTER)['publicKey']['rp']['id'] == site
        assert get(App(), LOGIN)['publicKey']['rpId'] == site

    def test_takes_the_passkeys_of_the_front_end(self, app: App, settings: Any) -> None:
        url = 'https://shop.example.com'
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'frontend_url': url})

        key = registered(app, origin=url)

        assert sign_in(key).status_code == 200
        key.origin = 'https://testserver'
        assert sign_in(key).status_code == 400


#: What is no credential, or not all of one.
BROKEN: list[Any] = [
    None,
    0,
    True,
    'x',
    '',
    [],
    {},
    {'id': 1},
    {'id': 'x', 'rawId': 'x', 'type': 'public-key', 'response': []},
    {'id': 'x', 'rawId': 'x', 'type': 'public-key', 'response': {}},
    {'id': 'eA', 'rawId': 'eA', 'type': 'public-key', 'response': {'userHandle': 'eA'}},
    {'id': 'é', 'rawId': 'é', 'type': 'public-key', 'response': {'clientDataJSON': 'é'}},
]


def broken_of(whole: dict[str, Any]) -> list[Any]:
    """A credential with one thing wrong in it, in every place."""
    response = whole['response']
    wrong: list[Any] = [None, 1, [], {}, '', 'x', 'eA', '!!', 'é', 'AAAA', 'e30', '_' * 5_000]
    made = [{**whole, name: value} for name in whole for value in wrong]
    made += [
        {**whole, 'response': {**response, name: value}} for name in response for value in wrong
    ]
    made += [{key: each for key, each in whole.items() if key != name} for name in whole]
    made += [
        {**whole, 'response': {key: each for key, each in response.items() if key != name}}
        for name in response
    ]
    return made


class TestWhatIsNoCredential:
    @pytest.fixture(autouse=True)
    def _without_limits(self, settings: Any) -> None:
        settings.ACCOUNT_RATE_LIMITS = False
        settings.MFA_RATE_LIMITS = False

    def test_is_refused_when_registering(self, app: App) -> None:
        whole = Passkey().create(get(app, REGISTER))

        for broken in half_of((*BROKEN, *broken_of(whole))):
            get(app, REGISTER)
            answer = app.post(REGISTER, {'credential': broken})
            assert answer.status_code == 400, (broken, answer.content)
        assert not Authenticator.objects.exists()

    def test_is_refused_when_signing_in(self, app: App) -> None:
        key, other = registered(app), App()
        whole = key.get(get(other, LOGIN))

        for broken in half_of((*BROKEN, *broken_of(whole))):
            let_pass(60)  # ten in a minute
            get(other, LOGIN)
            answer = other.post(LOGIN, {'credential': broken})
            assert answer.status_code == 400, (broken, answer.content)

    def test_is_refused_where_there_is_no_key_in_it(self, app: App) -> None:
        assert register(app, Passkey(has_credential=False)).status_code == 400
        assert not Authenticator.objects.exists()

    @pytest.mark.parametrize(
        'public',
        [{1: 2, 3: -7}, {1: 2, 3: -7, -1: 1, -2: b'x', -3: b'y'}, {1: 1, 3: -9999}, {3: 'x'}],
    )
    def test_opens_nothing_where_its_key_is_none(self, app: App, public: dict[int, Any]) -> None:
        key = Passkey(public=public)
        register(app, key)

        assert sign_in(key).status_code == 400
        assert app.call('GET', 'app/v1/account/authenticators').status_code == 200
