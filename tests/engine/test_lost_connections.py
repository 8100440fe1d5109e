"""A database that cuts connections, restarts, is full or is not there: 503 soon, and never 500."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from django.contrib import admin
from django.core.cache import cache
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone
from psycopg import errors as psycopg_errors
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from backstay.engine import Trouble, engine_of, trouble_of
from backstay.errors import handler500 as handler500
from backstay.identity.models import Account
from backstay.resources.http.router import ResourceRouter
from tests.bookshop.models import Book
from tests.resources.http.site import SERVED, open_to_all

pytestmark = pytest.mark.urls(__name__)
only_postgresql = pytest.mark.skipif(
    connection.vendor != 'postgresql', reason='SQLite has no connections that somebody could cut'
)

#: Seconds within which a client is told, whatever became of the database.
SOON = 2.0


def _page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(Book.objects.count()))


def _page_of_somebody(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user))


@api_view(['GET', 'POST'])
@authentication_classes([])
@permission_classes([AllowAny])
def _view(request: Request) -> Response:
    with transaction.atomic():
        if request.method == 'POST':
            Book.objects.create(title='b', slug='b', created_at=timezone.now())
        return Response(Book.objects.count())


router = ResourceRouter()
router.register('books', open_to_all(SERVED['books']))
urlpatterns = [
    *router.urls,
    path('page/', _page),
    path('somebody/', _page_of_somebody),
    path('view/', _view),
    path('admin/', admin.site.urls),
]


@pytest.fixture
def cut(transactional_db: None) -> Iterator[Callable[[], None]]:
    """Ends every connection that this process has to the database of this test."""
    given = connection.get_connection_params()
    given = {name: each for name, each in given.items() if name in _ADDRESS}
    with psycopg.connect(**given, autocommit=True) as other:

        def cut() -> None:
            other.execute(
                'SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity'
                ' WHERE datname = current_database() AND pid <> pg_backend_pid()'
            )

        yield cut
    connections['default'].close()


_ADDRESS = ('dbname', 'user', 'password', 'host', 'port')


def _get(address: str, client: Client | None = None) -> Any:
    return (client or Client(raise_request_exception=False)).get(address)


@only_postgresql
def test_a_pooled_connection_that_was_cut_costs_nobody_an_error(cut: Callable[[], None]) -> None:
    pool = connection.pool  # type: ignore[attr-defined]
    connection.ensure_connection()
    connection.close()
    taken = [pool.getconn() for _ in range(pool.max_size)]
    for each in taken:
        pool.putconn(each)
    for _ in range(2):
        cut()

        started = time.perf_counter()
        answers = []
        for address in ('/page/', '/books/', '/view/', '/books/', '/page/'):
            answers.append(_get(address).status_code)
            connection.close()

        assert answers == [200] * 5
        assert time.perf_counter() - started < SOON


@only_postgresql
def test_a_read_is_tried_again_on_a_fresh_connection(cut: Callable[[], None]) -> None:
    """Cut after it was taken, before its first statement."""
    Book.objects.create(title='a', slug='a', created_at=timezone.now())
    _get('/books/')
    connection.ensure_connection()
    cut()

    assert _get('/books/').json()['results'][0]['title'] == 'a'


@only_postgresql
def test_a_read_within_a_transaction_is_not_tried_again(cut: Callable[[], None]) -> None:
    """Its own rows are gone with the transaction; it must not read without them."""
    engine = engine_of(connection)
    with pytest.raises(DatabaseError) as lost, transaction.atomic():  # noqa: PT012 it is in there
        Book.objects.create(title='a', slug='a', created_at=timezone.now())
        cut()
        engine.columns(connection, 'SELECT COUNT(*) FROM bookshop_book', (), 5)

    assert trouble_of(lost.value) is Trouble.LOST


@only_postgresql
def test_what_is_cut_in_hand_is_unavailable_once(cut: Callable[[], None]) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(Account.objects.create_superuser('ann@example.com', 'Long-enough-1'))
    for address in ('/page/', '/view/', '/somebody/', '/admin/'):
        cache.clear()
        connection.ensure_connection()
        cut()

        answer = _get(address, client)

        assert (answer.status_code, answer.json()['code']) == (503, 'unavailable'), address
        assert int(answer['Retry-After']) > 0
        connection.close()
        # Not 200: tests before may have given the admin models that this site has no page for.
        assert _get(address, client).status_code != 503, address


@pytest.fixture
def away(db: None) -> Iterator[None]:
    """A database that is not there."""
    usual = connections['default']
    there = usual.settings_dict
    options = {**there['OPTIONS']}
    if connection.vendor == 'postgresql':
        options['pool'] = {**options['pool'], 'timeout': 1}  # as a site has it
        there = {**there, 'HOST': '127.0.0.1', 'PORT': '1', 'OPTIONS': options}
    else:
        there = {**there, 'NAME': '/nowhere/db.sqlite3', 'OPTIONS': options}
    connections['default'] = type(usual)(there, 'away')
    yield
    if connection.vendor == 'postgresql':
        connections['default'].close_pool()  # type: ignore[attr-defined]
    connections['default'] = usual


@pytest.mark.parametrize('address', ['/page/', '/books/', '/books/1/', '/view/', '/somebody/'])
def test_who_asks_while_the_database_is_away_is_told_soon(away: None, address: str) -> None:
    client = Client(raise_request_exception=False)
    client.cookies['sessionid'] = 'a' * 32
    started = time.perf_counter()

    answers = [_get(address, client), client.post(address)]

    assert time.perf_counter() - started < 2 * SOON
    for answer in answers[: 2 if address == '/view/' else 1]:
        assert (answer.status_code, answer.json()['code']) == (503, 'unavailable')
        assert int(answer['Retry-After']) > 0
        assert '127.0.0.1' not in answer.content.decode()


@pytest.mark.parametrize(
    ('state', 'meaning'),
    [
        ('40001', Trouble.DEADLOCK),
        ('40P01', Trouble.DEADLOCK),
        ('55P03', Trouble.LOCKED),
        ('57014', Trouble.TIMEOUT),
        ('57P01', Trouble.LOST),
        ('57P02', Trouble.LOST),
        ('57P03', Trouble.LOST),
        ('08006', Trouble.LOST),
        ('53300', Trouble.LOST),
        ('53100', Trouble.FULL),
        ('53200', Trouble.FULL),
        ('25006', Trouble.READ_ONLY),
        ('54001', Trouble.TOO_DEEP),
        ('22003', Trouble.BAD_VALUE),
        ('22P02', Trouble.BAD_VALUE),
        ('23505', None),
        ('42601', None),
    ],
)
def test_what_errors_of_postgresql_mean(state: str, meaning: Trouble | None) -> None:
    error = DatabaseError()
    error.__cause__ = psycopg_errors.lookup(state)()

    assert trouble_of(error) is meaning
    assert trouble_of(error.__cause__) is meaning


def test_what_errors_of_sqlite_mean(tmp_path: Any) -> None:
    """As the library itself raises them."""
    file = tmp_path / 'db.sqlite3'
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as one:
        one.execute('CREATE TABLE things (id INTEGER PRIMARY KEY, text TEXT)')
        one.execute('PRAGMA max_page_count = 10')
        with pytest.raises(sqlite3.Error) as full:
            one.execute('INSERT INTO things (text) VALUES (?)', ['x' * 100_000])
        one.execute('BEGIN IMMEDIATE')
        two = sqlite3.connect(file, timeout=0)
        with closing(two), pytest.raises(sqlite3.Error) as locked:
            two.execute('INSERT INTO things (text) VALUES (1)')
        three = sqlite3.connect(f'file:{file}?mode=ro', uri=True)
        with closing(three), pytest.raises(sqlite3.Error) as read_only:
            three.execute('INSERT INTO things (text) VALUES (1)')
        with pytest.raises(sqlite3.Error) as unknown:
            one.execute('SELEC 1')
    with pytest.raises(sqlite3.Error) as lost:
        sqlite3.connect(tmp_path / 'nowhere' / 'db.sqlite3')

    raised = [full.value, locked.value, read_only.value, lost.value, unknown.value]
    meant = [Trouble.FULL, Trouble.LOCKED, Trouble.READ_ONLY, Trouble.LOST, None]
    assert [trouble_of(error) for error in raised] == meant
    wrapped = OperationalError()
    wrapped.__cause__ = full.value
    assert trouble_of(wrapped) is Trouble.FULL
