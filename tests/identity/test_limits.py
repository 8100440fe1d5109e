"""Limits wherever a secret is asked for: each place, with a cache of its own at every try."""

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client

from backstay.identity import Limit, guarded
from backstay.identity.keys import create_key
from backstay.identity.limits import LIMITS
from backstay.identity.models import Account
from backstay.identity.passwords import verified_passwords
from backstay.identity.problems import SignInThrottled
from tests.identity.signing_in import (
    PASSWORD,
    App,
    account_with_password,
    basic,
    bearer,
    code_of_the_last_mail,
    get_me,
)
from tests.identity.test_sign_in import code_of
from tests.proofs import half_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]

ANN = 'ann@example.com'
Ask = Callable[[bool], Any]


def another_process() -> None:
    """Forget what a process remembers by itself: the next try is another's."""
    cache.clear()
    verified_passwords.clear()


def signed_in() -> App:
    """Ann, who has just signed in and shown her password."""
    app = App()
    app.sign_in()
    app.post('auth/reauthenticate', {'password': PASSWORD})
    return app


def with_factor() -> str:
    """The secret of the authenticator app that Ann has added."""
    app = signed_in()
    secret = str(app.call('GET', 'app/v1/account/authenticators/totp').json()['meta']['secret'])
    assert app.post('account/authenticators/totp', {'code': code_of(secret)}).status_code == 200
    return secret


def asked_for_code() -> App:
    """A client that has given the password of an account with a second factor."""
    app = App()
    app.post('auth/login', {'email': ANN, 'password': PASSWORD})
    return app


def sign_in() -> Ask:
    """The password, at the API."""
    return lambda right: App().post(
        'auth/login', {'email': ANN, 'password': PASSWORD if right else 'wrong'}
    )


def basic_authentication() -> Ask:
    """The password, with a request."""
    return lambda right: get_me(**basic(ANN, PASSWORD if right else 'wrong'))


def sign_in_to_the_admin() -> Ask:
    """The password, at the admin."""
    Account.objects.update(is_staff=True, is_superuser=True)
    client = Client(raise_request_exception=False)

    def ask(right: bool) -> Any:
        form = {'username': ANN, 'password': PASSWORD if right else 'wrong'}
        return client.post('/admin/login/?next=/admin/', form)

    return ask


def old_password_of_the_admin() -> Ask:
    """The old password, on the admin's page for a new one."""
    Account.objects.update(is_staff=True, is_superuser=True)
    client = Client(raise_request_exception=False)
    client.force_login(Account.objects.get())

    def ask(right: bool) -> Any:
        form = {'old_password': PASSWORD if right else 'wrong'}
        form |= {'new_password1': 'another long one', 'new_password2': 'another long one'}
        return client.post('/admin/password_change/', form)

    return ask


def old_password() -> Ask:
    """The old password, at the API."""
    app = signed_in()

    def ask(right: bool) -> Any:
        old = PASSWORD if right else 'wrong'
        new = 'another long one'
        return app.post('account/password/change', {'current_password': old, 'new_password': new})

    return ask


def password_again() -> Ask:
    """The password, of somebody who is signed in."""
    app = signed_in()
    return lambda right: app.post(
        'auth/reauthenticate', {'password': PASSWORD if right else 'wrong'}
    )


def code_at_sign_in() -> Ask:
    """A code of the app, after the password; each time in a sign-in of its own."""
    secret = with_factor()
    return lambda right: asked_for_code().post(
        'auth/2fa/authenticate', {'code': _next(secret) if right else '000000'}
    )


def code_with_the_password() -> Ask:
    """A code of the app, beside the password."""
    secret = with_factor()

    def ask(right: bool) -> Any:
        given = {'email': ANN, 'password': PASSWORD}
        return App().post('auth/login', {**given, 'totp': _next(secret) if right else '000000'})

    return ask


def code_again() -> Ask:
    """A code of the app, of somebody who is signed in."""
    app = signed_in()
    secret = str(app.call('GET', 'app/v1/account/authenticators/totp').json()['meta']['secret'])
    app.post('account/authenticators/totp', {'code': code_of(secret)})
    return lambda right: app.post(
        'auth/2fa/reauthenticate', {'code': _next(secret) if right else '000000'}
    )


def _next(secret: str) -> str:
    """A code that the app shows in a moment, which already counts."""
    return code_of(secret, later=1)


def code_of_the_admin() -> Ask:
    """A code of the app, at the admin."""
    secret = with_factor()
    Account.objects.update(is_staff=True, is_superuser=True)
    client = Client(raise_request_exception=False)

    def ask(right: bool) -> Any:
        form = {'username': ANN, 'password': PASSWORD, 'code': _next(secret) if right else '000000'}
        return client.post('/admin/login/?next=/admin/', form)

    return ask


def mailed_code_of_a_sign_up() -> Ask:
    """The code that verifies a new address."""
    app = App()
    app.post('auth/signup', {'email': 'new@example.com', 'password': PASSWORD})
    code = code_of_the_last_mail()
    return lambda right: app.post('auth/email/verify', {'key': code if right else 'AAAA-AAAA'})


def mailed_code_of_a_reset() -> Ask:
    """The code for a new password."""
    app = App()
    app.post('auth/password/request', {'email': ANN})
    code = code_of_the_last_mail()
    return lambda right: app.post(
        'auth/password/reset',
        {'key': code if right else 'AAAA-AAAA', 'password': 'another long one'},
    )


