"""Access and refresh tokens: rotated, and ended when one is used twice."""

import logging
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from backstay.identity.models import Account, TokenPair
from backstay.identity.tokens import dead_pairs
from tests.identity.signing_in import PASSWORD, App, account_with_password, bearer, get_me

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site', 'ann')]


def refresh(token: str, address: str = '192.0.2.1') -> Any:
    """The answer to a refresh."""
    return App(address).post('tokens/refresh', {'refresh_token': token})


def renewed(token: str) -> dict[str, str]:
    """The new pair."""
    answer = refresh(token)
    assert answer.status_code == 200, answer.content
    return dict(answer.json()['data'])


def is_live(token: str) -> bool:
    """Whether an access token opens anything."""
    return bool(get_me(**bearer(token)).status_code == 200)


def code(answer: Any) -> tuple[int, str]:
    """Status and code of a problem."""
    return answer.status_code, answer.json()['code']


class TestAPair:
    def test_is_given_at_sign_in(self) -> None:
        meta = App().sign_in()

        assert meta['access_token'].startswith('cat_')
        assert meta['refresh_token'].startswith('crt_')
        assert (meta['access_expires_in'], meta['refresh_expires_in']) == (900, 14 * 86400)
        assert is_live(meta['access_token'])

    def test_is_not_given_to_browsers(self) -> None:
        answer = Client().post(
            '/auth/browser/v1/auth/login',
            {'email': 'ann@example.com', 'password': PASSWORD},
            content_type='application/json',
        )

        assert answer.json()['meta'] == {'is_authenticated': True}
        assert not TokenPair.objects.exists()

    def test_is_stored_as_hashes(self) -> None:
        meta = App().sign_in()
        pair = TokenPair.objects.get()
        stored = repr(vars(pair))

        for name in ('access_token', 'refresh_token'):
            assert meta[name] not in stored
            assert meta[name][4 + len(pair.selector) :] not in stored

    def test_signs_in_to_the_sign_in_api_itself(self) -> None:
        token = App().sign_in()['access_token']

        answer = App().call('GET', 'app/v1/auth/session', **bearer(token))

        assert answer.status_code == 200
        assert answer.json()['data']['user']['email'] == 'ann@example.com'

    def test_that_is_wrong_is_refused_there_too(self) -> None:
        answer = App().call('GET', 'app/v1/auth/session', **bearer('cat_wrong'))

        assert code(answer) == (401, 'token-invalid')
        assert answer['WWW-Authenticate'] == 'Bearer realm="backstay"'

    def test_stays_when_its_own_session_changes_the_password(self) -> None:
        here, there = App(), App()
        token, other = here.sign_in()['access_token'], there.sign_in()['access_token']
        body = {'current_password': PASSWORD, 'new_password': 'another horse battery'}

        answer = App().post('account/password/change', body, **bearer(token))

        assert answer.status_code == 200
        assert is_live(token)
        assert code(get_me(**bearer(other))) == (401, 'session-revoked')


