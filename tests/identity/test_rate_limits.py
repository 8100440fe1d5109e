"""The limits of allauth's own endpoints: a problem with Retry-After, whichever of them it is."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.identity.signing_in import PASSWORD, App
from tests.identity.test_sign_in import code_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site', 'ann')]

WEAK = {'current_password': PASSWORD, 'new_password': 'x'}


def signed_in() -> App:
    """A client in which Ann has just shown who she is."""
    app = App()
    app.sign_in()
    app.post('auth/reauthenticate', {'password': PASSWORD})
    return app


def half_signed_in() -> App:
    """A client that has given the password of an account with a second factor."""
    app = signed_in()
    secret = app.call('GET', 'app/v1/account/authenticators/totp').json()['meta']['secret']
    app.post('account/authenticators/totp', {'code': code_of(secret)})
    other = App()
    other.post('auth/login', {'email': 'ann@example.com', 'password': PASSWORD})
    return other


def signing_up() -> App:
    """A client that waits for the code of a new address."""
    app = App()
    app.post('auth/signup', {'email': 'new@example.com', 'password': PASSWORD})
    return app


#: Who asks, what they ask, how often that is answered.
LIMITS: dict[str, tuple[Callable[[], App], str, str, dict[str, Any], int]] = {
    'login': (App, 'POST', 'auth/login', {}, 30),
    'signup': (App, 'POST', 'auth/signup', {}, 20),
    'reset': (App, 'POST', 'auth/password/request', {'email': 'x@example.com'}, 5),
    'passkey': (App, 'POST', 'auth/webauthn/login', {}, 10),
    'password': (signed_in, 'POST', 'account/password/change', WEAK, 5),
    'address': (signed_in, 'POST', 'account/email', {'email': 'x'}, 10),
    'again': (signed_in, 'POST', 'auth/reauthenticate', {'password': 'wrong'}, 5),
    'code': (half_signed_in, 'POST', 'auth/2fa/authenticate', {'code': '000000'}, 5),
    'resend': (signing_up, 'POST', 'auth/email/verify/resend', {}, 0),
}


@pytest.mark.parametrize('name', LIMITS)
def test_are_told_as_problems(name: str) -> None:
    ready, method, path, body, most = LIMITS[name]
    app = ready()

    answers = [app.call(method, f'app/v1/{path}', body) for _ in range(most + 1)]

    assert {answer.status_code for answer in answers[:-1]} <= {400, 401}
    last = answers[-1]
    assert last.status_code == 429, last.content
    assert last['Content-Type'] == 'application/problem+json'
    assert last.json()['code'] in ('rate-limited', 'login-throttled')
    assert 0 < int(last['Retry-After']) <= 300


def test_hold_for_browsers_too(client: Any) -> None:
    path = '/auth/browser/v1/auth/signup'
    answers = [client.post(path, '{}', content_type='application/json') for _ in range(21)]

    assert answers[-1].status_code == 429
    assert answers[-1]['Retry-After'] == '60'
    assert answers[-1].json()['code'] == 'rate-limited'
