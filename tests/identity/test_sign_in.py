"""Signing up, signing in and out by allauth's headless API, as the site has set it up."""

import json
import re
import statistics
import time
from array import array
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.test import Client

from backstay.identity.models import Account, AccountStatus, Counter
from tests.identity.signing_in import PASSWORD, App, account_with_password, code_of_the_last_mail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]

NEW = {'email': 'new@example.com', 'password': PASSWORD, 'name': 'New'}


def codes(answer: Any) -> set[str]:
    """The codes of allauth's faults."""
    return {fault['code'] for fault in answer.json()['errors']}


class TestSigningUp:
    def test_asks_for_the_code_that_it_mails(self) -> None:
        app = App()

        answer = app.post('auth/signup', {**NEW, 'email': 'New@Example.com'})

        assert answer.status_code == 401
        assert {'id': 'verify_email', 'is_pending': True} in answer.json()['data']['flows']
        assert mail.outbox[-1].to == ['new@example.com']
        account = Account.objects.get()
        assert (account.username, account.email) == ('new@example.com', 'new@example.com')
        assert (account.name, account.level, account.status) == ('New', 1, 'active')

    def test_ends_signed_in(self) -> None:
        app = App()
        app.post('auth/signup', NEW)

        answer = app.post('auth/email/verify', {'key': code_of_the_last_mail()})

        assert answer.status_code == 200
        assert answer.json()['meta']['is_authenticated']
        assert {'access_token', 'refresh_token'} <= set(answer.json()['meta'])
        assert EmailAddress.objects.get().verified

    def test_takes_few_guesses_of_the_code(self) -> None:
        app = App()
        app.post('auth/signup', NEW)
        code = code_of_the_last_mail()
        wrong = [app.post('auth/email/verify', {'key': 'AAAA-AAAA'}) for _ in range(3)]

        answer = app.post('auth/email/verify', {'key': code})

        assert {each.status_code for each in wrong} == {400}
        assert answer.status_code == 409
        assert not EmailAddress.objects.get().verified

    @pytest.mark.usefixtures('ann')
    def test_does_not_tell_that_an_address_is_known(self) -> None:
        known, unknown = App(), App()

        one = known.post('auth/signup', {**NEW, 'email': 'ann@example.com'})
        mailed = mail.outbox[-1]
        two = unknown.post('auth/signup', NEW)

        assert mailed.to == ['ann@example.com']
        assert 'already' in str(mailed.body)
        assert (one.status_code, shape(one)) == (two.status_code, shape(two))
        assert set(one.headers) == set(two.headers)
        assert Account.objects.count() == 2

    @pytest.mark.usefixtures('ann')
    def test_by_somebody_faster_is_answered_like_a_known_address(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            'allauth.account.internal.flows.manage_email.email_already_exists',
            lambda email, **_: (email, False),
        )

        answer = App().post('auth/signup', {**NEW, 'email': 'ann@example.com'})

        assert answer.status_code == 401
        assert 'already' in str(mail.outbox[-1].body)
        assert Account.objects.count() == 1

    @pytest.mark.parametrize(
        'password',
        ['short', 'password1234', '1234567890', 'new@example.com', 'new@example', 'long ' * 26],
    )
    def test_refuses_weak_passwords(self, password: str) -> None:
        answer = App().post('auth/signup', {**NEW, 'password': password})

        assert answer.status_code == 400
        assert not Account.objects.exists()

    @pytest.mark.parametrize('email', ['', 'new', 'new@', 'n w@example.com', 'new@example.com\n.'])
    def test_refuses_what_is_no_address(self, email: str) -> None:
        assert App().post('auth/signup', {**NEW, 'email': email}).status_code == 400

    def test_sends_ten_mails_an_hour_to_one_address_of_the_network(self) -> None:
        for number in range(12):
            app = App('198.51.100.1')
            answer = app.post('auth/password/request', {'email': f'nobody{number}@example.com'})
            assert answer.status_code == 401

        assert len(mail.outbox) == 10

    def test_can_be_closed(self, settings: Any) -> None:
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'sign_up': False})

        assert App().post('auth/signup', NEW).status_code == 403
        assert not Account.objects.exists()

    def test_is_closed_where_no_mail_can_be_sent(self, settings: Any) -> None:
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'env': 'production'})

        assert App().post('auth/signup', NEW).status_code == 403


def shape(answer: Any) -> Any:
    """The body, without what is random."""
    return re.sub(r'"session_token": "\w+"', '', answer.content.decode())


