"""Bodies that are no JSON, no text or no object: refused by every endpoint below `/auth/`.

Each engine gets one half of them; `make prove` sends all to each.
"""

import json
from itertools import product
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from tests.identity.signing_in import PASSWORD, App
from tests.proofs import half_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]

BODIES = [
    b'[' * 100_000,
    b'{"a":' * 100_000,
    b'\xff',
    b'[]',
    b'1',
    b'null',
    b'{"email": "\\ud800@example.com", "password": "x"}',
    b'{"username": "\\ud800", "password": "\\udfff"}',
    b'{"key": "\\ud800"}',
    b'{"code": "\\ud800"}',
]
VALUES: list[Any] = [None, True, 0, 10**400, 1e308, '', '\x00', 'é' * 300, [], [[]], {}, {'a': {}}]
NAMES = (
    'email',
    'username',
    'password',
    'name',
    'key',
    'code',
    'totp',
    'credential',
    'id',
    'sessions',
    'authenticators',
    'current_password',
    'new_password',
    'refresh_token',
    'undo',
    'primary',
)


def paths() -> list[str]:
    """The path of every endpoint of the sign-in API for apps."""
    found = []

    def visit(patterns: Any, before: str) -> None:
        for each in patterns:
            path = before + str(each.pattern)
            if isinstance(each, URLPattern):
                found.append('/' + path)
            else:
                visit(each.url_patterns, path)

    visit(get_resolver().url_patterns, '')
    return sorted(path for path in found if path.startswith('/auth/app/') and '<' not in path)


@pytest.fixture(params=['guest', 'account'])
def headers(request: pytest.FixtureRequest, ann: Any, settings: Any) -> dict[str, str]:
    """Nobody, and somebody who has just shown who they are."""
    settings.ACCOUNT_RATE_LIMITS = settings.MFA_RATE_LIMITS = False
    app = App()
    if request.param == 'account':
        app.sign_in()
        app.post('auth/reauthenticate', {'password': PASSWORD})
    return app.headers


def test_are_never_a_failure_of_the_server(headers: dict[str, str]) -> None:
    found = paths()
    assert len(found) > 20
    for path in found:
        assert ask('GET', path, b'', headers).status_code < 500, path
    methods = ('POST', 'PUT', 'PATCH', 'DELETE')
    for path, method, body in half_of(product(found, methods, BODIES)):
        if path.endswith('auth/session') and method == 'DELETE':
            continue  # that is signing out
        answer = ask(method, path, body, headers)
        assert answer.status_code < 500, (method, path, body[:60])


def test_are_not_of_strange_values(headers: dict[str, str]) -> None:
    right = {'email': 'new@example.com', 'password': PASSWORD, 'key': 'x', 'code': 'x'}
    for path, value in half_of(product(paths(), VALUES)):
        every: dict[str, Any] = dict.fromkeys(NAMES, value)
        for given in (every, {**every, **right}):
            answer = ask('POST', path, json.dumps(given).encode(), headers)
            assert answer.status_code < 500, (path, given, answer.content)


def ask(method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
    """One call."""
    client = Client(raise_request_exception=False)
    return client.generic(method, path, body, content_type='application/json', headers=headers)


def test_to_what_the_site_does_not_have_are_not_found(headers: dict[str, str]) -> None:
    assert ask('GET', '/auth/app/v1/account/phone', b'', headers).status_code == 404


def test_that_are_no_json_are_told_so() -> None:
    answer = ask('POST', '/auth/app/v1/auth/login', b'{', {})

    assert (answer.status_code, answer.json()['code']) == (400, 'malformed-json')
