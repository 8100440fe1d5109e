"""How long sessions may be idle and last: by kind of account, by way of signing in."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings as site_settings
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backstay.audit import SecurityEvent
from backstay.identity.models import Account, TokenPair
from backstay.identity.recent import _SIGNED_IN_AT
from backstay.identity.session_limits import SeenSessions, seen_sessions
from backstay.identity.session_store import SessionStore, StoredKey
from backstay.settings.spans import span_for
from tests.identity.signing_in import PASSWORD, App, account_with_password, bearer, get_me
from tests.proofs import half_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NAME = 'ann@example.com'
#: Kinds of accounts, each with what it may be idle and what it may last.
KINDS: dict[str, tuple[dict[str, Any], timedelta, timedelta]] = {
    **{f'level {n}': ({'level': n}, 14 * DAY, 90 * DAY) for n in (1, 2, 3)},
    **{f'level {n}': ({'level': n}, 30 * MINUTE, 12 * HOUR) for n in (4, 5)},
    **{
        f'staff of {n}': ({'level': n, 'is_staff': True}, 30 * MINUTE, 12 * HOUR)
        for n in range(1, 6)
    },
    'superuser': ({'is_superuser': True}, 30 * MINUTE, 12 * HOUR),
}


def age(idle: timedelta = timedelta(), lasting: timedelta = timedelta()) -> None:
    """Let the sessions have been idle and have lasted for so much longer."""
    lasting = max(idle, lasting)
    for row in UserSession.objects.all():
        session = SessionStore(StoredKey(row.session_key))
        if not session.keys():
            continue
        session[_SIGNED_IN_AT] -= lasting.total_seconds()
        session.save()
    UserSession.objects.update(
        last_seen_at=F('last_seen_at') - idle, created_at=F('created_at') - lasting
    )
    TokenPair.objects.update(
        started_at=F('started_at') - lasting, consumed_at=F('consumed_at') - idle
    )
    seen_sessions.clear()


class Browser:
    """A session with a cookie."""

    def __init__(self) -> None:
        self.client = Client()
        given = {'email': NAME, 'password': PASSWORD}
        path = '/auth/browser/v1/auth/login'
        assert self.client.post(path, given, content_type='application/json').status_code == 200

    def use(self) -> Any:
        """Ask who one is."""
        return self.client.get('/auth/me')


class Admin(Browser):
    """A session of the admin."""

    def __init__(self) -> None:
        self.client = Client()
        given = {'username': NAME, 'password': PASSWORD}
        assert self.client.post('/admin/login/?next=/admin/', given).status_code == 302

    def use(self) -> Any:
        """Open the first page."""
        return self.client.get('/admin/')


class SessionToken:
    """A session of an app, which shows its key."""

    def __init__(self) -> None:
        self.app = App()
        self.tokens = self.app.sign_in(NAME)

    def use(self) -> Any:
        """Ask for the session."""
        return self.app.call('GET', 'app/v1/auth/session')


class Refreshed(SessionToken):
    """A session of an app, which gets new tokens."""

    def use(self) -> Any:
        """Refresh them."""
        answer = App().post('tokens/refresh', {'refresh_token': self.tokens['refresh_token']})
        if answer.status_code == 200:
            self.tokens = answer.json()['data']
        return answer


class Bearer(SessionToken):
    """A session of an app, which shows its access token."""

    def use(self) -> Any:
        """Ask who one is."""
        return get_me(**bearer(self.tokens['access_token']))


#: Each way with the status of its answer when the session has ended.
WAYS: dict[type[Any], int] = {
    Browser: 401,
    Admin: 302,
    SessionToken: 410,
    Refreshed: 401,
    Bearer: 401,
}


def cells() -> list[Any]:
    """Every kind of account with every way that it has, and what passes."""
    return [
        pytest.param(kind, way, passed, id=f'{kind}-{way.__name__}-{passed}')
        for passed, kind, way in product(('idle', 'life'), KINDS, WAYS)
        if way is not Admin or KINDS[kind][0].get('is_staff')
    ]


@pytest.mark.parametrize(('kind', 'way', 'passed'), half_of(cells()))
def test_end_what_is_idle_or_old(kind: str, way: type[Any], passed: str) -> None:
    fields, idle, life = KINDS[kind]
    account_with_password(NAME, **fields)
    limit = idle if passed == 'idle' else life

    def let_pass(span: timedelta) -> None:
        age(**{'idle' if passed == 'idle' else 'lasting': span})
        if passed == 'life':
            TokenPair.objects.update(consumed_at=timezone.now())

    session = way()
    let_pass(limit - 2 * MINUTE)
    assert session.use().status_code == 200
    let_pass(limit if passed == 'idle' else 2 * MINUTE)
    answer = session.use()

    assert answer.status_code == WAYS[way]
    if way in (Refreshed, Bearer):
        assert answer.json()['code'] == 'session-revoked'
    if way is Admin:
        assert answer['Location'].startswith('/admin/login/')
    (line,) = SecurityEvent.objects.filter(action='session-expire')
    assert (line.actor, line.detail) == ('command:backstay', {'why': passed})
    assert not UserSession.objects.exists()
    assert session.use().status_code in (401, 302, 410)  # and it stays so


def test_hold_for_views_that_await_their_user() -> None:
    account_with_password(NAME)
    browser = Browser()
    assert browser.client.get('/awaited').json() == {'name': NAME}
    age(idle=14 * DAY)

    assert browser.client.get('/awaited').json() == {'name': ''}
    assert not UserSession.objects.exists()


@pytest.mark.parametrize('way', [Browser, SessionToken, Bearer])
def test_count_from_the_next_request_after_a_promotion(way: type[Any]) -> None:
    ann = account_with_password(NAME)
    session = way()
    age(idle=HOUR)
    Account.objects.filter(pk=ann.pk).update(level=4)

    assert session.use().status_code == WAYS[way]


def test_a_use_costs_no_statement_within_the_step() -> None:
    account_with_password(NAME)
    browser = Browser()
    with CaptureQueriesContext(connection) as usual:
        browser.use()
    assert len(usual) == 2
    age(idle=6 * MINUTE)
    with CaptureQueriesContext(connection) as first:
        browser.use()
    assert len(first) == 4
    with CaptureQueriesContext(connection) as second:
        browser.use()
    assert len(second) == 2


@pytest.mark.parametrize('way', [Browser, SessionToken, Refreshed])
def test_a_use_is_told_in_the_list_of_sessions(way: type[Any]) -> None:
    account_with_password(NAME)
    session = way()
    age(idle=DAY)
    session.use()

    listed = Client().get('/auth/sessions/', headers=bearer(App().sign_in(NAME)['access_token']))

    for row in listed.json():
        used_at = datetime.fromisoformat(row['used_at'])
        assert timezone.now() - used_at < MINUTE


def test_what_is_over_is_not_in_the_list_of_sessions() -> None:
    account_with_password(NAME)
    Browser()
    age(idle=15 * DAY)

    listed = Client().get('/auth/sessions/', headers=bearer(App().sign_in(NAME)['access_token']))

    assert [row['is_current'] for row in listed.json()] == [True]


def test_a_new_password_in_the_admin_keeps_the_session_and_its_start() -> None:
    account_with_password(NAME, is_staff=True)
    admin = Admin()
    form = {'old_password': PASSWORD, 'new_password1': 'another horse battery'}
    form['new_password2'] = form['new_password1']
    assert admin.client.post('/admin/password_change/', form).status_code == 302

    assert admin.use().status_code == 200
    age(idle=25 * MINUTE)
    assert admin.use().status_code == 200
    age(idle=25 * MINUTE)
    assert admin.use().status_code == 200
    age(lasting=12 * HOUR)
    assert admin.use().status_code == 302


def test_the_cookie_lasts_as_long_as_any_session() -> None:
    account_with_password(NAME)
    cookie = Browser().client.cookies[site_settings.SESSION_COOKIE_NAME]

    assert cookie['max-age'] == 90 * 86400


def test_what_is_remembered_is_bounded() -> None:
    seen, now = SeenSessions(), timezone.now()
    for number in range(SeenSessions.capacity + 5):
        seen.remember(str(number), now)

    assert not seen.knows('4', now - MINUTE)
    assert seen.knows('5', now - MINUTE)
    assert not seen.knows('5', now)


@pytest.mark.parametrize(
    ('text', 'level', 'is_staff', 'expected'),
    [
        ('14d', 5, True, 14 * DAY),
        ('14d,staff=30m', 5, False, 14 * DAY),
        ('14d,staff=30m', 1, True, 30 * MINUTE),
        ('14d,3=2h, 4=30m', 3, False, 2 * HOUR),
        ('14d,3=2h,4=30m', 5, False, 30 * MINUTE),
        ('1h,4=2h', 5, False, HOUR),
    ],
)
def test_the_shortest_span_counts(
    text: str, level: int, is_staff: bool, expected: timedelta
) -> None:
    assert span_for(text, level=level, is_staff=is_staff) == expected


@pytest.mark.parametrize(('groups', 'status'), [(0, 200), (1, 401)])
def test_a_level_over_one_thing_counts(settings: Any, groups: int, status: int) -> None:
    ann = account_with_password(NAME)
    for number in range(groups):  # in which `tests.identity.site` gives level 2
        ann.groups.create(name=str(number))
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'session_idle': '14d,2=20m'})
    browser = Browser()
    age(idle=21 * MINUTE)

    assert browser.use().status_code == status