@pytest.mark.usefixtures('ann')
class TestSigningIn:
    @pytest.mark.parametrize(
        'credentials', [{'email': 'Ann@Example.com'}, {'username': 'ann@example.com'}]
    )
    def test_works_by_address(self, credentials: dict[str, str]) -> None:
        answer = App().post('auth/login', {**credentials, 'password': PASSWORD})

        assert answer.status_code == 200

    def test_works_for_a_bot_without_an_address(self) -> None:
        account_with_password('bot')

        answer = App().post('auth/login', {'username': 'bot', 'password': PASSWORD})

        assert answer.status_code == 200

    @pytest.mark.parametrize('body', ['[', '[]', 'null', '"x"', '{"email": [1]}', '{}', ''])
    def test_refuses_what_it_cannot_read(self, body: str) -> None:
        client = Client(raise_request_exception=False)

        answer = client.post('/auth/app/v1/auth/login', body, content_type='application/json')

        assert answer.status_code == 400

    def test_of_a_blocked_account_is_told_only_after_the_right_password(self) -> None:
        Account.objects.update(status=AccountStatus.BLOCKED)

        right = App().post('auth/login', {'email': 'ann@example.com', 'password': PASSWORD})
        wrong = App().post('auth/login', {'email': 'ann@example.com', 'password': 'wrong'})

        assert (right.status_code, right.json()['code']) == (403, 'account-blocked')
        assert (wrong.status_code, codes(wrong)) == (400, {'email_password_mismatch'})

    def test_does_not_tell_whether_an_account_exists(self) -> None:
        known = App().post('auth/login', {'email': 'ann@example.com', 'password': 'wrong'})
        unknown = App().post('auth/login', {'email': 'nobody@example.com', 'password': 'wrong'})

        assert known.status_code == unknown.status_code == 400
        assert known.content == unknown.content
        assert set(known.headers) == set(unknown.headers)

    @pytest.mark.parametrize('name', ['email', 'username'])
    def test_takes_as_long_for_an_unknown_account(self, name: str) -> None:
        """T002, with fewer tries and a wider limit: the machine does other things too."""
        times: dict[str, list[float]] = {'ann@example.com': [], 'nobody@example.com': []}
        for number in range(5):
            for address, taken in times.items():
                started = time.process_time()
                App(f'192.0.2.{number}').post('auth/login', {name: address, 'password': 'wrong'})
                taken.append(time.process_time() - started)

        known, unknown = (statistics.median(taken) for taken in times.values())
        assert 0.7 < known / unknown < 1.4


@pytest.mark.usefixtures('ann')
class TestLockout:
    def fail(self, times: int, address: str = '192.0.2.1', email: str = 'ann@example.com') -> Any:
        """The last answer to so many wrong passwords."""
        for _ in range(times):
            answer = App(address).post('auth/login', {'email': email, 'password': 'wrong'})
        return answer

    def lock(self, email: str = 'ann@example.com') -> None:
        """Twenty wrong passwords from as many addresses."""
        for number in range(20):
            self.fail(1, f'192.0.2.{number}', email)

    def succeed(self, address: str) -> Any:
        """The answer to the right password."""
        return App(address).post('auth/login', {'email': 'ann@example.com', 'password': PASSWORD})

    def test_comes_at_the_sixth_attempt_from_one_address(self) -> None:
        """T003, P38."""
        assert self.fail(5).status_code == 400

        answer = self.succeed('192.0.2.1')

        assert (answer.status_code, answer.json()['code']) == (429, 'login-throttled')
        assert 0 < int(answer['Retry-After']) <= 900
        assert self.succeed('192.0.2.2').status_code == 200

    def test_asks_for_a_pause_that_doubles_to_a_quarter_of_an_hour(self) -> None:
        self.fail(5)

        pauses = [int(self.fail(1)['Retry-After']) for _ in range(7)]

        assert pauses[:5] == [30, 60, 120, 240, 480]
        assert all(880 < pause <= 900 for pause in pauses[5:])

    def test_never_asks_for_more_than_it_lasts(self) -> None:
        self.fail(11)
        let_pass(880)

        assert 0 < int(self.fail(1)['Retry-After']) <= 20

    def test_is_the_same_for_an_account_that_does_not_exist(self) -> None:
        known = self.fail(6)
        unknown = self.fail(6, email='nobody@example.com')

        assert known.status_code == unknown.status_code == 429
        assert known.json()['detail'] == unknown.json()['detail']

    def test_is_forgotten_after_the_right_password(self) -> None:
        self.fail(4)
        assert self.succeed('192.0.2.1').status_code == 200

        assert self.fail(5).status_code == 400
        assert self.fail(1)['Retry-After'] == '30'

    def test_counts_a_whole_ipv6_network_as_one(self) -> None:
        for number in range(5):
            self.fail(1, f'2001:db8::{number:x}')

        assert self.succeed('2001:db8::ffff').status_code == 429
        assert self.succeed('2001:db8:0:1::1').status_code == 200

    def test_comes_after_twenty_wherever_they_come_from(self) -> None:
        """T004."""
        self.lock()

        assert self.succeed('198.51.100.1').status_code == 429
        let_pass(15 * 60)
        assert self.succeed('198.51.100.1').status_code == 200

    def test_ignores_what_the_client_says_of_its_address(self) -> None:
        self.fail(5)
        app = App('192.0.2.1', {'X-Forwarded-For': '203.0.113.9', 'X-Real-Ip': '203.0.113.9'})

        answer = app.post('auth/login', {'email': 'ann@example.com', 'password': PASSWORD})

        assert answer.status_code == 429

    def test_holds_for_the_admin_too(self) -> None:
        form = {'username': 'ann@example.com', 'password': 'wrong'}
        client = Client(REMOTE_ADDR='192.0.2.1', raise_request_exception=False)
        for _ in range(5):
            assert client.post('/admin/login/', form).status_code == 200

        assert client.post('/admin/login/', form).status_code == 429