def api_key() -> Ask:
    """An API key."""
    _, shown = create_key(Account.objects.get(), 'x')
    return lambda right: get_me(**{'X-Api-Key': shown if right else f'{shown}x'})


def access_token() -> Ask:
    """An access token."""
    token = App().sign_in()['access_token']
    return lambda right: get_me(**bearer(token if right else f'{token}x'))


def refresh_token() -> Ask:
    """A refresh token."""
    token = App().sign_in()['refresh_token']
    wrong = f'crt_{"x" * 65}'
    return lambda right: App().post('tokens/refresh', {'refresh_token': token if right else wrong})


def undo_of_an_address() -> Ask:
    """The text that undoes a change of address."""
    return lambda right: Client().post(
        '/auth/email/undo', {'undo': f'ceu_{"xy"[right] * 43}'}, content_type='application/json'
    )


#: Each place, how many wrong ones are looked at there, and whether the right one then lets in.
PLACES: dict[Callable[[], Ask], tuple[int, bool]] = {
    sign_in: (5, False),
    basic_authentication: (5, False),
    sign_in_to_the_admin: (5, False),
    old_password_of_the_admin: (5, False),
    old_password: (5, False),
    password_again: (5, False),
    code_at_sign_in: (5, False),
    code_with_the_password: (5, False),
    code_again: (5, False),
    code_of_the_admin: (5, False),
    mailed_code_of_a_sign_up: (3, False),
    mailed_code_of_a_reset: (3, False),
    api_key: (100, True),
    access_token: (300, True),
    refresh_token: (60, False),
    undo_of_an_address: (20, False),
}
#: Where the answer stays that to a wrong code: another would tell that the password is right.
SILENT = {code_with_the_password, code_of_the_admin}


@pytest.mark.parametrize('place', half_of(PLACES), ids=lambda place: place.__name__)
@pytest.mark.usefixtures('ann')
def test_every_place_that_takes_a_secret_has_its_limit(place: Any) -> None:
    most, lets_in = PLACES[place]
    ask = place()

    answers = []
    for _ in range(most + 3):
        another_process()
        answers.append(ask(False))
    another_process()
    last = ask(True)

    assert not [answer for answer in answers if answer.status_code >= 500]
    assert not [answer for answer in answers if lets(answer)]
    told = place not in SILENT
    assert [refused(answer) for answer in answers] == [*[False] * most, *[told] * 3]
    assert lets(last) == lets_in


def refused(answer: Any) -> bool:
    """Whether the secret was not looked at."""
    if b'too_many_login_attempts' in answer.content or answer.status_code in (409, 429):
        return True
    return answer.status_code == 401 and b'login-throttled' in answer.content


def lets(answer: Any) -> bool:
    """Whether the secret was taken."""
    return answer.status_code in (200, 204, 302) and b'errornote' not in answer.content


@pytest.mark.usefixtures('ann')
def test_a_code_lets_in_once_in_eight_sign_ins_of_eight_processes() -> None:
    secret = with_factor()
    apps = [asked_for_code() for _ in range(8)]
    code = _next(secret)

    statuses = []
    for app in apps:
        another_process()
        statuses.append(app.post('auth/2fa/authenticate', {'code': code}).status_code)

    assert statuses.count(200) == 1


@pytest.mark.usefixtures('ann')
def test_a_used_code_lets_in_no_more_however_long_it_counts() -> None:
    secret = with_factor()
    code, older = _next(secret), code_of(secret)
    assert asked_for_code().post('auth/2fa/authenticate', {'code': code}).status_code == 200

    for used in (code, older):
        another_process()
        assert asked_for_code().post('auth/2fa/authenticate', {'code': used}).status_code != 200


@pytest.mark.skipif(connection.vendor != 'postgresql', reason='SQLite has one writer')
@pytest.mark.django_db(transaction=True)
def test_eight_at_the_same_moment_spend_a_code_once() -> None:
    from allauth.mfa.models import Authenticator
    from allauth.mfa.utils import encrypt

    secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
    account = account_with_password(ANN)
    Authenticator.objects.create(user=account, type='totp', data={'secret': encrypt(secret)})
    code, taken = code_of(secret), []

    def ask() -> None:
        factor = Authenticator.objects.get().wrap()
        taken.append(factor.validate_code(code))
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == [False] * 7 + [True]


def test_a_service_declares_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('backstay.identity.limits.LIMITS', LIMITS.copy())
    limit = Limit(name='order-token', counts='tokens of an order', amount=2, seconds=60)
    for _ in range(2):
        with guarded(limit, 'order 7'):
            pass

    with pytest.raises(SignInThrottled), guarded(limit, 'order 7'):
        pass
    with guarded(limit, 'order 8') as attempt:
        attempt.succeeded = True
    with pytest.raises(ValueError, match='already'):
        Limit(name='password', counts='again', amount=2, seconds=60)


def test_the_reference_has_the_table(root: Path) -> None:
    text = (root / 'docs' / 'reference' / 'identity.md').read_text()
    found = re.findall(r'^\| (.+) \| (\d+ in .+) \| (.+) \|$', text, re.MULTILINE)

    assert found == [(each.counts, rate_of(each), each.beyond) for each in LIMITS.values()]


def rate_of(limit: Limit) -> str:
    """The rate as the reference says it."""
    words = {60: 'a minute', 3600: 'an hour'}
    long = f'{limit.seconds // 60} min' if limit.seconds >= 60 else f'{limit.seconds} s'
    return f'{limit.amount} in {words.get(limit.seconds, long)}'
