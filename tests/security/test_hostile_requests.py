"""Requests that mean harm, to every address of identity and of the admin: never a 5xx.

Each is drawn from a seed: an address of ours, with or without a key of a row in it, any method, a
query, headers and a body of strange values, from a guest, an account or a superuser, with or
without a valid CSRF token. The whole is 2 000 on each engine.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver

from backstay.identity.keys import create_key
from backstay.identity.models import Account
from tests.identity.signing_in import App, account_with_password
from tests.proofs import record_proof, size

pytestmark = [pytest.mark.django_db, pytest.mark.urls('tests.identity.site')]

#: As bytes of an address or a form: what is no text, no number, no key and no JSON.
TEXTS = [
    *(b'', b'\x00', b'a\x00b', b'\xff\xfe', b'\xed\xa0\x80', 'é\u202e😀'.encode(), b'x' * 5_000),
    *(b'-1', b'0', b'9' * 40, b'1e400', b'NaN', b'1_0', b'0x10', '٣'.encode(), b'true', b'null'),
    *(b"' OR 1=1 --", b'%', b'_', b'\\', b'[', b'(?P<', b'*', b'{{7*7}}', b'<script>', b'../..'),
    *(b'//evil.example/', b'javascript:1', b'2026-99-99', b'9999-12-31T23:59:60Z', b'[]', b'{}'),
    *(b'[' * 3_000, b'{"a":' * 3_000, b'a,b,,c', b'1,2', b'a=b&c', b'\r\nX: y'),
]
#: As values of JSON.
VALUES: list[Any] = [
    *(None, True, 0, -1, 10**400, 1e308, 0.1, '', '\x00', '\ud800', 'é' * 300, 'x' * 5_000),
    *([], [[]], [None], ['a'] * 500, {}, {'a': {}}, {'$gt': ''}, {'__proto__': 1}),
]
NAMES = [
    *('email', 'username', 'password', 'name', 'key', 'code', 'totp', 'credential', 'id', 'keys'),
    *('sessions', 'authenticators', 'current_password', 'new_password', 'refresh_token', 'undo'),
    *('level', 'scopes', 'ip_allow', 'expires_at', 'status', 'primary', 'next', 'provider'),
]
ADMIN_NAMES = [
    *('q', 'o', 'p', 'e', 'all', 'next', '_popup', '_to_field', '_changelist_filters', '_facets'),
    *('action', '_selected_action', 'select_across', 'index', 'post', '_save', '_continue'),
    *('form-TOTAL_FORMS', 'form-INITIAL_FORMS', 'form-0-id', 'created_at__gte', 'created_at__year'),
    *('app_label', 'model_name', 'field_name', 'term', 'old_password', 'new_password1', 'this_is'),
]
LOOKUPS = ['', '__exact', '__in', '__isnull', '__gte', '__range', '__regex', '__year', '__x', '__']
METHODS = ['GET'] * 6 + ['POST'] * 8 + ['PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'X']
TYPES = [
    *('application/json', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=b'),
    *('multipart/form-data', 'text/plain', 'application/xml', 'application/json; charset=x', ''),
    'application/x-www-form-urlencoded; charset=utf-16',
]
HEADERS = {
    'Authorization': [
        'Bearer cat_',
        'Bearer cak_x.y',
        'Bearer a.b.c',
        'Basic é',
        'Basic Og==',
        'x',
    ],
    'X-Session-Token': ['cst_', 'cst_zzzzzzzz', 'x' * 4_000, 'é'],
    'X-Api-Key': ['cak_', 'cak_.', 'cak_' + 'x' * 3_000],
    'X-CSRFToken': ['x', 'x' * 64, 'é' * 32],
    'Accept': ['text/html', 'application/json', 'a/b;q=x', '*/*;q=0', ',,'],
    'Idempotency-Key': ['', 'x' * 300],
    'If-Match': ['*', '"x', 'W/""'],
    'Accept-Language': ['x' * 600, '../..'],
}


def addresses() -> list[str]:
    """Each address below `/auth/` and `/admin/`, with `<…>` where something has to stand."""

    def below(patterns: Any, before: str) -> Iterator[str]:
        for each in patterns:
            path = before + str(each.pattern)
            if isinstance(each, URLPattern):
                yield '/' + path
            else:
                yield from below(each.url_patterns, path)

    every = below(get_resolver('tests.identity.site').url_patterns, '')
    plain = {path.replace('\\Z', '').replace('^', '').replace('$', '') for path in every}
    return sorted(path for path in plain if path.startswith(('/auth/', '/admin/')))


class Attacker:
    """Whoever draws requests from a seed."""

    def __init__(self, seed: int, paths: list[str], keys: list[str]) -> None:
        self.random = random.Random(seed)
        self.paths, self.keys = paths, keys

    def path(self) -> str:
        """An address, with something in its places."""
        head, *places = self.random.choice(self.paths).split('<')
        filled = [head]
        for place in places:
            key = self.random.choice(self.keys)
            given = key if self.random.random() < 0.6 else self.text()[:300]
            filled += [given, place.partition('>')[2]]
        path = ''.join(filled)
        return f'{path}?{self.pairs()}' if self.random.random() < 0.6 else path

    def text(self) -> str:
        """A strange value, as an address has it."""
        return quote(self.random.choice(TEXTS))

    def name(self) -> str:
        """A name that something may look at."""
        fields = [field.name for field in self.random.choice([*admin.site._registry])._meta.fields]
        lookup = self.random.choice(fields) + self.random.choice(LOOKUPS)
        return self.random.choice([*NAMES, *ADMIN_NAMES, lookup, lookup, lookup])

    def pairs(self) -> str:
        """A query or a form."""
        count = self.random.choice([1, 1, 2, 3, 8])
        return '&'.join(f'{quote(self.name())}={self.text()}' for _ in range(count))

    def body(self) -> bytes:
        """A form, JSON, parts, or anything."""
        match self.random.randrange(5):
            case 0:
                return self.random.choice(TEXTS)
            case 1:
                return self.pairs().encode()
            case 2:
                part = f'--b\r\nContent-Disposition: form-data; name="{self.name()}"'
                file = self.random.choice(['', '; filename="x"', '; filename*=x'])
                return f'{part}{file}\r\n\r\n{self.text()}\r\n--b--\r\n'.encode()
        given = {self.random.choice(NAMES): self.random.choice(VALUES) for _ in range(4)}
        return json.dumps(given).encode()

    def headers(self) -> dict[str, str]:
        """Some, with strange values."""
        names = self.random.sample([*HEADERS], self.random.choice([0, 0, 1, 2]))
        return {name: self.random.choice(HEADERS[name]) for name in names}

    def ask(self, clients: Mapping[str, Client]) -> tuple[str, Any]:
        """Send one request; who asked what, and the answer. Nothing of it stays."""
        who, method, path = self.random.choice([*clients]), self.random.choice(METHODS), self.path()
        body, kind, headers = self.body(), self.random.choice(TYPES), self.headers()
        client = clients[who]
        client.handler.enforce_csrf_checks = self.random.random() < 0.2
        address = f'203.0.113.{self.random.randrange(256)}'
        cookies = client.cookies.output()
        with transaction.atomic():
            answer = client.generic(method, path, body, kind, headers=headers, REMOTE_ADDR=address)
            if answer.streaming:
                b''.join(answer)
            transaction.set_rollback(True)
        client.cookies.load(cookies.replace('Set-Cookie: ', ''))
        told = f'{who}: {method} {path[:300]} {kind} {headers} {body[:300]!r}'
        return told, answer


@pytest.fixture
def clients(db: None) -> dict[str, Client]:
    """A guest, an account by cookie and one by token, and a superuser."""
    ann = account_with_password('ann@example.com', level=2)
    root = Account.objects.create_superuser('root@example.com', 'a long password of root')
    create_key(root, 'a key')
    app = App()
    app.sign_in()
    found = {
        'guest': Client(raise_request_exception=False),
        'account': Client(raise_request_exception=False),
        'app': Client(raise_request_exception=False, headers=app.headers),
        'root': Client(raise_request_exception=False),
        'root again': Client(raise_request_exception=False),
    }
    found['account'].force_login(ann)
    for name in ('root', 'root again'):
        found[name].force_login(root)
    return found


def test_no_request_is_a_failure_of_the_server(
    clients: dict[str, Client], request: pytest.FixtureRequest
) -> None:
    paths, statuses = addresses(), Counter[int]()
    assert len(paths) > 100
    keys = ['1', '2', str(Account.objects.get(username='root@example.com').pk), 'root', '0']
    # So that half of the requests go to either.
    own = [path for path in paths if path.startswith('/auth/')]
    paths = own * max(1, (len(paths) - len(own)) // len(own)) + paths
    failed = []
    for seed in range(size(40, 2_000)):
        told, answer = Attacker(seed, paths, keys).ask(clients)
        statuses[answer.status_code] += 1
        if answer.status_code >= 500:
            failed.append(f'{seed} {told}: {answer.status_code}')

    assert failed == []
    spread = ', '.join(f'{status}: {count}' for status, count in sorted(statuses.items()))
    record_proof(request, f'{statuses.total()} hostile requests to identity and admin ({spread})')
    assert statuses[200] > 0
