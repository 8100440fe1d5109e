"""Clients that sign in, and what they get."""

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

from django.core import mail
from django.test import Client
from django.utils import timezone

from backstay.identity.models import Account

PASSWORD = 'correct horse battery'
#: An argon2 hash takes a quarter of a second; one is enough for most tests.
_HASHES: dict[str, str] = {}


def account_with_password(username: str = 'ann@example.com', **fields: Any) -> Account:
    """A saved account with `PASSWORD`."""
    account = Account.objects.create_user(username, **fields)
    if 'hash' not in _HASHES:
        account.set_password(PASSWORD)
        _HASHES['hash'] = account.password
    account.password = _HASHES['hash']
    account.save(update_fields=['password'])
    return account


def basic(username: str, password: str = PASSWORD) -> dict[str, str]:
    """The header of Basic authentication."""
    text = base64.b64encode(f'{username}:{password}'.encode()).decode()
    return {'Authorization': f'Basic {text}'}


def bearer(token: str) -> dict[str, str]:
    """The header of a bearer token."""
    return {'Authorization': f'Bearer {token}'}


@dataclass
class App:
    """A client of the headless API that is no browser."""

    address: str = '192.0.2.1'
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One call below `/auth/`; the session token of an answer is sent from then on."""
        client = Client(raise_request_exception=False, REMOTE_ADDR=self.address)
        answer = client.generic(
            method,
            f'/auth/{path}',
            '' if body is None else json.dumps(body),
            content_type='application/json',
            headers={**self.headers, **headers},
        )
        meta = _meta(answer)
        if token := meta.get('session_token'):
            self.headers['X-Session-Token'] = token
        return answer

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """POST below the version of the API."""
        return self.call('POST', f'app/v1/{path}', body, **headers)

    def sign_in(self, email: str = 'ann@example.com', password: str = PASSWORD) -> dict[str, Any]:
        """Sign in, expecting that it works; the tokens."""
        answer = self.post('auth/login', {'email': email, 'password': password})
        assert answer.status_code == 200, answer.content
        return _meta(answer)


def _meta(answer: Any) -> dict[str, Any]:
    if 'json' not in answer.headers.get('Content-Type', ''):
        return {}
    body = json.loads(answer.content)
    return dict(body.get('meta') or {}) if isinstance(body, dict) else {}


def code_of_the_last_mail() -> str:
    """The code that it asks somebody to type."""
    found = re.search(r'^([A-Z0-9]{4}-[A-Z0-9]{4})$', str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found.group(1)


def get_me(**headers: str) -> Any:
    """`GET /auth/me`."""
    return Client(raise_request_exception=False).get('/auth/me', headers=headers)


def now() -> Any:
    """This moment."""
    return timezone.now()