class TestRefreshing:
    def test_replaces_both_tokens(self) -> None:
        old = App().sign_in()
        new = renewed(old['refresh_token'])

        assert is_live(new['access_token'])
        assert not is_live(old['access_token'])
        assert new['refresh_token'] != old['refresh_token']
        assert is_live(renewed(new['refresh_token'])['access_token'])

    def test_twice_ends_the_session_once_the_successor_is_used(self, caplog: Any) -> None:
        """T006."""
        first = App().sign_in()
        second = renewed(first['refresh_token'])
        third = renewed(second['refresh_token'])

        with caplog.at_level(logging.WARNING, 'backstay.audit'):
            answer = refresh(first['refresh_token'])

        assert code(answer) == (401, 'session-revoked')
        assert not is_live(third['access_token'])
        assert code(refresh(third['refresh_token'])) == (401, 'session-revoked')
        assert 'refresh-reuse' in caplog.text

    def test_twice_ends_the_session_once_the_access_token_is_used(self) -> None:
        first = App().sign_in()
        second = renewed(first['refresh_token'])
        assert is_live(second['access_token'])

        assert code(refresh(first['refresh_token'])) == (401, 'session-revoked')
        assert not is_live(second['access_token'])

    def test_may_be_repeated_when_the_answer_was_lost(self) -> None:
        """T007."""
        first = App().sign_in()
        lost = renewed(first['refresh_token'])
        TokenPair.objects.update(consumed_at=timezone.now() - timedelta(seconds=10))

        second = renewed(first['refresh_token'])

        assert is_live(second['access_token'])
        assert not is_live(lost['access_token'])
        assert code(refresh(lost['refresh_token'])) == (401, 'session-revoked')

    def test_may_not_be_repeated_later(self) -> None:
        first = App().sign_in()
        renewed(first['refresh_token'])
        TokenPair.objects.update(consumed_at=timezone.now() - timedelta(seconds=31))

        assert code(refresh(first['refresh_token'])) == (401, 'session-revoked')

    def test_ends_after_fourteen_days_without_use(self) -> None:
        token = App().sign_in()['refresh_token']
        TokenPair.objects.update(refresh_expires_at=timezone.now())

        assert code(refresh(token)) == (401, 'token-expired')

    def test_ends_after_ninety_days_in_all(self) -> None:
        token = App().sign_in()['refresh_token']
        started_at = timezone.now() - timedelta(days=89)
        TokenPair.objects.update(started_at=started_at, consumed_at=timezone.now())

        new = renewed(token)

        pair = TokenPair.objects.get()
        left = pair.refresh_expires_at - timezone.now()
        assert timedelta(hours=23) < left <= timedelta(days=1)
        assert is_live(new['access_token'])

    @pytest.mark.parametrize(
        'token',
        ['', 'x', 'crt_', 'crt_' + 'x' * 65, 'crt_\x00' + 'x' * 64, 'crt_é' + 'x' * 64, 'cat_x'],
    )
    def test_refuses_what_is_no_refresh_token(self, token: str) -> None:
        answer = refresh(token)

        assert answer.status_code in (400, 401)

    def test_does_not_take_the_access_token(self) -> None:
        meta = App().sign_in()
        disguised = 'crt_' + meta['access_token'][4:]

        assert code(refresh(meta['access_token'])) == (401, 'token-invalid')
        assert refresh(disguised).status_code == 401

    def test_is_refused_after_the_password_has_changed(self, ann: Account) -> None:
        token = App().sign_in()['refresh_token']
        ann.set_password('another horse battery')
        ann.save()

        assert code(refresh(token)) == (401, 'session-revoked')

    def test_with_wrong_tokens_is_counted(self) -> None:
        for _ in range(60):
            assert refresh('crt_' + 'x' * 65).status_code == 401

        assert code(refresh('crt_' + 'x' * 65)) == (429, 'login-throttled')
        assert refresh('crt_' + 'x' * 65, '198.51.100.7').status_code == 401


def test_pairs_that_are_dead_are_forgotten() -> None:
    App().sign_in()
    account_with_password('bob@example.com')
    App().sign_in('bob@example.com')
    bobs = TokenPair.objects.filter(account__username='bob@example.com')
    bobs.update(refresh_expires_at=timezone.now() - timedelta(seconds=1))

    assert dead_pairs().delete()[0] == 1
    assert TokenPair.objects.count() == 1


@pytest.mark.skipif(connection.vendor != 'postgresql', reason='SQLite has one writer')
@pytest.mark.django_db(transaction=True)
def test_ten_refreshes_at_once_leave_one_live_pair() -> None:
    """T008."""
    token = App().sign_in()['refresh_token']
    barrier = threading.Barrier(10)
    answers: list[Any] = []

    def ask() -> None:
        barrier.wait()
        try:
            answers.append(refresh(token))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    pairs = [answer.json()['data'] for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} == {200}
    live = [pair for pair in pairs if is_live(pair['access_token'])]
    assert len(live) == 1
    assert TokenPair.objects.count() == 1
