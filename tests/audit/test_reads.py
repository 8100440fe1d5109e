"""Who read the rows of a resource that asks for it, in whatever way they were reached."""

import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from backstay.audit import SecurityEvent
from backstay.caller import Caller
from backstay.identity.models import Account
from backstay.resources import read_rows
from tests.audit.site import WatchedBookResource, WatchedPublisherResource
from tests.bookshop.factories import make_book
from tests.bookshop.models import Book, Country, Publisher

pytestmark = [pytest.mark.django_db, pytest.mark.urls('tests.audit.site')]

FILTER = json.dumps([{'model': 'WatchedPublisher', 'field': 'name', 'op': '==', 'value': 'Orbit'}])
#: Every way to a publisher: a path, and the keys that its line names (None for an export).
WAYS = {
    'list': '/publishers/',
    'one': '/publishers/{id}/',
    'query': '/publishers/query/',
    'export': '/publishers/?format=csv',
    'one of another': '/books/{book}/?mask={publisher}',
    'filter of another': '/books/?filter=' + FILTER,
    'order of another': '/books/?ordering=publisher.name',
    'list in another': '/countries/?mask={publishers{name}}',
}
SILENT = ('/books/', '/books/{book}/', '/books/?ordering=title', '/books/?format=csv')


@pytest.fixture
def book() -> Book:
    """A book with a publisher."""
    country = Country.objects.create(code='NO', name='Norway')
    return make_book(publisher=Publisher.objects.create(name='Orbit', country=country))


def reads() -> list[SecurityEvent]:
    """The lines of reads, the oldest first."""
    return list(SecurityEvent.objects.filter(action='read').order_by('pk'))


def ask(book: Book, address: str) -> Any:
    """The answer to a guest, who has a name for themselves."""
    path = address.replace('{id}', str(book.publisher_id)).replace('{book}', str(book.pk))
    path, _, mask = path.partition('?mask=')
    headers = {'X-Fields': mask} if mask else {}
    client = Client(REMOTE_ADDR='198.51.100.7', headers={'User-Agent': 'Reader/1'})
    if path.endswith('query/'):
        return client.post(path, {}, content_type='application/json', headers=headers)
    answer: Any = client.get(path, headers=headers)
    if answer.streaming:
        answer.getvalue()
    return answer


@pytest.mark.parametrize('way', WAYS)
def test_a_read_leaves_one_line(book: Book, way: str) -> None:
    answer = ask(book, WAYS[way])
    assert answer.status_code == 200, answer.content
    (line,) = reads()
    assert (line.resource, line.actor, line.address, line.agent) == (
        'WatchedPublisher',
        'guest:guest',
        '198.51.100.7',
        'Reader/1',
    )
    assert line.request_id == answer.headers['X-Request-Id']
    top = 'WatchedPublisher'
    if 'another' in way:
        top = 'WatchedCountry' if 'list' in way else 'WatchedBook'
    assert line.detail['of'] == top
    if way in ('list', 'one', 'query'):
        assert line.detail['keys'] == [book.publisher_id]
        assert line.detail['fields'] == ['id', 'name', 'country_id']
    assert 'Orbit' not in json.dumps(line.detail)


@pytest.mark.parametrize('address', SILENT)
def test_other_reads_leave_none(book: Book, address: str) -> None:
    assert ask(book, address).status_code == 200
    assert reads() == []


def test_what_is_refused_was_not_read(book: Book) -> None:
    assert ask(book, '/publishers/?ordering=unheard_of').status_code == 400
    assert reads() == []


def test_a_write_that_shows_the_row_is_a_read(book: Book, client: Client) -> None:
    ann = Account.objects.create_user('ann@example.com')
    client.force_login(ann)
    path = f'/publishers/{book.publisher_id}/'
    answer = client.patch(path, {'name': 'Sphere'}, content_type='application/json')
    assert answer.status_code == 200
    (line,) = reads()
    assert (line.account_id, line.actor) == (ann.pk, f'account:{ann.pk}')
    assert line.detail['keys'] == [book.publisher_id]


def test_services_and_commands_leave_lines(book: Book) -> None:
    caller = Caller(kind='task', name='nightly')
    read_rows(WatchedPublisherResource, caller)
    read_rows(WatchedBookResource, caller, mask='{publisher{name}}')
    assert [line.actor for line in reads()] == ['task:nightly'] * 2


def test_pages_of_the_admin_leave_lines(book: Book, client: Client) -> None:
    client.force_login(Account.objects.create_superuser('root@example.com', 'a long password'))
    for path in ('publisher/', f'publisher/{book.publisher_id}/change/'):
        assert client.get(f'/watched/bookshop/{path}').status_code == 200
    assert [line.detail['keys'] for line in reads()] == [[str(book.publisher_id)]] * 2
    SecurityEvent.objects.all().delete()
    # The list of books shows what their publishers are called.
    assert client.get(f'/watched/bookshop/book/{book.pk}/change/').status_code == 200
    assert [line.resource for line in reads()] == ['WatchedPublisher']


def test_what_cannot_be_recorded_is_not_read(book: Book) -> None:
    with connection.cursor() as cursor:
        cursor.execute('ALTER TABLE audit_securityevent RENAME TO audit_elsewhere')
    with pytest.raises(DatabaseError, match='audit_securityevent'), transaction.atomic():
        ask(book, '/publishers/')
