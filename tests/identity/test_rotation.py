"""A new secret key: what was written with the old one is read, and written anew (the how-to)."""

import secrets
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from cryptography.fernet import InvalidToken
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from backstay import secret_keys
from backstay.events.models import Webhook
from backstay.events.secrets import new_secret, seal
from backstay.identity.keys import create_key, rotate_key
from backstay.identity.models import Account
from tests.catalogue.models import Product
from tests.identity.signing_in import (
    PASSWORD,
    App,
    account_with_password,
    bearer,
    code_of_the_last_mail,
    get_me,
)
from tests.identity.test_sign_in import code_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site', 'ann')]

ANN = 'ann@example.com'


class Rotation:
    """The steps of the how-to, on the settings of a test."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    def begin(self) -> None:
        """Write with a new key, and read with the old one too."""
        self.settings.SECRET_KEY_FALLBACKS = [self.settings.SECRET_KEY]
        self.settings.SECRET_KEY = secrets.token_urlsafe(48)

    def end(self) -> None:
        """Let the old key go."""
        self.settings.SECRET_KEY_FALLBACKS = []


@pytest.fixture
def rotation(settings: Any) -> Rotation:
    """A site whose secret key can be replaced."""
    return Rotation(settings)


def app_with_factor() -> tuple[App, str]:
    """Ann, signed in, with an authenticator app; its secret."""
    app = App()
    app.sign_in()
    app.post('auth/reauthenticate', {'password': PASSWORD})
    secret = str(app.call('GET', 'app/v1/account/authenticators/totp').json()['meta']['secret'])
    assert app.post('account/authenticators/totp', {'code': code_of(secret)}).status_code == 200
    return app, secret


def sign_in_with(code: str) -> int:
    """The status of a sign-in with password and code."""
    app = App()
    app.post('auth/login', {'email': ANN, 'password': PASSWORD})
    return int(app.post('auth/2fa/authenticate', {'code': code}).status_code)


class TestSecondFactors:
    def test_let_in_during_and_after_a_rotation(self, rotation: Rotation) -> None:
        _, secret = app_with_factor()
        recovery = RecoveryCodes.activate(Account.objects.get()).get_unused_codes()

        rotation.begin()
        assert sign_in_with(recovery[0]) == 200
        call_command('rotate_secrets')
        rotation.end()

        assert sign_in_with(code_of(secret, later=1)) == 200
        assert sign_in_with(recovery[1]) == 200

    def test_are_lost_without_the_command(self, rotation: Rotation) -> None:
        app_with_factor()
        rotation.begin()
        rotation.end()

        with pytest.raises(InvalidToken):
            Authenticator.objects.get(type='totp').wrap().validate_code('123456')

    def test_are_encrypted_anew_as_often_as_one_likes(self, rotation: Rotation) -> None:
        _, secret = app_with_factor()
        rotation.begin()
        for _ in range(3):
            call_command('rotate_secrets')
        rotation.end()

        assert sign_in_with(code_of(secret, later=1)) == 200


class TestTokens:
    def test_of_an_app_go_on(self, rotation: Rotation) -> None:
        meta = App().sign_in()

        rotation.begin()
        assert get_me(**bearer(meta['access_token'])).status_code == 200
        answer = App().post('tokens/refresh', {'refresh_token': meta['refresh_token']})
        rotation.end()

        renewed = answer.json()['data']
        assert get_me(**bearer(renewed['access_token'])).status_code == 200
        again = App().post('tokens/refresh', {'refresh_token': renewed['refresh_token']})
        assert again.status_code == 200

    def test_that_come_twice_end_the_session_during_a_rotation_too(
        self, rotation: Rotation
    ) -> None:
        meta = App().sign_in()
        first = App().post('tokens/refresh', {'refresh_token': meta['refresh_token']})
        token = first.json()['data']['access_token']
        assert get_me(**bearer(token)).status_code == 200
        rotation.begin()

        App().post('tokens/refresh', {'refresh_token': meta['refresh_token']})

        assert get_me(**bearer(token)).status_code == 401

    @pytest.mark.parametrize('rest', ['', 'x', 'x' * 43, 'x' * 43 + '0' * 32, 'é' * 75])
    def test_that_were_never_issued_end_nothing(self, rest: str) -> None:
        meta = App().sign_in()
        guess = f'crt_{meta["access_token"][4:26]}{rest}'

        answer = App().post('tokens/refresh', {'refresh_token': guess})

        assert answer.status_code == 401
        assert answer.json()['code'] == 'token-invalid'
        assert get_me(**bearer(meta['access_token'])).status_code == 200


def test_a_session_goes_on(rotation: Rotation, client: Client) -> None:
    client.force_login(Account.objects.get())
    rotation.begin()
    assert client.get('/auth/me').status_code == 200
    rotation.end()

    assert client.get('/auth/me').status_code == 200


def test_a_code_for_a_new_password_counts(rotation: Rotation) -> None:
    app = App()
    app.post('auth/password/request', {'email': ANN})
    code = code_of_the_last_mail()
    rotation.begin()

    answer = app.post('auth/password/reset', {'key': code, 'password': 'another long one'})

    assert answer.status_code == 401  # it is set, and the sign-in is still to come
    assert Account.objects.get().has_password('another long one')


def test_an_api_key_needs_no_secret_key(rotation: Rotation) -> None:
    key, shown = create_key(Account.objects.get(), 'x')
    rotation.begin()
    rotation.end()
    assert get_me(**{'X-Api-Key': shown}).status_code == 200

    _, renewed = rotate_key(key)

    assert get_me(**{'X-Api-Key': shown}).status_code == 401
    assert get_me(**{'X-Api-Key': renewed}).status_code == 200


def test_the_secret_of_a_webhook_is_read_and_written_anew(rotation: Rotation) -> None:
    both, now = [new_secret(), new_secret()], timezone.now()
    hook = Webhook.objects.create(
        url='https://example.com',
        owner=Account.objects.get(),
        secret=seal(both[0]),
        former_secret=seal(both[1]),
        former_until=now + timedelta(hours=1),
    )
    rotation.begin()
    assert hook.signing_secrets(now) == both
    call_command('rotate_secrets')
    rotation.end()

    hook.refresh_from_db()
    assert hook.signing_secrets(now) == both


def test_a_cursor_leads_on(rotation: Rotation, client: Client) -> None:
    client.force_login(account_with_password('boss', level=3))
    for number in range(3):
        Product.objects.create(name=f'p{number}', slug=f'p{number}')
    first = client.get('/managed/?cursor=&limit=1').json()
    rotation.begin()

    second = client.get(first['next'])
    rotation.end()

    assert second.status_code == 200
    assert client.get(second.json()['next']).status_code == 200
    assert client.get(first['next']).status_code == 400


def test_each_use_has_a_key_of_its_own(settings: Any) -> None:
    uses = ('token', 'refresh-token', 'session', 'second-factor', 'webhook-secret', 'cursor')
    uses += ('reset-mark',)
    keys = {key for use in uses for key in secret_keys.derived_keys(use)}

    assert len(keys) == len(uses)
    assert settings.SECRET_KEY.encode() not in keys


def test_nothing_else_reads_the_secret_key(root: Any) -> None:
    """What signs, hashes or encrypts asks `backstay.secret_keys`, which knows of fallbacks."""
    readers = {
        path.name
        for path in (root / 'src' / 'backstay').rglob('*.py')
        if 'settings.SECRET_KEY' in path.read_text()
    }

    assert readers == {'secret_keys.py'}
