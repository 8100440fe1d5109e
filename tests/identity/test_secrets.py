"""Nothing secret is in any log line, answer of an error, or page of the admin."""

import io
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from backstay.identity.email_changes import remember_change
from backstay.identity.keys import create_key
from backstay.identity.models import Account, ApiKey, EmailChange, TokenPair
from tests.identity.passkeys import Passkey
from tests.identity.signing_in import PASSWORD, App, basic, bearer, code_of_the_last_mail
from tests.identity.test_email_changes import mailed
from tests.identity.test_sign_in import code_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]

WRONG = 'wrong horse battery'


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, from the lowest level up."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter('%(message)s %(args)s %(exc_info)s'))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.setLevel(before)
    root.removeHandler(handler)


def secrets_of(*found: Any) -> set[str]:
    """All of them that nothing else is by chance."""
    return {str(each) for each in found if len(str(each)) >= 8}


def use_everything(ann: Account) -> tuple[set[str], list[Any]]:
    """Sign in in every way, rightly and wrongly; the secrets of it, and the answers."""
    answers: list[Any] = []
    app = App()
    meta = app.sign_in()
    app.post('auth/reauthenticate', {'password': PASSWORD})
    totp = app.call('GET', 'app/v1/account/authenticators/totp').json()['meta']['secret']
    _, shown = create_key(ann, 'ci')
    headers = [
        bearer(meta['access_token']),
        bearer(meta['access_token'] + 'x'),
        bearer(meta['refresh_token']),
        bearer(shown),
        bearer(shown + 'x'),
        {'X-Api-Key': shown + 'x'},
        basic(ann.username, WRONG),
        basic(ann.username),
    ]
    paths = ('/closed', '/products/', '/auth/me', '/auth/keys/', '/nothing')
    client = Client(raise_request_exception=False)
    answers += [client.get(path, headers=each) for each in headers for path in paths]
    answers.append(App().post('auth/login', {'email': ann.email, 'password': WRONG}))
    app.post('auth/password/request', {'email': ann.email})
    other = App()
    other.post('auth/password/request', {'email': ann.email})
    code = code_of_the_last_mail()
    answers.append(other.post('auth/password/reset', {'key': 'AAAA-AAAA', 'password': WRONG}))
    answers.append(app.post('account/authenticators/totp', {'code': '000000'}))
    app.post('account/authenticators/totp', {'code': code_of(totp)})
    recovery = app.call('GET', 'app/v1/account/authenticators/recovery-codes').json()
    ann.refresh_from_db()
    pair = TokenPair.objects.first()
    assert pair is not None
    of_passkey = use_a_passkey(app, answers)
    of_change = change_the_address(app, answers)
    answers.append(App().post('tokens/refresh', {'refresh_token': meta['refresh_token'] + 'x'}))
    found = secrets_of(
        PASSWORD,
        WRONG,
        ann.password,
        ann.password.rpartition('$')[2],
        meta['access_token'],
        meta['refresh_token'],
        meta['session_token'],
        shown,
        shown.partition('.')[2],
        code,
        totp,
        *recovery.get('data', {}).get('unused_codes', ()),
        *(key.secret_hash for key in ApiKey.objects.all()),
        pair.access_hash,
        pair.refresh_hash,
        pair.password_mark,
        *of_passkey,
        *of_change,
    )
    return found, answers


