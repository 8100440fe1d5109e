"""Ways around the front door that would have to be shut: other sessions, resets, addresses."""

from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from django.test import Client

from backstay.identity.keys import new_key, store_key
from backstay.identity.models import Account
from backstay.identity.tokens import start_pair
from tests.identity.signing_in import PASSWORD, App, account_with_password, code_of_the_last_mail

pytestmark = pytest.mark.django_db

NEW = {'email': 'new@example.com', 'password': PASSWORD}
OTHER = 'another horse battery'


@pytest.fixture
def ann() -> Account:
    """Somebody with a password; nothing of allauth's counters outlives a test."""
    cache.clear()
    return account_with_password('ann@example.com')


def pending(answer: Any) -> list[str]:
    """The step that the sign-in waits for."""
    return [each['id'] for each in answer.json()['data']['flows'] if each.get('is_pending')]


def test_a_mailed_code_is_of_use_in_its_own_session_only() -> None:
    cache.clear()
    app, other = App(), App('192.0.2.2')
    app.post('auth/signup', NEW)
    code = code_of_the_last_mail()
    other.post('auth/signup', {**NEW, 'email': 'other@example.com'})

    assert other.post('auth/email/verify', {'key': code}).status_code == 400
    assert app.post('auth/email/verify', {'key': code}).status_code == 200


def test_a_new_password_leads_to_the_second_factor(ann: Account) -> None:
    TOTP.activate(ann, generate_totp_secret())
    app = App()
    app.post('auth/password/request', {'email': ann.email})
    app.post('auth/password/reset', {'key': code_of_the_last_mail(), 'password': OTHER})

    answer = app.post('auth/login', {'email': ann.email, 'password': OTHER})

    assert (answer.status_code, pending(answer)) == (401, ['mfa_authenticate'])
    assert app.call('GET', 'app/v1/auth/session').status_code == 401


@pytest.mark.parametrize('name', ['access_token', 'token', 'key', 'api_key', 'x-api-key'])
def test_a_secret_in_an_address_opens_nothing(ann: Account, name: str) -> None:
    token = start_pair(ann, 'session').access
    key, text = new_key(ann, 'key')
    store_key(key)
    assert Client().get('/auth/me', headers={'X-Api-Key': text}).status_code == 200

    for secret in (token, text):
        assert Client().get('/auth/me', {name: secret}).status_code == 401