def let_pass(seconds: float) -> None:
    """Make everything that was counted so much older."""
    for counter in Counter.objects.all():
        hits = array('d')
        hits.frombytes(bytes(counter.hits))
        counter.hits = array('d', (hit - seconds for hit in hits)).tobytes()
        counter.save()


@pytest.mark.usefixtures('ann')
class TestPasswords:
    def test_are_changed_with_the_old_one(self) -> None:
        here, there = App(), App()
        here.sign_in(), there.sign_in()
        body = {'current_password': PASSWORD, 'new_password': 'another horse battery'}

        assert here.post('account/password/change', body).status_code == 200

        assert here.call('GET', 'app/v1/auth/session').status_code == 200
        assert there.call('GET', 'app/v1/auth/session').status_code in (401, 410)
        assert mail.outbox[-1].to == ['ann@example.com']

    def test_are_not_changed_without_it(self, ann: Account) -> None:
        app = App()
        app.sign_in()
        body = {'current_password': 'wrong', 'new_password': 'another horse battery'}

        assert app.post('account/password/change', body).status_code == 400
        ann.refresh_from_db()
        assert ann.check_password(PASSWORD)

    def test_are_reset_by_a_mailed_code(self, ann: Account) -> None:
        elsewhere = App()
        elsewhere.sign_in()
        app = App()
        app.post('auth/password/request', {'email': 'ann@example.com'})
        body = {'key': code_of_the_last_mail(), 'password': 'another horse battery'}

        answer = app.post('auth/password/reset', body)

        assert answer.status_code == 401  # signing in is another step
        ann.refresh_from_db()
        assert ann.check_password('another horse battery')
        assert elsewhere.call('GET', 'app/v1/auth/session').status_code in (401, 410)

    def test_of_unknown_accounts_are_asked_for_with_the_same_answer(self) -> None:
        known = App().post('auth/password/request', {'email': 'ann@example.com'})
        unknown = App().post('auth/password/request', {'email': 'nobody@example.com'})

        assert (known.status_code, shape(known)) == (unknown.status_code, shape(unknown))
        assert [each.to for each in mail.outbox] == [['ann@example.com'], ['nobody@example.com']]

    def test_are_mailed_for_three_times_an_hour(self) -> None:
        for number in range(5):
            app = App(f'192.0.2.{number}')
            assert (
                app.post('auth/password/request', {'email': 'ann@example.com'}).status_code == 401
            )

        assert len(mail.outbox) == 3


@pytest.mark.usefixtures('ann')
class TestSessions:
    def test_are_listed_and_revoked(self) -> None:
        here, there = App(), App()
        here.sign_in(), there.sign_in()
        listed = here.call('GET', 'app/v1/auth/sessions').json()['data']
        (other,) = [each['id'] for each in listed if not each['is_current']]

        here.call('DELETE', 'app/v1/auth/sessions', {'sessions': [other]})

        assert here.call('GET', 'app/v1/auth/session').status_code == 200
        assert there.call('GET', 'app/v1/auth/session').status_code in (401, 410)

    def test_of_others_are_not_revoked(self) -> None:
        account_with_password('bob@example.com')
        ann, bob = App(), App()
        ann.sign_in(), bob.sign_in('bob@example.com')
        (mine,) = ann.call('GET', 'app/v1/auth/sessions').json()['data']

        answer = bob.call('DELETE', 'app/v1/auth/sessions', {'sessions': [mine['id']]})

        assert answer.status_code == 400
        assert ann.call('GET', 'app/v1/auth/session').status_code == 200

    def test_end_at_once(self) -> None:
        app = App()
        token = app.sign_in()['access_token']
        assert app.call('DELETE', 'app/v1/auth/session').status_code == 401

        client = Client(raise_request_exception=False)
        answer = client.get('/closed', headers={'Authorization': f'Bearer {token}'})
        assert (answer.status_code, answer.json()['code']) == (401, 'session-revoked')


