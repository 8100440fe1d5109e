"""A name for which there were too many wrong passwords: who is told, and what still opens it."""

import json
import smtplib
import statistics
import time
from collections.abc import Callable
from concurrent.futures import wait
from io import StringIO
from typing import Any

import django
import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from backstay.audit import SecurityEvent
from backstay.identity import mails
from backstay.identity.keys import new_key, store_key
from backstay.identity.models import Account
from backstay.identity.passwords import verified_passwords
from tests.identity.signing_in import PASSWORD, App, account_with_password, basic, get_me
from tests.identity.test_sign_in import code_of, let_pass

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site', 'ann')]

LOGIN = 'auth/login'
ANN = 'ann@example.com'


@pytest.fixture
def lock(django_capture_on_commit_callbacks: Callable[..., Any]) -> Callable[..., None]:
    """Gives a name twenty wrong passwords, and waits until their mail has left."""

    def lock(email: str = ANN, times: int = 20) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            for number in range(times):
                App(f'192.0.2.{number}').post(LOGIN, {'email': email, 'password': 'wrong'})
        wait([mails._postman.submit(str)])

    return lock


@pytest.fixture
def secret() -> str:
    """That of the authenticator app that Ann has added."""
    app = App('203.0.113.1')
    app.sign_in()
    app.post('auth/reauthenticate', {'password': PASSWORD})
    secret = app.call('GET', 'app/v1/account/authenticators/totp').json()['meta']['secret']
    answer = app.post('account/authenticators/totp', {'code': code_of(secret)})
    assert answer.status_code == 200
    mail.outbox.clear()
    return str(secret)


def sign_in(address: str = '198.51.100.1', **given: Any) -> Any:
    """The answer to the right password, with something beside it."""
    return App(address).post(LOGIN, {'email': ANN, 'password': PASSWORD, **given})


def outline(answer: Any) -> Any:
    """What an answer tells, but for its id and how long to wait."""
    body = {
        name: value
        for name, value in answer.json().items()
        if name not in ('instance', 'request_id')
    }
    return answer.status_code, body, set(answer.headers)


class TestTheMail:
    def test_goes_to_the_account_once(self, lock: Callable[..., None]) -> None:
        lock()

        (sent,) = mail.outbox
        assert sent.to == [ANN]
        assert '20 wrong passwords' in str(sent.body)
        assert '192.0.2.19' in str(sent.body)
        lock()
        assert len(mail.outbox) == 1

    def test_goes_again_with_the_next_lock(self, lock: Callable[..., None]) -> None:
        lock()
        let_pass(15 * 60)
        lock()

        assert len(mail.outbox) == 2

    def test_goes_once_while_wrong_passwords_keep_coming(self, lock: Callable[..., None]) -> None:
        lock(times=1)
        let_pass(10 * 60)
        lock(times=19)
        let_pass(6 * 60)  # the first is forgotten, so that one more locks again

        lock(times=1)

        assert sign_in().status_code == 429
        assert len(mail.outbox) == 1

    def test_does_not_go_before_the_lock(self, lock: Callable[..., None]) -> None:
        lock(times=19)

        assert mail.outbox == []

    @pytest.mark.parametrize('name', ['nobody@example.com', 'bot'])
    def test_goes_to_nobody_else(self, lock: Callable[..., None], name: str) -> None:
        account_with_password('bot')
        lock(name)
        for number in range(20):
            App(f'192.0.2.{number}').post(LOGIN, {'username': name, 'password': 'wrong'})

        assert mail.outbox == []

    def test_that_cannot_be_sent_is_logged_without_its_address(
        self, lock: Callable[..., None], settings: Any, caplog: Any
    ) -> None:
        mail_by(settings, f'{__name__}.AbsentBackend')
        lock()

        assert 'mail-failed' in caplog.text
        assert ANN not in caplog.text

    def test_waits_for_the_commit_and_is_waited_for_by_nobody(
        self, django_capture_on_commit_callbacks: Callable[..., Any]
    ) -> None:
        with django_capture_on_commit_callbacks() as waiting:
            for number in range(20):
                App(f'192.0.2.{number}').post(LOGIN, {'email': ANN, 'password': 'wrong'})

        assert len(waiting) == 1
        assert mail.outbox == []

    def test_is_not_told_by_any_answer(self, lock: Callable[..., None]) -> None:
        lock(times=19), lock('nobody@example.com', times=19)

        answers = [
            App('192.0.2.99').post(LOGIN, {'email': email, 'password': 'wrong'})
            for email in (ANN, 'nobody@example.com')
        ]
        after = [
            App('192.0.2.98').post(LOGIN, {'email': email, 'password': 'wrong'})
            for email in (ANN, 'nobody@example.com')
        ]

        assert outline(answers[0]) == outline(answers[1])
        assert outline(after[0]) == outline(after[1])
        assert after[0].status_code == 429

    def test_is_not_told_by_any_time(
        self, django_capture_on_commit_callbacks: Callable[..., Any], settings: Any
    ) -> None:
        """The mail takes a quarter of a second, and the answer that sends it does not."""
        mail_by(settings, f'{__name__}.SlowBackend')
        taken: dict[str, list[float]] = {ANN: [], 'nobody@example.com': []}
        for _ in range(3):
            for email, times in taken.items():
                for number in range(19):
                    App(f'192.0.2.{number}').post(LOGIN, {'email': email, 'password': 'wrong'})
                started = time.perf_counter()
                with django_capture_on_commit_callbacks(execute=True):
                    App('192.0.2.99').post(LOGIN, {'email': email, 'password': 'wrong'})
                times.append(time.perf_counter() - started)
            let_pass(15 * 60)

        known, unknown = (statistics.median(times) for times in taken.values())
        assert known < unknown + 0.1
        wait([mails._postman.submit(str)])
        assert len(mail.outbox) == 3


