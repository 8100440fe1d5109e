"""Nothing that requests share is changed by one: callers in threads get what each gets alone.

Every address of the site is asked, with all services and the resources of the tests: documents,
lists, objects, queries, refused writes, pages, the admin and `/auth/`. Eight threads ask as eight
callers, all of them the same address at the same moment. Each engine asks one half of the
addresses; under `make prove` each asks all.
"""

import json
import re
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from threading import Barrier, Thread
from typing import Any

import httpx
import pytest
from django.contrib.admindocs.views import simplify_regex
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.urls import URLResolver, get_resolver

from backstay.caller import Held
from backstay.identity.counters import limiter
from backstay.identity.keys import create_key
from backstay.identity.models import Account
from backstay.site.wsgi import application
from tests.bookshop.models import Book
from tests.lending.models import Branch, Item, Keyword, Loan, Note, Stamp
from tests.proofs import SHARE, half_of
from tests.resources.http.rows import store_products
from tests.rights.callers import CALLERS
from tests.rights.site import MADE
from tests.rights.world import make_world
from tests.threads.site import WORDED

pytestmark = pytest.mark.django_db(transaction=True)

#: What counts or tells the time; the same documents in YAML, and allauth's own, which is a file;
#: pages of the admin that are Django's own for every model.
UNASKED = re.compile(
    r'/(livez|readyz|metrics|__\w+__/?|\w+\.yaml|auth/openapi.json)$|/admin/.*>/((history|delete)/)?$'
)
#: What each answer makes anew: ids of requests, tokens against forged requests, sealed cursors.
MADE_ANEW = re.compile(r'([?&]cursor=)[\w-]+|(csrfmiddlewaretoken" value=")\w+|(nonce=")[^"]+')
#: Answers that hold a secret made for them; the status is compared.
SECRET = re.compile(r'/auth/\w+/v1/(account/authenticators/\w+|auth/webauthn/\w+|auth/sessions)$')
#: Headers of the moment.
OF_THE_MOMENT = {
    'content-length',
    'content-security-policy',
    'date',
    'expires',
    'last-modified',
    'ratelimit-remaining',
    'ratelimit-reset',
    'server-timing',
    'set-cookie',
    'x-request-id',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One of the eight: how they say who they are."""

    name: str
    #: To the resources of the tests, which take a word for it.
    word: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of an address."""

    method: str
    path: str
    body: str = ''

    def __str__(self) -> str:
        return f'{self.method} {self.path} {self.body}'.strip()


Answer = tuple[int, dict[str, str], str]


def ask(client: httpx.Client, request: Request, caller: Asking) -> Answer:
    """The answer, without what each answer makes anew."""
    headers = dict(caller.headers)
    if request.path.startswith(tuple(f'/{prefix}' for prefix in WORDED)):
        headers = {'authorization': f'Caller {caller.word}'}
    if request.body:
        headers['content-type'] = 'application/json'
    response = client.request(
        request.method, request.path, content=request.body.encode(), headers=headers
    )
    text = response.text.replace(response.headers.get('x-request-id', '-'), 'ID')
    if SECRET.search(request.path):
        return response.status_code, {}, ''
    kept = {name: each for name, each in response.headers.items() if name not in OF_THE_MOMENT}
    etag = {} if MADE_ANEW.search(text) else {'etag': kept.pop('etag', '')}
    kept.pop('etag', None)
    return response.status_code, kept | etag, MADE_ANEW.sub(r'\1\2\3NEW', text)


def new_client() -> httpx.Client:
    """A client that calls the WSGI application in this thread."""
    transport = httpx.WSGITransport(app=application, raise_app_exceptions=False)
    return httpx.Client(transport=transport, base_url='http://testserver')


def store_rows() -> None:
    """Something to show at every list of the tests, and in code review."""
    make_world(Random(7)).store()
    for book in Book._base_manager.all():  # a resource of the tests finds books by their titles
        Book._base_manager.filter(pk=book.pk).update(title=f'{book.title} {book.pk}')
    store_products()
    north = Branch.objects.create(pk=1, name='North')
    for number in range(3):
        item = Item.objects.create(branch=north, code=f'i{number}', title=f'Item {number}')
        Note.objects.create(item=item, text='new')
    Keyword.objects.create(word='old')
    Loan.objects.create(item=item, reader='ann')
    Stamp.objects.create(code='x', label='X')
    call_command('seed', size='small', verbosity=0)


def eight_callers() -> list[Asking]:
    """A guest, accounts of each level by session and by key, staff, and the superuser."""

    def account(name: str, level: int, **more: Any) -> Any:
        return Account.objects.create_user(f'{name}@example.com', level=level, **more)

    def by_session(account: Any) -> dict[str, str]:
        client = Client()
        client.force_login(account, 'django.contrib.auth.backends.ModelBackend')
        return {'cookie': '; '.join(f'{name}={m.value}' for name, m in client.cookies.items())}

    def by_key(account: Any, level: int) -> dict[str, str]:
        return {'x-api-key': create_key(account, 'robot', level=level)[1]}

    staff = {'is_staff': True}
    owner = account('owner', 4)
    return [
        Asking(name='guest', word='guest'),
        Asking(name='customer', word='customer', headers=by_session(account('ann', 1))),
        Asking(name='operator', word='operator', headers=by_session(account('bob', 2))),
        Asking(name='manager', word='manager', headers=by_key(account('cat', 3), 3)),
        Asking(name='low key', word='key', headers=by_key(owner, 2)),
        Asking(name='owner', word='owner', headers=by_session(owner)),
        Asking(name='staff', word='auditor', headers=by_session(account('dan', 4, **staff))),
        Asking(
            name='root',
            word='root',
            headers=by_session(account('root', 5, is_superuser=True, **staff)),
        ),
    ]


def templates(patterns: Any, before: str = '') -> Iterator[str]:
    """The address of every pattern, such as `/books/<id>/`."""
    for pattern in patterns:
        here = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from templates(pattern.url_patterns, here)
        else:
            yield simplify_regex(here).replace('/./', '/')


def filled(template: str, client: httpx.Client, root: Asking) -> str:
    """The address with keys of rows that there are, as far as the list above it shows any."""
    collection, is_of_one, _ = template.partition('<')
    listed: dict[str, Any] = {}
    if is_of_one and not collection.startswith('/admin/'):
        _, _, text = ask(client, Request(method='GET', path=collection), root)
        rows = json.loads(text).get('results', ()) if text.startswith('{') else ()
        listed = next(iter(rows), {})

    def value(match: re.Match[str]) -> str:
        name = match[1].rpartition(':')[2]
        return str({'format': 'json', 'mode': 'known', **listed}.get(name, listed.get('id', 1)))

    return re.sub(r'<([^>]+)>', value, template).replace('\\', '').replace(' ', '%20')


def every_request(client: httpx.Client, root: Asking) -> list[Request]:
    """What is asked: each address is read, and posted to where that changes nothing."""
    found: dict[Request, None] = {}
    for template in templates(get_resolver().url_patterns):
        if UNASKED.search(template):
            continue
        path = filled(template, client, root)
        found[Request(method='GET', path=path)] = None
        if not path.startswith(('/admin/', '/auth/')):
            # Refused for the caller, the address or the JSON.
            body = '{}' if path.endswith('/query/') else '{"a":'
            found[Request(method='POST', path=path, body=body)] = None
    return half_of(found)


@pytest.fixture
def _a_connection_for_each(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """As a server has it, which serves with as many threads as its pool has connections.

    SQLite's rows are in a file: connections to one memory do not wait for one another.
    """
    usual = connections['default']
    if connection.vendor == 'sqlite':
        file = str(tmp_path / 'db.sqlite3')
        with closing(sqlite3.connect(file)) as copy:
            connection.ensure_connection()
            connection.connection.backup(copy)
        monkeypatch.setitem(connections.settings['default'], 'NAME', file)
        # A thread keeps its connection, as a pool does: opening one reads the whole schema.
        monkeypatch.setitem(connections.settings['default'], 'CONN_MAX_AGE', None)
    else:
        usual.close()
        usual.close_pool()
        options = connections.settings['default']['OPTIONS']
        monkeypatch.setitem(options, 'pool', {**options['pool'], 'max_size': 9})
    del connections['default']
    yield
    connections['default'].close()
    if connection.vendor != 'sqlite':
        connections['default'].close_pool()
    connections['default'] = usual


@pytest.fixture
def _branches() -> Iterator[None]:
    """The words stand for callers that hold something in each app of the tests."""
    for level, word in enumerate(('customer', 'operator', 'manager', 'owner', 'root', 'auditor')):
        held = Held(over='branches', id=1, level=min(level, 3))
        MADE[word] = replace(CALLERS[word], scopes=(*CALLERS[word].scopes, held))
    yield
    MADE.clear()


@pytest.fixture
def _quick_switches() -> Iterator[None]:
    """Threads take turns a hundred times as often as usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 100)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.urls('tests.threads.site')
@pytest.mark.usefixtures('_a_connection_for_each', '_branches', '_quick_switches')
def test_callers_in_threads_get_what_each_gets_alone() -> None:
    store_rows()
    callers = eight_callers()
    with new_client() as client:
        requests = every_request(client, callers[-1])
        alone = {
            (request, caller.name): ask(client, request, caller)
            for request in requests
            for caller in callers
        }
    assert len({caller.word for caller in callers} & {*CALLERS}) == len(callers) == 8

    together: dict[tuple[Request, str], Answer] = {}
    barrier = Barrier(len(callers))

    def walk(caller: Asking) -> None:
        try:
            with new_client() as client:
                for request in requests:
                    barrier.wait(60)
                    together[request, caller.name] = ask(client, request, caller)
        except BaseException:
            barrier.abort()
            raise
        finally:
            connections.close_all()

    limiter().storage.reset()  # what was tried alone counts no more
    threads = [Thread(target=walk, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(alone) > (3_000 if SHARE else 1_500)
    assert together.keys() == alone.keys()
    different = [
        f'{request} as {name}: {together[request, name][0]} instead of {answer[0]}'
        for (request, name), answer in alone.items()
        if together[request, name] != answer
    ]
    assert different == []
    assert max(status for status, _, _ in alone.values()) < 500
