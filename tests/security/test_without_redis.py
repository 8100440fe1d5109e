"""While Redis, which counts attempts, is away: nobody gets in uncounted, and nothing fails."""

import json
import time
from typing import Any

import pytest
from django.test import Client
from pydantic import SecretStr

from backstay.errors import problem_from
from backstay.identity.keys import new_key, store_key
from tests.identity.signing_in import PASSWORD, account_with_password, basic

pytestmark = pytest.mark.django_db

pytest.importorskip('redis', reason='counters in Redis need the package redis')


@pytest.fixture
def client(settings: Any) -> Client:
    """A client of a site whose Redis does not answer, where Ann has an account."""
    away = SecretStr('redis://127.0.0.1:1/0')
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'redis_url': away})
    account_with_password('ann@example.com', is_staff=True)
    return Client(raise_request_exception=False)


def sign_in_as_an_app(client: Client) -> Any:
    """By the sign-in API."""
    body = json.dumps({'email': 'ann@example.com', 'password': PASSWORD})
    return client.post('/auth/app/v1/auth/login', body, content_type='application/json')


def sign_in_to_the_admin(client: Client) -> Any:
    """By the page of the admin."""
    form = {'username': 'ann@example.com', 'password': PASSWORD}
    return client.post('/admin/login/', form, headers={'Accept': 'text/html'})


def sign_in_by_basic(client: Client) -> Any:
    """By Basic authentication."""
    return client.get('/auth/me', headers=basic('ann@example.com'))


def show_a_wrong_key(client: Client) -> Any:
    """By a key that is none."""
    return client.get('/auth/me', headers={'X-Api-Key': 'cak_abcdefgh1234.nothing'})


@pytest.mark.parametrize(
    'attempt', [sign_in_as_an_app, sign_in_to_the_admin, sign_in_by_basic, show_a_wrong_key]
)
def test_an_attempt_that_cannot_be_counted_is_refused_soon(client: Client, attempt: Any) -> None:
    begun = time.monotonic()
    answer = attempt(client)

    assert answer.status_code == 503, answer.content
    assert answer['Retry-After'] == '2'
    assert json.loads(answer.content)['code'] == 'unavailable'
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize('error', ['ConnectionError', 'TimeoutError', 'ResponseError'])
def test_what_else_asks_it_is_answered_alike(error: str) -> None:
    import redis

    problem = problem_from(getattr(redis.exceptions, error)('Redis is loading'))

    assert problem is not None
    assert (problem.answer_status, problem.answer_code) == (503, 'unavailable')
    assert problem.headers == {'Retry-After': '2'}


def test_who_is_in_goes_on(client: Client) -> None:
    key, text = new_key(account_with_password('bob@example.com'), 'key')
    store_key(key)

    assert client.get('/auth/me', headers={'X-Api-Key': text}).status_code == 200
    assert client.get('/livez').status_code == 200
