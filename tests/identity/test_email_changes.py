"""Another e-mail address for an account, and the way back."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from backstay.identity.models import Account, EmailChange, TokenPair
from backstay.identity.session_store import SessionStore, StoredKey
from backstay.operations.tasks import forget_ended_sign_ins
from tests.identity.signing_in import (
    PASSWORD,
    App,
    account_with_password,
    bearer,
    code_of_the_last_mail,
    get_me,
)
from tests.identity.test_sign_in import let_pass

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]

OLD, NEW = 'ann@example.com', 'ann@example.org'
UNDO = '/auth/email/undo'


@pytest.fixture
def app(ann: Account) -> App:
    """A client in which Ann has just shown who she is."""
    return signed_in(OLD)


def signed_in(email: str) -> App:
    """A client in which somebody has just shown who they are."""
    app = App()
    app.sign_in(email)
    assert app.post('auth/reauthenticate', {'password': PASSWORD}).status_code == 200
    return app


def change(app: App, email: str = NEW) -> str:
    """Change the address; what the old one got to undo it."""
    assert app.post('account/email', {'email': email}).status_code == 200
    answer = app.post('auth/email/verify', {'key': code_of_the_last_mail()})
    assert answer.status_code == 200, answer.content
    return mailed()


def mailed() -> str:
    """What the last mail has to undo a change."""
    found = re.search(r'ceu_[\w-]{43}', str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found.group()


def undo(text: Any) -> Any:
    """The answer to an undo."""
    client = Client(raise_request_exception=False)
    return client.post(UNDO, {'undo': text}, content_type='application/json')


def address_of(account: Account) -> tuple[str, str]:
    """What the account is called, and where its mail goes."""
    account.refresh_from_db()
    assert [each.email for each in EmailAddress.objects.filter(user=account)] == [account.email]
    assert EmailAddress.objects.get(user=account).verified
    return account.username, account.email


class TestAChange:
    def test_needs_the_password_once_more(self, ann: Account) -> None:
        app = App()
        app.sign_in()

        assert app.post('account/email', {'email': NEW}).status_code == 401

    def test_comes_with_the_code_that_the_new_address_got(self, app: App, ann: Account) -> None:
        app.post('account/email', {'email': NEW})
        assert mail.outbox[-1].to == [NEW]
        assert address_of(ann) == (OLD, OLD)

        app.post('auth/email/verify', {'key': code_of_the_last_mail()})

        assert address_of(ann) == (NEW, NEW)

    def test_is_told_to_the_old_address(self, app: App) -> None:
        change(app)

        sent = mail.outbox[-1]
        assert sent.to == [OLD]
        assert NEW in str(sent.body)
        assert 'http://testserver/auth/email/undo' in str(sent.body)

    def test_is_told_with_a_page_of_the_front_end(self, app: App, settings: Any) -> None:
        url = 'https://shop.example.com'
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'frontend_url': url})

        text = change(app)

        assert f'{url}/account/email/undo/{text}' in str(mail.outbox[-1].body)

    def test_to_an_address_of_somebody_else_is_not_told_from_any(self, app: App) -> None:
        account_with_password('bob@example.com')
        taken = app.post('account/email', {'email': 'bob@example.com'})
        free = app.post('account/email', {'email': 'free@example.com'})

        assert taken.status_code == free.status_code

    def test_of_a_plain_name_keeps_it(self) -> None:
        bot = account_with_password('bot', email=OLD)

        text = change(signed_in(OLD))

        assert address_of(bot) == ('bot', NEW)
        assert undo(text).status_code == 204
        assert address_of(bot) == ('bot', OLD)


class TestTheUndo:
    def test_gives_the_old_address_back(self, app: App, ann: Account) -> None:
        """T036."""
        text = change(app)

        answer = undo(text)

        assert (answer.status_code, answer.content) == (204, b'')
        assert address_of(ann) == (OLD, OLD)
        assert App().post('auth/login', {'email': OLD, 'password': PASSWORD}).status_code == 200
        assert App().post('auth/login', {'email': NEW, 'password': PASSWORD}).status_code == 400

    def test_ends_every_session(self, app: App, ann: Account) -> None:
        text = change(app)
        thief, browser = App(), Client()
        token = thief.sign_in(NEW)['access_token']
        browser.post(
            '/auth/browser/v1/auth/login',
            {'email': NEW, 'password': PASSWORD},
            content_type='application/json',
        )
        assert browser.get('/auth/me').status_code == 200

        undo(text)

        assert get_me(**bearer(token)).status_code == 401
        assert browser.get('/auth/me').status_code == 401
        for client in (app, thief):
            assert client.call('GET', 'app/v1/auth/session').status_code in (401, 410)
        assert not TokenPair.objects.exists()
        assert not any(
            SessionStore(StoredKey(session.session_key)).get('_auth_user_id')
            for session in Session.objects.all()
        )

    def test_ends_no_session_of_anybody_else(self, app: App) -> None:
        account_with_password('bob@example.com')
        bob = App()
        bob.sign_in('bob@example.com')

        undo(change(app))

        assert bob.call('GET', 'app/v1/auth/session').status_code == 200

    def test_is_recorded(self, app: App, ann: Account, caplog: Any) -> None:
        text = change(app)

        undo(text)

        assert 'email-undo' in caplog.text
        assert text not in caplog.text

    def test_works_once(self, app: App, ann: Account) -> None:
        text = change(app)
        assert undo(text).status_code == 204
        let_pass(10)  # one address gets a code in ten seconds
        change(signed_in(OLD))

        answer = undo(text)

        assert (answer.status_code, answer.json()['code']) == (410, 'expired')
        assert address_of(ann) == (NEW, NEW)

    @pytest.mark.parametrize(('hours', 'status'), [(71, 204), (73, 410)])
    def test_works_for_three_days(self, app: App, hours: int, status: int) -> None:
        text = change(app)
        EmailChange.objects.update(changed_at=timezone.now() - timedelta(hours=hours))

        assert undo(text).status_code == status

    def test_of_the_first_change_undoes_all(self, app: App, ann: Account) -> None:
        """Who took the account over cannot hide it by a second change."""
        first = change(app)
        second = change(app, 'thief@example.org')

        assert undo(first).status_code == 204
        assert address_of(ann) == (OLD, OLD)
        assert undo(second).status_code == 410

    def test_of_the_last_change_leaves_the_others(self, app: App, ann: Account) -> None:
        first = change(app)
        second = change(app, 'other@example.org')

        assert undo(second).status_code == 204
        assert address_of(ann) == (NEW, NEW)
        assert undo(first).status_code == 204
        assert address_of(ann) == (OLD, OLD)

    def test_to_an_address_that_is_taken_by_now_changes_nothing(
        self, app: App, ann: Account
    ) -> None:
        text = change(app)
        account_with_password(OLD)

        answer = undo(text)

        assert (answer.status_code, answer.json()['code']) == (409, 'email-taken')
        assert address_of(ann) == (NEW, NEW)
        assert app.call('GET', 'app/v1/auth/session').status_code == 200

    def test_of_what_is_none_of_ours_is_refused(self, app: App, ann: Account) -> None:
        change(app)

        assert undo('ceu_' + 'x' * 43).json()['code'] == 'expired'
        assert address_of(ann) == (NEW, NEW)

    @pytest.mark.parametrize(
        'text', [None, '', 0, [], {}, 'x', 'ceu_', 'ceu_' + 'x' * 44, 'ceu_' + 'é' * 43, '\ud800']
    )
    def test_that_is_no_text_is_a_fault(self, db: None, text: Any) -> None:
        answer = undo(text)

        assert (answer.status_code, answer.json()['errors'][0]['pointer']) == (422, '/undo')

    def test_is_limited_for_each_address(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        from rest_framework.settings import api_settings

        rates = {'address': '2/minute'}
        monkeypatch.setattr(api_settings, 'DEFAULT_THROTTLE_RATES', rates, raising=False)

        text = 'ceu_' + 'x' * 43
        assert [undo(text).status_code for _ in range(3)] == [410, 410, 429]

    def test_ends_what_was_asked_for_at_the_new_address(self, app: App, ann: Account) -> None:
        """A code for a new password is worth nothing after a change of the address."""
        text = change(app)
        thief = App('192.0.2.66')
        thief.post('auth/password/request', {'email': NEW})
        code = code_of_the_last_mail()
        undo(text)

        answer = thief.post('auth/password/reset', {'key': code, 'password': 'stolen horse'})

        assert answer.status_code == 400
        ann.refresh_from_db()
        assert ann.check_password(PASSWORD)

    def test_is_stored_as_a_hash(self, app: App) -> None:
        text = change(app)

        assert text not in repr(EmailChange.objects.values().get())
        assert text[4:] not in repr(EmailChange.objects.values().get())


def test_a_code_for_a_new_password_ends_with_the_old_password(app: App, ann: Account) -> None:
    other = App('192.0.2.66')
    other.post('auth/password/request', {'email': OLD})
    code = code_of_the_last_mail()
    ann.set_password('another horse battery')
    ann.save()

    answer = other.post('auth/password/reset', {'key': code, 'password': 'third horse battery'})

    assert answer.status_code == 400
    ann.refresh_from_db()
    assert ann.check_password('another horse battery')


def test_old_changes_are_forgotten(app: App) -> None:
    change(app)
    EmailChange.objects.update(changed_at=timezone.now() - timedelta(hours=73))
    change(app, 'other@example.org')

    assert forget_ended_sign_ins.call()['identity.emailchange'] == 1
    assert EmailChange.objects.get().old_email == NEW


@pytest.mark.skipif(connection.vendor != 'postgresql', reason='SQLite has one writer')
@pytest.mark.django_db(transaction=True)
def test_the_same_undo_at_the_same_moment_counts_once(app: App) -> None:
    text = change(app)
    barrier = threading.Barrier(6)
    answers: list[int] = []

    def ask() -> None:
        barrier.wait()
        try:
            answers.append(undo(text).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [204] + [410] * 5
