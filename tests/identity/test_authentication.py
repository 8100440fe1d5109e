"""Who is let in by which header, what the others are told, and what it costs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from backstay.identity.keys import create_key, revoke_key
from backstay.identity.models import Account, AccountStatus, ApiKey, TokenPair
from backstay.identity.passwords import verified_passwords
from tests.identity.signing_in import PASSWORD, App, account_with_password, basic, bearer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]

NAMES = ['token', 'key', 'key-header', 'key-by-basic', 'basic', 'session']


@pytest.fixture
def presented(ann: Account) -> Callable[[str], tuple[Client, dict[str, str]]]:
    """A client and the headers with which Ann, or her key, is let in."""

    def present(by: str) -> tuple[Client, dict[str, str]]:
        client = Client()
        match by:
            case 'token':
                return client, bearer(App().sign_in()['access_token'])
            case 'key':
                return client, bearer(create_key(ann, 'ci')[1])
            case 'key-header':
                return client, {'X-Api-Key': create_key(ann, 'ci')[1]}
            case 'key-by-basic':
                return client, basic('any name', create_key(ann, 'ci')[1])
            case 'basic':
                return client, basic('ann@example.com')
        client.force_login(ann)
        return client, {}

    return present


def ask(path: str = '/closed', **headers: str) -> Any:
    """The answer of a view."""
    return Client(raise_request_exception=False).get(path, headers=headers)


def problem(answer: Any) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, answer.json()['code']


@pytest.mark.parametrize('by', NAMES)
class TestEveryWay:
    @pytest.mark.parametrize('path', ['/open', '/closed'])
    def test_works_on_any_view(self, presented: Any, by: str, path: str) -> None:
        client, headers = presented(by)

        answer = client.get(path, headers=headers)

        assert answer.status_code == 200
        assert answer.json()['kind'] == ('key' if by.startswith('key') else 'account')

    def test_costs_one_statement_with_what_is_held(
        self, presented: Any, by: str, ann: Account, django_assert_num_queries: Any
    ) -> None:
        ann.groups.add(Group.objects.create(name='one'), Group.objects.create(name='two'))
        client, headers = presented(by)
        client.get('/closed', headers=headers)  # the first use of a token or key is written down

        # A session is one statement more: Django's own row.
        with django_assert_num_queries(2 if by == 'session' else 1):
            client.get('/closed', headers=headers)

    def test_ends_when_the_account_is_blocked(self, presented: Any, by: str, ann: Account) -> None:
        client, headers = presented(by)
        assert client.get('/closed', headers=headers).status_code == 200
        Account.objects.filter(pk=ann.pk).update(status=AccountStatus.BLOCKED)

        answer = client.get('/closed', headers=headers)

        assert problem(answer) == {
            'token': (403, 'account-blocked'),
            'basic': (403, 'account-blocked'),
            'session': (401, 'token-missing'),
        }.get(by, (401, 'token-invalid'))

    def test_ends_when_the_password_changes(self, presented: Any, by: str, ann: Account) -> None:
        client, headers = presented(by)
        assert client.get('/closed', headers=headers).status_code == 200
        ann.set_password('another horse battery')
        ann.save()

        answer = client.get('/closed', headers=headers)

        if by.startswith('key'):
            assert answer.status_code == 200  # a key has no password
        else:
            assert answer.status_code == 401


class TestNobody:
    def test_is_a_guest_where_guests_are_welcome(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            answer = ask('/open')

        assert answer.json() == {'kind': 'guest', 'name': 'guest', 'key': 'guest:guest'}

    def test_is_challenged_elsewhere(self) -> None:
        answer = ask()

        assert problem(answer) == (401, 'token-missing')
        assert answer['WWW-Authenticate'] == 'Bearer realm="backstay"'

    def test_is_forbidden_where_the_view_chose_so(self) -> None:
        answer = ask('/forbidding')

        assert problem(answer) == (403, 'token-missing')
        assert 'WWW-Authenticate' not in answer

    @pytest.mark.usefixtures('ann')
    def test_is_let_in_there_by_the_second_way(self) -> None:
        assert ask('/forbidding', **basic('ann@example.com')).status_code == 200


@pytest.mark.parametrize('path', ['/open', '/closed'])
class TestWhatIsWrong:
    @pytest.mark.parametrize(
        'headers',
        [
            bearer('nonsense'),
            bearer('cat_nonsense'),
            bearer('cat_' + 'x' * 65),
            bearer('cak_nonsense'),
            bearer('cak_' + 'x' * 12 + '.' + 'y' * 43),
            bearer('cak_\x7f.\x7f'),
            bearer('crt_' + 'x' * 65),
            bearer('a.b.c'),
            bearer(''),
            {'X-Api-Key': 'nonsense'},
            {'X-Api-Key': ''},
            {'X-Api-Key': 'cak_' + 'é' * 20},
        ],
        ids=str,
    )
    def test_is_no_guest(self, path: str, headers: dict[str, str]) -> None:
        answer = ask(path, **headers)

        assert problem(answer) == (401, 'token-invalid')
        assert answer['WWW-Authenticate'].startswith('Bearer')

    @pytest.mark.usefixtures('ann')
    @pytest.mark.parametrize(
        'headers',
        [
            basic('ann@example.com', 'wrong'),
            basic('nobody@example.com', PASSWORD),
            basic('ann@example.com', ''),
            basic('', PASSWORD),
            basic('ann\x00@example.com', PASSWORD),
            {'Authorization': 'Basic not-base64'},
            {'Authorization': 'Basic /w=='},
            {'Authorization': 'Basic'},
        ],
        ids=str,
    )
    def test_of_basic_is_not_told_apart(self, path: str, headers: dict[str, str]) -> None:
        answer = ask(path, **headers)

        assert problem(answer) == (401, 'credentials-invalid')

    @pytest.mark.parametrize(
        'given',
        [
            'Negotiate abc',
            'Token abc',
            'Bearer',
            'Bearer x\xe9',
            'Bearer\xa0cat_x',
            'Basic \xe9',
            '\xe9',
            'B\xe9arer x',
            'Bearer x, Bearer y',
        ],
    )
    def test_is_never_ignored(self, path: str, given: str) -> None:
        answer = ask(path, Authorization=given)

        assert answer.status_code == 401
        assert answer['WWW-Authenticate']
        assert problem(answer)[1] in ('credentials-invalid', 'token-invalid')

    def test_that_is_empty_is_none(self, path: str) -> None:
        assert ask(path, Authorization=' ').status_code == (200 if path == '/open' else 401)


class TestBasic:
    def test_takes_the_address_of_somebody_with_another_name(self) -> None:
        account_with_password('bot', email='bot@example.com')

        assert ask(**basic('bot@example.com')).status_code == 200
        assert ask(**basic('BOT')).status_code == 200

    @pytest.mark.usefixtures('ann')
    def test_hashes_once_a_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        checked: list[str] = []
        check = Account.has_password

        def counting(account: Account, password: str) -> bool:
            checked.append(password)
            return check(account, password)

        monkeypatch.setattr(Account, 'has_password', counting)
        for _ in range(3):
            assert ask(**basic('ann@example.com')).status_code == 200
        assert len(checked) == 1
        monkeypatch.setattr(verified_passwords, 'seconds', 0)
        verified_passwords.clear()
        for _ in range(2):
            assert ask(**basic('ann@example.com')).status_code == 200
        assert len(checked) == 3

    def test_does_not_take_a_wrong_password_for_the_remembered_one(self, ann: Account) -> None:
        assert ask(**basic(ann.username)).status_code == 200
        assert ask(**basic(ann.username, PASSWORD + 'x')).status_code == 401

    def test_keeps_no_password_in_memory(self, ann: Account) -> None:
        ask(**basic(ann.username))

        assert PASSWORD not in repr(vars(verified_passwords))
        assert ann.password not in repr(vars(verified_passwords))

    def test_remembers_only_so_many(self, ann: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(verified_passwords, 'capacity', 2)
        for number in range(5):
            verified_passwords.remember(ann, str(number))

        assert [verified_passwords.knows(ann, str(n)) for n in range(5)] == [False] * 3 + [True] * 2

    def test_is_not_enough_where_there_is_a_second_factor(self, ann: Account) -> None:
        from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

        TOTP.activate(ann, generate_totp_secret())

        assert problem(ask(**basic(ann.username))) == (401, 'totp-required')
        assert problem(ask(**basic(ann.username, 'wrong'))) == (401, 'credentials-invalid')

    def test_waits_for_the_address_to_be_verified(self, ann: Account) -> None:
        ann.emailaddress_set.update(verified=False)  # type: ignore[attr-defined]

        assert problem(ask(**basic(ann.username))) == (403, 'email-unverified')
        assert problem(ask(**basic(ann.username, 'wrong'))) == (401, 'credentials-invalid')

    def test_is_throttled_like_every_sign_in(self, ann: Account) -> None:
        for _ in range(5):
            assert problem(ask(**basic(ann.username, 'wrong'))) == (401, 'credentials-invalid')

        answer = ask(**basic(ann.username))

        assert problem(answer) == (429, 'login-throttled')
        assert 0 < int(answer['Retry-After']) <= 900


class TestKeys:
    def test_that_are_revoked_open_nothing(self, ann: Account) -> None:
        key, shown = create_key(ann, 'ci')
        revoke_key(key)

        assert problem(ask(**bearer(shown))) == (401, 'token-invalid')

    def test_that_have_expired_say_so(self, ann: Account) -> None:
        key, shown = create_key(ann, 'ci')
        ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        assert problem(ask(**bearer(shown))) == (401, 'token-expired')
        assert problem(ask(**bearer(f'cak_{key.prefix}.wrong'))) == (401, 'token-invalid')

    def test_are_used_from_their_networks_only(self, ann: Account) -> None:
        _, shown = create_key(ann, 'ci', ip_allow=['192.0.2.0/24', '2001:db8::/32'])

        def from_(address: str) -> Any:
            client = Client(REMOTE_ADDR=address)
            return client.get('/closed', headers={**bearer(shown), 'X-Forwarded-For': '192.0.2.9'})

        assert from_('192.0.2.77').status_code == 200
        assert from_('2001:db8::1').status_code == 200
        assert from_('::ffff:192.0.2.77').status_code == 200
        assert problem(from_('198.51.100.1')) == (403, 'ip-not-allowed')
        assert problem(from_('')) == (403, 'ip-not-allowed')

    def test_note_their_use_at_most_once_a_minute(
        self, ann: Account, django_assert_num_queries: Any
    ) -> None:
        key, shown = create_key(ann, 'ci')
        with django_assert_num_queries(2):
            ask(**bearer(shown))
        key.refresh_from_db()
        first = key.last_used_at
        assert first is not None
        ask(**bearer(shown))
        key.refresh_from_db()
        assert key.last_used_at == first
        ApiKey.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
        ask(**bearer(shown))
        key.refresh_from_db()

        assert key.last_used_at is not None
        assert key.last_used_at > first


class TestTokens:
    @pytest.mark.usefixtures('ann')
    def test_expire(self) -> None:
        token = App().sign_in()['access_token']
        TokenPair.objects.update(access_expires_at=timezone.now())

        assert problem(ask(**bearer(token))) == (401, 'token-expired')

    @pytest.mark.usefixtures('ann')
    def test_end_with_their_session(self) -> None:
        token = App().sign_in()['access_token']
        Session.objects.all().delete()

        assert problem(ask(**bearer(token))) == (401, 'session-revoked')

    @pytest.mark.usefixtures('ann')
    def test_are_not_interchangeable(self) -> None:
        tokens = App().sign_in()

        assert problem(ask(**bearer(tokens['refresh_token']))) == (401, 'token-invalid')
        disguised = 'cat_' + tokens['refresh_token'][4:]
        assert problem(ask(**bearer(disguised))) == (401, 'token-invalid')


class TestSessions:
    def test_write_only_with_the_csrf_token(self, ann: Account) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(ann)

        answer = client.post('/closed')

        assert problem(answer) == (403, 'csrf-failed')

    def test_of_two_browsers_both_go_on(self, ann: Account) -> None:
        browsers = Client(), Client()
        for browser in browsers:
            body = {'email': ann.email, 'password': PASSWORD}
            answer = browser.post(
                '/auth/browser/v1/auth/login', body, content_type='application/json'
            )
            assert answer.status_code == 200

        assert [browser.get('/closed').status_code for browser in browsers] == [200, 200]