class TestSecondFactor:
    @pytest.mark.usefixtures('ann')
    def test_is_added_only_by_whoever_has_just_shown_who_they_are(self) -> None:
        app = App()
        app.sign_in()

        answer = app.call('GET', 'app/v1/account/authenticators/totp')
        secret = answer.json().get('meta', {}).get('secret', 'A' * 32)

        added = app.post('account/authenticators/totp', {'code': code_of(secret)})
        assert added.status_code == 401

    @pytest.fixture
    def app(self, ann: Account) -> App:
        """A client in which Ann has signed in."""
        app = App()
        app.sign_in()
        assert app.post('auth/reauthenticate', {'password': PASSWORD}).status_code == 200
        return app

    def activate(self, app: App) -> tuple[str, list[str]]:
        """The secret of a new authenticator, and the recovery codes that come with it."""
        secret = app.call('GET', 'app/v1/account/authenticators/totp').json()['meta']['secret']
        answer = app.post('account/authenticators/totp', {'code': code_of(secret)})
        assert answer.status_code == 200, answer.content
        listed = app.call('GET', 'app/v1/account/authenticators/recovery-codes').json()
        return secret, listed['data']['unused_codes']

    def half_signed_in(self) -> App:
        """A client that has given the password."""
        app = App()
        answer = app.post('auth/login', {'email': 'ann@example.com', 'password': PASSWORD})
        assert answer.status_code == 401
        pending = [each['id'] for each in answer.json()['data']['flows'] if each.get('is_pending')]
        assert pending == ['mfa_authenticate']
        return app

    def test_is_asked_for_after_the_password(self, app: App) -> None:
        secret, _ = self.activate(app)
        other = self.half_signed_in()
        assert other.post('auth/2fa/authenticate', {'code': '000000'}).status_code == 400

        answer = other.post('auth/2fa/authenticate', {'code': code_of(secret, later=1)})

        assert answer.status_code == 200
        assert 'access_token' in answer.json()['meta']

    def test_has_ten_recovery_codes_that_work_once(self, app: App) -> None:
        """P37."""
        _, recovery = self.activate(app)
        assert len(recovery) == 10

        first = self.half_signed_in().post('auth/2fa/authenticate', {'code': recovery[0].upper()})
        again = self.half_signed_in().post('auth/2fa/authenticate', {'code': recovery[0]})
        other = self.half_signed_in().post('auth/2fa/authenticate', {'code': recovery[1]})

        assert [each.status_code for each in (first, again, other)] == [200, 400, 200]

    def test_is_stored_encrypted(self, app: App) -> None:
        secret, _ = self.activate(app)

        for factor in Authenticator.objects.all():
            assert secret not in json.dumps(factor.data)
        assert Authenticator.objects.get(type='totp').wrap().validate_code(code_of(secret, later=1))

    def test_of_the_admin_is_asked_for_on_its_page(self, app: App, ann: Account) -> None:
        Account.objects.update(is_staff=True)
        secret, _ = self.activate(app)
        form = {'username': ann.username, 'password': PASSWORD}
        browser = Client()

        assert b'name="code"' in browser.get('/admin/login/').content
        assert browser.post('/admin/login/?next=/admin/', form).status_code == 200
        assert browser.get('/admin/').status_code == 302
        right = {**form, 'code': code_of(secret, later=1)}
        assert browser.post('/admin/login/?next=/admin/', right).status_code == 302
        assert browser.get('/admin/').status_code == 200

    def test_may_be_a_passkey(self, app: App) -> None:
        options = app.call('GET', 'app/v1/account/authenticators/webauthn').json()['data']
        asked = options['creation_options']['publicKey']

        assert asked['rp']['id'] == 'testserver'
        login = App().call('GET', 'app/v1/auth/webauthn/login').json()['data']
        assert login['request_options']['publicKey']['challenge']


def code_of(secret: str, later: int = 0) -> str:
    """The code of an authenticator app now, or one step later: each works once."""
    counters = sorted(yield_hotp_counters_from_time())
    return str(format_hotp_value(hotp_value(secret, counters[len(counters) // 2] + later)))


def test_the_specification_of_the_sign_in_api_is_served(client: Client) -> None:
    document = json.loads(client.get('/auth/openapi.json').content)

    assert '/auth/app/v1/auth/login' in {
        path.replace('/_allauth', '/auth').replace('{client}', 'app') for path in document['paths']
    }
