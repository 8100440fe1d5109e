"""The sessions of an account: where it is signed in, and how it ends that."""

from typing import Any

import pytest
from django.test import Client

from backstay.audit import SecurityEvent
from backstay.identity.models import Account
from tests.identity.signing_in import PASSWORD, App, account_with_password, basic, bearer

pytestmark = [pytest.mark.django_db, pytest.mark.urls('tests.audit.site')]

ANN, BOB = 'ann@example.com', 'bob@example.com'
SESSIONS = '/auth/sessions/'


@pytest.fixture
def ann() -> Account:
    """Somebody with a password."""
    return account_with_password(ANN)


def signed_in(email: str, address: str = '192.0.2.1') -> dict[str, str]:
    """The header of a token of a new session."""
    return bearer(App(address).sign_in(email)['access_token'])


def browser() -> Client:
    """A browser that is signed in."""
    client = Client(REMOTE_ADDR='192.0.2.8', headers={'User-Agent': 'Browser/2'})
    given = {'email': ANN, 'password': PASSWORD}
    answer = client.post('/auth/browser/v1/auth/login', given, content_type='application/json')
    assert answer.status_code == 200
    return client


def listed(headers: dict[str, str]) -> list[dict[str, Any]]:
    """The sessions that the bearer sees."""
    answer = Client().get(SESSIONS, headers=headers)
    assert answer.status_code == 200, answer.content
    return list(answer.json())


def test_lists_its_own_alone(ann: Account) -> None:
    account_with_password(BOB)
    signed_in(BOB)
    browser()
    token = signed_in(ANN)
    app, web = listed(token)
    assert (app['kind'], app['is_current'], app['address']) == ('app', True, '192.0.2.1')
    assert (web['kind'], web['is_current'], web['agent']) == ('browser', False, 'Browser/2')
    assert set(app) == {'id', 'kind', 'address', 'agent', 'started_at', 'used_at', 'is_current'}


def test_ends_one_of_its_own(ann: Account) -> None:
    account_with_password(BOB)
    bobs = signed_in(BOB)
    token, other = signed_in(ANN), signed_in(ANN)
    (bobs_session,) = listed(bobs)
    assert Client().delete(f'{SESSIONS}{bobs_session["id"]}/', headers=token).status_code == 404
    first, second = listed(token)
    gone = second if first['is_current'] else first
    assert Client().delete(f'{SESSIONS}{gone["id"]}/', headers=token).status_code == 204
    assert Client().get('/auth/me', headers=other).json()['code'] == 'session-revoked'
    assert len(listed(token)) == 1
    assert len(listed(bobs)) == 1
    (line,) = SecurityEvent.objects.filter(action='session-end')
    assert (line.account_id, line.actor) == (ann.pk, f'account:{ann.pk}')


@pytest.mark.parametrize(('verb', 'left'), [('end-others', 1), ('end-all', 0)])
def test_ends_many(ann: Account, verb: str, left: int) -> None:
    web, token = browser(), signed_in(ANN)
    signed_in(ANN)
    assert Client().post(f'{SESSIONS}{verb}/', headers=token).status_code == 204
    assert web.get('/auth/me').status_code == 401
    assert SecurityEvent.objects.filter(action='session-end').count() == 3 - left
    if left:
        (kept,) = listed(token)
        assert kept['is_current']
    else:
        assert Client().get(SESSIONS, headers=token).status_code == 401


def test_is_for_accounts(ann: Account) -> None:
    assert Client().get(SESSIONS).status_code == 401
    assert listed(basic(ANN)) == []
    token = signed_in(ANN)
    key = (
        Client()
        .post('/auth/keys/', {'name': 'k'}, content_type='application/json', headers=token)
        .json()['key']
    )
    assert Client().get(SESSIONS, headers=bearer(key)).status_code == 403


def test_a_session_that_has_ended_is_not_there(ann: Account) -> None:
    web, token = browser(), signed_in(ANN)
    assert len(listed(token)) == 2
    web.delete('/auth/browser/v1/auth/session')
    assert len(listed(token)) == 1


@pytest.mark.parametrize('path', [SESSIONS, '/auth/me/data'])
def test_answers_are_not_kept(ann: Account, path: str) -> None:
    answer = Client().get(path, headers=signed_in(ANN))
    assert answer.headers['Cache-Control'] == 'private, no-store'