def mail_by(settings: Any, backend: str) -> None:
    """Send mail by a backend, as this version of Django is told."""
    if django.VERSION >= (6, 1):
        settings.MAILERS = {'default': {'BACKEND': backend}}
    else:
        settings.EMAIL_BACKEND = backend


class AbsentBackend:
    """A mail server that does not answer."""

    def __init__(self, **_: Any) -> None:
        """As Django makes it."""

    def send_messages(self, messages: Any) -> int:
        """Fail as smtplib does."""
        raise smtplib.SMTPServerDisconnected(str(messages[0].to))


class SlowBackend:
    """A mail server that is far away."""

    def __init__(self, **_: Any) -> None:
        """As Django makes it."""

    def send_messages(self, messages: Any) -> int:
        """Take as long as one over a network does."""
        time.sleep(0.25)
        mail.outbox.extend(messages)
        return len(messages)


class TestTheLock:
    def test_opens_to_the_password_with_a_code(
        self, lock: Callable[..., None], secret: str
    ) -> None:
        lock()
        assert sign_in().status_code == 429

        answer = sign_in(totp=code_of(secret, later=1))

        assert answer.status_code == 200, answer.content
        assert 'access_token' in answer.json()['meta']
        methods = [each['method'] for each in answer.json()['data']['methods']]
        assert methods == ['password', 'mfa']

    def test_stays_for_all_others(self, lock: Callable[..., None], secret: str) -> None:
        lock()
        assert sign_in(totp=code_of(secret, later=1)).status_code == 200

        assert sign_in().status_code == 429

    def test_opens_to_a_code_only_once(self, lock: Callable[..., None], secret: str) -> None:
        lock()
        code = code_of(secret, later=1)

        assert sign_in(totp=code).status_code == 200
        assert sign_in(totp=code).status_code == 429

    def test_does_not_tell_that_the_password_was_right(
        self, lock: Callable[..., None], secret: str
    ) -> None:
        lock()
        lock('nobody@example.com')
        code = code_of(secret, later=1)

        answers = [
            App(f'198.51.100.{number}').post(LOGIN, given)
            for number, given in enumerate(
                [
                    {'email': ANN, 'password': PASSWORD, 'totp': '000000'},
                    {'email': ANN, 'password': 'wrong', 'totp': '000000'},
                    {'email': ANN, 'password': 'wrong', 'totp': code},
                    {'email': 'nobody@example.com', 'password': PASSWORD, 'totp': code},
                    {'email': ANN, 'password': PASSWORD},
                    {'email': ANN, 'password': PASSWORD, 'totp': ['x']},
                    {'email': ANN, 'password': PASSWORD, 'totp': ''},
                ]
            )
        ]

        assert {json.dumps(outline(answer)[1]) for answer in answers} == {
            json.dumps(outline(answers[0])[1])
        }
        assert {answer.json()['code'] for answer in answers} == {'login-throttled'}

    def test_lets_nobody_try_all_codes(self, lock: Callable[..., None], secret: str) -> None:
        lock()
        for number in range(5):
            sign_in(f'198.51.100.{number}', totp='000000')

        answer = sign_in(totp=code_of(secret, later=1))

        assert answer.status_code == 429
        assert int(answer['Retry-After']) > 600  # that of the lock, as without a code

    def test_counts_addresses_as_without_it(self, lock: Callable[..., None], secret: str) -> None:
        lock()
        for _ in range(5):
            sign_in('198.51.100.7', totp='000000')

        answer = sign_in('198.51.100.7', totp=code_of(secret, later=1))

        assert (answer.status_code, answer['Retry-After']) == (429, '30')

    def test_opens_to_no_code_without_a_second_factor(self, lock: Callable[..., None]) -> None:
        lock()

        assert sign_in(totp='123456').status_code == 429

    def test_opens_the_admin_too(self, lock: Callable[..., None], secret: str) -> None:
        Account.objects.update(is_staff=True)
        lock()
        form = {'username': ANN, 'password': PASSWORD}
        browser = Client(REMOTE_ADDR='198.51.100.1', raise_request_exception=False)
        assert browser.post('/admin/login/?next=/admin/', form).status_code == 429

        form['code'] = code_of(secret, later=1)

        assert browser.post('/admin/login/?next=/admin/', form).status_code == 302
        assert browser.get('/admin/').status_code == 200

    def test_stays_shut_to_basic_authentication(self, lock: Callable[..., None]) -> None:
        lock()

        assert get_me(**basic(ANN)).status_code == 429