def use_a_passkey(app: App, answers: list[Any]) -> list[str]:
    """Add one and sign in with it, rightly and wrongly; what only the device and the site know."""
    register, login = 'account/authenticators/webauthn', 'auth/webauthn/login'
    key, other = Passkey(), App()
    asked = app.call('GET', f'app/v1/{register}?passwordless').json()['data']['creation_options']
    made = key.create(asked)
    answers.append(app.post(register, {'name': 'Laptop', 'credential': {**made, 'response': {}}}))
    answers.append(app.post(register, {'name': 'Laptop', 'credential': made}))
    assert answers[-1].status_code == 200
    options = other.call('GET', f'app/v1/{login}').json()['data']['request_options']
    given = key.get(options)
    response = given['response']
    wrong = [
        {**given, 'response': {**response, 'signature': response['clientDataJSON']}},
        {**given, 'response': {**response, 'clientDataJSON': response['signature']}},
        {**given, 'id': 'eA'},
    ]
    answers += [other.post(login, {'credential': each}) for each in (*wrong, given)]
    assert answers[-1].status_code == 200
    return [
        asked['publicKey']['challenge'],
        options['publicKey']['challenge'],
        made['response']['attestationObject'],
        response['signature'],
        response['clientDataJSON'],
        other.headers['X-Session-Token'],
        *(answers[-1].json()['meta'][name] for name in ('access_token', 'refresh_token')),
    ]


def change_the_address(app: App, answers: list[Any]) -> list[str]:
    """Change it and undo that, rightly and wrongly; what was mailed for it, and its hash."""
    app.post('account/email', {'email': 'ann@example.org'})
    code = code_of_the_last_mail()
    answers.append(app.post('auth/email/verify', {'key': 'AAAA-AAAA'}))
    assert app.post('auth/email/verify', {'key': code}).status_code == 200
    undo = mailed()
    hashed = EmailChange.objects.get().undo_hash
    client = Client(raise_request_exception=False)
    answers += [
        client.post('/auth/email/undo', {'undo': given}, content_type='application/json')
        for given in (undo + 'x', undo * 3, [undo], undo)
    ]
    assert answers[-1].status_code == 204
    return [code, undo, undo[4:], hashed, *change_left_behind()]


def change_left_behind() -> list[str]:
    """One that is not undone, so that a page of it would have something to show."""
    undo = remember_change(Account.objects.get(), 'ann@example.net')
    return [undo, EmailChange.objects.get().undo_hash]


def leaked(secrets: set[str], text: str) -> list[str]:
    """The secrets that are in the text."""
    return [secret for secret in secrets if secret in text]


def test_no_log_and_no_error_has_any_of_them(ann: Account, log: io.StringIO) -> None:
    secrets, answers = use_everything(ann)
    errors = [answer for answer in answers if answer.status_code >= 400]

    assert len(secrets) > 20
    assert len(errors) > 20
    assert {each.status_code for each in answers} <= {200, 204, 400, 401, 403, 404, 410, 422, 429}
    assert 'request' in log.getvalue()
    assert leaked(secrets, log.getvalue()) == []
    for answer in errors:
        body = answer.content.decode() + repr(answer.headers)
        assert leaked(secrets - {answer_token(answer)}, body) == []


def answer_token(answer: Any) -> str:
    """The session token that the answer itself hands out, as it must."""
    found = re.search(r'"session_token": "(\w+)"', answer.content.decode())
    return found.group(1) if found else ''


def test_no_page_of_the_admin_has_any_of_them(ann: Account, client: Client) -> None:
    secrets, _ = use_everything(ann)
    client.force_login(Account.objects.create_superuser('root', 'a long password of root'))

    pages = pages_of(client)

    assert len(pages) > 15
    for path, page in pages.items():
        assert leaked(secrets, page) == [], path


def pages_of(client: Client) -> dict[str, str]:
    """Every page of the admin that links reach in two steps, except those that end something."""
    pages: dict[str, str] = {}
    waiting = ['/admin/']
    while waiting:
        path = waiting.pop()
        if path in pages or re.search(r'/(logout|password|jsi18n|history)/|\?', path):
            continue
        answer = client.get(path)
        pages[path] = answer.content.decode() if answer.status_code == 200 else ''
        waiting += re.findall(r'href="(/admin/[^"#]*)"', pages[path])
    return pages


def test_the_mails_have_them() -> None:
    """So that the tests above look for what exists."""
    App().post('auth/signup', {'email': 'new@example.com', 'password': PASSWORD})

    assert code_of_the_last_mail() in str(mail.outbox[-1].body)