class TestACodeBesideThePassword:
    def test_signs_in_at_once_where_nothing_is_locked(self, secret: str) -> None:
        answer = sign_in(totp=code_of(secret, later=1))

        assert answer.status_code == 200

    def test_that_is_wrong_is_asked_for_as_ever(self, secret: str) -> None:
        app = App()
        given = {'email': ANN, 'password': PASSWORD, 'totp': '000000'}

        assert app.post(LOGIN, given).status_code == 401
        code = {'code': code_of(secret, later=1)}
        assert app.post('auth/2fa/authenticate', code).status_code == 200

    def test_of_another_account_is_worth_nothing(self, secret: str) -> None:
        account_with_password('bob@example.com')

        answer = App().post(
            LOGIN,
            {'email': 'bob@example.com', 'password': 'wrong', 'totp': code_of(secret, later=1)},
        )

        assert answer.status_code == 400


class TestAProgram:
    """Strangers lock the name of a bot, which calls by Basic or with a key."""

    HOME, ELSEWHERE = '198.51.100.7', '203.0.113.7'

    @pytest.fixture(autouse=True)
    def _bot(self) -> None:
        account_with_password('bot')

    def call(self, address: str, password: str = PASSWORD) -> int:
        verified_passwords.clear()
        headers = basic('bot', password)
        answer = Client(REMOTE_ADDR=address).get('/auth/me', headers=headers)
        return int(answer.status_code)

    def lock(self) -> None:
        for number in range(20):
            self.call(f'192.0.2.{number}', 'wrong')

    def test_that_called_lately_is_let_in_from_its_network_alone(self) -> None:
        assert self.call(self.HOME) == 200
        self.lock()

        assert [self.call(self.HOME), self.call(self.ELSEWHERE)] == [200, 429]

    def test_has_few_tries_there_as_well(self) -> None:
        self.call(self.HOME)
        self.lock()

        assert [self.call(self.HOME, 'wrong') for _ in range(6)] == [401] * 5 + [429]
        assert self.call(self.HOME) == 429

    def test_that_called_long_ago_is_a_stranger(self) -> None:
        self.call(self.HOME)
        let_pass(8 * 24 * 3600)
        self.lock()

        assert self.call(self.HOME) == 429

    def test_with_a_key_notices_nothing(self) -> None:
        key, text = new_key(Account.objects.get(username='bot'), 'key')
        store_key(key)
        self.lock()

        assert Client().get('/auth/me', headers={'X-Api-Key': text}).status_code == 200


class TestAnOperator:
    def test_opens_a_name_by_command_also_where_it_was_tried(
        self, lock: Callable[..., None]
    ) -> None:
        for _ in range(5):
            App('198.51.100.1').post(LOGIN, {'email': ANN, 'password': 'wrong'})
        lock()
        assert sign_in().status_code == 429

        call_command('unlock', 'Ann@example.com', stdout=(said := StringIO()))

        assert said.getvalue() == 'ann@example.com may be tried again.\n'
        assert sign_in().status_code == 200
        assert SecurityEvent.objects.filter(action='sign-in-unlock').count() == 1

    def test_is_told_of_a_name_that_nobody_has(self) -> None:
        with pytest.raises(CommandError, match=r"no account called 'nobody'"):
            call_command('unlock', 'nobody')

    def test_opens_it_in_the_admin_below_their_own_level(
        self, lock: Callable[..., None], admin_client: Client
    ) -> None:
        lock()
        chosen = {'action': 'unlock', '_selected_action': [Account.objects.get(username=ANN).pk]}

        answer = admin_client.post('/admin/identity/account/', chosen)

        assert answer.status_code == 302
        assert sign_in().status_code == 200
