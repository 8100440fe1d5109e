"""Requests of people who mean harm: each is a problem, at once, and says nothing of the database.

Every request is one that no client should send: malformed, beyond a limit, or about what is not
there. None may be answered with a 5xx, an answer that names SQL, or more than a moment's work.
"""

import gc
import json
import re
from collections.abc import Iterator
from time import process_time
from typing import Any
from urllib.parse import quote

import pytest

from tests.proofs import half_of
from tests.resources.http.asking import Answer, call, get, post

#: What only a database, a driver or a traceback says.
SQL = re.compile(
    r'\b(SELECT|FROM|WHERE|JOIN)\b|\b(?i:sqlite|psycopg|postgres|bookshop_|traceback|syntax error|'
    r'column reference|operator does not exist|operationalerror|dataerror|relation ")'
)
MAX_SECONDS = 0.1

BIG = '9' * 5_000
DEEP = 20_000

MASKS = [
    'id,,title',
    ',id',
    '}',
    '{',
    '{{id}}',
    'title{x}',
    'title{}',
    'labels{x}',
    'editions{isbn{x}}',
    'id{*}',
    'a{b',
    'a}b',
    '{a},{b}',
    '{' * 4_000,
    '}' * 4_000,
    'a{' * 2_000,
    'a,' * 300,
    'x' * 4_097,
    'é' * 2_100,
    '*,' * 300,
    'a{' * 9 + 'b' + '}' * 9,
    '{' * 4_000 + '}' * 4_000,
    'editions{' * 100,
    'id,{title}',
    'id{,}',
]

#: Specs that are JSON.
SPECS: list[Any] = [
    None,
    1,
    'x',
    True,
    [1],
    [[1]],
    [None],
    {},
    [{}],
    {'field': 'nope', 'value': 1},
    {'field': '', 'value': 1},
    {'field': None, 'value': 1},
    {'field': 1, 'value': 1},
    {'field': {}, 'value': 1},
    {'field': [], 'value': 1},
    {'field': 'id'},
    {'field': 'id', 'op': '=='},
    {'field': 'id', 'op': 'regexp', 'value': 1},
    {'field': 'id', 'op': 'like', 'value': '1'},
    {'field': 'id', 'op': 1, 'value': 1},
    {'field': 'id', 'op': {}, 'value': 1},
    {'field': 'id', 'op': ['=='], 'value': 1},
    {'field': 'id', 'op': 'IN', 'value': [1]},
    {'field': 'id', 'op': '=', 'value': 1},
    {'field': 'id', 'op': '; DROP TABLE bookshop_book', 'value': 1},
    {'field': 'id', 'value': 'abc'},
    {'field': 'id', 'value': True},
    {'field': 'id', 'value': 1.5},
    {'field': 'id', 'value': [1]},
    {'field': 'id', 'value': {'x': 1}},
    {'field': 'id', 'value': 2**63},
    {'field': 'id', 'value': -(2**64)},
    {'field': 'id', 'value': 10**400},
    {'field': 'id', 'value': '٣'},
    {'field': 'id', 'value': '1 OR 1=1'},
    {'field': 'id', 'value': '1' * 300},
    {'field': 'id', 'value': ''},
    {'field': 'id', 'op': 'in', 'value': 1},
    {'field': 'id', 'op': 'in', 'value': '1,2'},
    {'field': 'id', 'op': 'in', 'value': {'a': 1}},
    {'field': 'id', 'op': 'in', 'value': [1, None]},
    {'field': 'id', 'op': 'in', 'value': [[1]]},
    {'field': 'id', 'op': 'in', 'value': [1, 'x']},
    {'field': 'id', 'op': 'in', 'value': list(range(501))},
    {'field': 'id', 'op': 'not_in', 'value': 'x'},
    {'field': 'id', 'op': 'any', 'value': 1},
    {'field': 'id', 'value': 1, 'junk': 1},
    {'field': 'id', 'value': 1, '': 1},
    {'field': '__class__', 'value': 1},
    {'field': 'pk', 'value': 1},
    {'field': 'id__gt', 'value': 1},
    {'field': 'publisher', 'value': 1},
    {'field': 'publisher__name', 'value': 'x'},
    {'field': 'publisher.name', 'value': 'x'},
    {'field': 'id"; --', 'value': 1},
    {'field': 'id%s', 'value': 1},
    {'field': 'shouted', 'value': 'x'},
    {'field': 'url', 'value': 'x'},
    {'field': 'blurb', 'value': 'x'},
    {'field': 'blurb', 'op': 'like', 'value': '%'},
    {'field': 'metadata', 'value': {}},
    {'field': 'metadata', 'op': '>', 'value': 1},
    {'field': 'metadata.', 'value': 1},
    {'field': 'metadata.a.b', 'value': 1},
    {'field': 'metadata.a"b', 'value': 1},
    {'field': "metadata.a'b", 'value': 1},
    {'field': 'metadata.' + 'a' * 65, 'value': 1},
    {'field': 'metadata.colour', 'op': 'like', 'value': 'x'},
    {'field': 'metadata.colour', 'value': []},
    {'field': 'metadata.colour', 'value': 2**80},
    {'field': 'labels', 'op': 'any', 'value': {}},
    {'field': 'labels', 'op': 'any', 'value': [1]},
    {'field': 'labels', 'op': '==', 'value': 'x'},
    {'field': 'status', 'value': 'gone'},
    {'field': 'status', 'op': '>', 'value': 'active'},
    {'field': 'status', 'op': 'like', 'value': 'a%'},
    {'field': 'status', 'value': 1},
    {'field': 'title', 'value': 'a\0b'},
    {'field': 'title', 'value': '\ud800'},
    {'field': 'title', 'value': 'x' * 257},
    {'field': 'title', 'value': 1},
    {'field': 'title', 'op': 'like', 'value': '\\'},
    {'field': 'title', 'op': 'ilike', 'value': '%\\'},
    {'field': 'title', 'op': 'like', 'value': 1},
    {'field': 'price', 'value': 'NaN'},
    {'field': 'price', 'value': 'Infinity'},
    {'field': 'price', 'value': '1e999999999'},
    {'field': 'price', 'value': '1e-999999999'},
    {'field': 'price', 'value': '1,5'},
    {'field': 'price', 'value': '0x10'},
    {'field': 'price', 'value': '1_000'},
    {'field': 'price', 'value': '1' * 200},
    {'field': 'rating', 'value': 'nan'},
    {'field': 'rating', 'value': '1e999'},
    {'field': 'rating', 'value': 10**400},
    {'field': 'pages', 'value': -(2**40)},
    {'field': 'released_on', 'value': '2026-02-30'},
    {'field': 'released_on', 'value': '2026-1-1'},
    {'field': 'released_on', 'value': '20260101'},
    {'field': 'released_on', 'value': '0000-01-01'},
    {'field': 'released_on', 'value': '10000-01-01'},
    {'field': 'released_on', 'value': 20260101},
    {'field': 'created_at', 'value': 'yesterday'},
    {'field': 'created_at', 'value': '2026-01-01T25:00:00Z'},
    {'field': 'created_at', 'value': '2026-01-01T00:00:00.1234567Z'},
    {'field': 'created_at', 'value': '0001-01-01T00:00:00+14:00'},
    {'field': 'created_at', 'value': '9999-12-31T23:59:59-14:00'},
    {'field': 'created_at', 'value': 0},
    {'model': 'Account', 'field': 'password', 'op': 'like', 'value': '$%'},
    {'model': None, 'field': 'id', 'value': 1},
    {'model': [], 'field': 'id', 'value': 1},
    {'model': '', 'field': 'id', 'value': 1},
    {'model': 'book', 'field': 'id', 'value': 1},
    {'model': 'tests.bookshop.models.Book', 'field': 'id', 'value': 1},
    {'model': 'Edition', 'field': 'nope', 'value': 1},
    {'model': 'Biography', 'field': 'words', 'value': 1},
    {'or': []},
    {'or': {}},
    {'or': 'x'},
    {'or': None},
    {'or': [[]]},
    {'or': [{}]},
    {'and': []},
    {'and': 1},
    {'not': []},
    {'not': {}},
    {'not': [{'field': 'id', 'value': 1}, {'field': 'id', 'value': 2}]},
    {'or': [{'field': 'id', 'value': 1}], 'and': [{'field': 'id', 'value': 1}]},
    {'or': [{'field': 'id', 'value': 1}], 'x': 1},
    {'xor': [{'field': 'id', 'value': 1}]},
    {'some': None},
    {'some': []},
    {'some': {}},
    {'some': {'model': 'Book', 'where': []}},
    {'some': {'model': 'Nope', 'where': []}},
    {'some': {'model': 'Edition', 'where': {}}},
    {'some': {'model': 'Edition', 'where': [{'field': 'title', 'value': 'x'}]}},
    {'some': {'model': 'Edition', 'where': [], 'x': 1}},
    {'none': {'where': []}},
    [{'field': 'id', 'value': 1}] * 101,
    [{'some': {'model': 'Edition', 'where': []}}] * 5,
    {
        'some': {
            'model': 'Edition',
            'where': [
                {
                    'some': {
                        'model': 'Review',
                        'where': [{'some': {'model': 'Edition', 'where': []}}],
                    }
                }
            ],
        }
    },
    [
        {'model': model, 'field': 'id', 'value': 1}
        for model in ('Publisher', 'Edition', 'Author', 'Tag')
    ],
]

#: Texts of a filter that are no JSON, or too much of it.
TEXTS = [
    '{',
    '[',
    ']',
    'null',
    '{"field":"id","value":1',
    '{"field":"id","field":"id","value":1}',
    '[1,]',
    "{'field':'id'}",
    'NaN',
    '[Infinity]',
    '{"field":"id","value":NaN}',
    '{"field":"price","value":-Infinity}',
    '{"field":"price","value":1e99999999999999999999}',
    '[' * 500,
    '[' * 4_000,
    '{"not":' * 500,
    '[' * 50 + ']' * 50,
    '[' * 100 + ']' * 100,
    '{"or":[' * 11 + '{"field":"id","value":1}' + ']}' * 11,
    '{"field":"id","value":' + '9' * 4_000 + '}',
    '{"field":"title","value":"' + 'x' * 4_000 + '"}',
    '{"field":"title","value":"\\ud800"}',
    '{"field":"title","value":"\\u0000"}',
    ' ' * 4_097,
    '\ufeff[]',
    '[]x',
    '//',
    'undefined',
    '\0',
    '"' * 999,
]

#: Query strings.
QUERIES = [
    'nope=1',
    'id__nope=1',
    'id____gt=1',
    '__=1',
    '=1',
    '__class__=1',
    'id__gt=x',
    'id__in=1,x',
    'id__in=1;2',
    'id__in=' + ','.join(['1'] * 501),
    'id__range=1',
    'id__range=1,2,3',
    'id__range=',
    'id__isnull=maybe',
    'id__isnull=1',
    'id__isnull=',
    'id=',
    'id=1&id=2',
    'id[]=1',
    'id=1%00',
    'id=%FF',
    'id=' + '9' * 300,
    'title=' + 'x' * 257,
    'title=%00',
    'title__icontains=%00',
    'title__icontains=' + 'x' * 300,
    'title__regex=(a%2B)%2B$',
    'title__iregex=x',
    'title__search=x',
    'title__unaccent=x',
    'status=gone',
    'status__icontains=a',
    'price=x',
    'price__gte=1e999999',
    'price__year=2026',
    'created_at__year=2026',
    'created_at__date=2026-01-01',
    'released_on=2026-13-01',
    'rating=NaN',
    'metadata=x',
    'metadata__colour=red',
    'metadata.=1',
    'metadata.a.b=1',
    'metadata.colour__like=x',
    'labels=x',
    'labels__contains=x',
    'blurb__contains=x',
    'shouted=x',
    'publisher=1',
    'publisher__name=x',
    'publisher.nope=1',
    'publisher.country.name=x',
    'editions.reviews.stars=1',
    'publisher..name=1',
    '.=1',
    'publisher.=1',
    'pk=1',
    'password=x',
    'limit=-1',
    'limit=101',
    'limit=1.0',
    'limit=1e2',
    'limit=0x10',
    'limit=+1',
    'limit=%201',
    'limit=1&limit=2',
    'limit=' + '9' * 4_000,
    'limit=%D9%A1',
    'limit=NaN',
    'limit=1;DROP%20TABLE%20x',
    'offset=-1',
    'offset=10001',
    'offset=' + '9' * 4_000,
    'offset=1.5',
    'offset=x',
    'count=x',
    'count=',
    'count=exact&count=none',
    'cursor=x',
    'cursor=' + 'x' * 8_000,
    'cursor=%00',
    'cursor=..%2F..%2Fetc%2Fpasswd',
    'cursor=W10~1~2',
    'cursor=&offset=1',
    'cursor=&limit=0',
    'sort=nope',
    'sort=-',
    'sort=--id',
    'sort=id,,title',
    'sort=,',
    'sort=id%20desc',
    'sort=id%3B--',
    'sort=%00',
    'sort=blurb',
    'sort=metadata',
    'sort=shouted',
    'sort=editions.isbn',
    'sort=publisher.country.name',
    'sort=publisher__name',
    'sort=id,title,slug,price,pages,rating',
    'sort=%5B1%5D',
    'sort=%22id%22',
    'sort=%7B%7D',
    'sort=%7B',
    'sort=[' + '[' * 2_000,
    'sort=%5B%7B%22field%22%3A%22id%22%2C%22direction%22%3A%22up%22%7D%5D',
    'sort=id&ordering=id',
    'ordering=random()',
    'ordering=%3F',
    'ordering=pk.x',
    'fields=id,,x',
    'fields=title{x}',
    'fields=id&fields=id',
    'filter=[]&filter=[]',
    'filter[]=1',
    'fitler=',
    'search=x',
    'page=1',
    'page_size=10',
    'expand=publisher',
    'include=publisher',
    'a=1&' * 1_001,
    'x' * 5_000 + '=1',
    '%F0%9F%98%80=1',
    '%00=1',
    "'%20OR%201=1--=1",
]

#: Bodies of a query.
BODIES: list[Any] = [
    '',
    'x',
    '[]',
    '1',
    'null',
    '"x"',
    'true',
    '{',
    '{"a":1,"a":1}',
    '{"limit":1,"limit":2}',
    '{"filter":' + '[' * DEEP,
    '{"filter":' + '[' * DEEP + ']' * DEEP + '}',
    '{"filter":' + '{"not":[' * 10_000 + ']}' * 10_000 + '}',
    '{"limit":' + BIG + '}',
    '{"x":' + '9' * 100_000 + '}',
    '{"limit":1e400}',
    '{"a":"\\ud800"}',
    '{"\\u0000":1}',
    b'\xff\xfe',
    b'\x00',
    {'nope': 1},
    {'limit': None},
    {'limit': '1.5'},
    {'limit': [1]},
    {'limit': {}},
    {'limit': True},
    {'offset': 1.5},
    {'offset': []},
    {'offset': 10_001},
    {'count': 1},
    {'count': None},
    {'count': []},
    {'cursor': 1},
    {'cursor': []},
    {'cursor': 'x'},
    {'cursor': '', 'offset': 0},
    {'fields': 1},
    {'fields': []},
    {'fields': {}},
    {'fields': '{' * 100_000},
    {'fields': 'a' * 100_000},
    {'sort': 1},
    {'sort': [1]},
    {'sort': {}},
    {'sort': True},
    {'sort': [None]},
    {'sort': {'field': 'id'}},
    {'sort': {'field': 'id', 'direction': 'DESC'}},
    {'sort': {'field': 1, 'direction': 'asc'}},
    {'sort': {'field': 'id', 'direction': 1}},
    {'sort': {'field': 'id', 'direction': ['asc']}},
    {'sort': {'field': 'id', 'direction': 'asc', 'x': 1}},
    {'sort': {'field': 'id', 'direction': 'asc', 'nullsfirst': 1}},
    {'sort': {'field': 'id', 'direction': 'asc', 'model': []}},
    {'sort': {'field': 'id', 'direction': 'asc', 'model': 'Nope'}},
    {'sort': [{'field': 'id', 'direction': 'asc'}] * 6},
    {'ordering': {'a': 1}},
    {'sort': 'id', 'ordering': 'id'},
    {'id': []},
    {'id': {}},
    {'id__in': 5},
    {'id__in': 'x'},
    {'id__in': [None]},
    {'id__range': 5},
    {'id__range': [1]},
    {'id__isnull': 'x'},
    {'id__isnull': None},
    {'title__icontains': 5},
    {'title__icontains': None},
    {'price__gte': {}},
    {'': 1},
    {'__': 1},
    {'metadata.colour': {}},
]


def requests() -> Iterator[Any]:
    """Each request, with a name."""
    for at, mask in enumerate(MASKS):
        yield pytest.param(lambda mask=mask: get('/books/', mask), id=f'header-{at}')
        yield pytest.param(
            lambda mask=mask: get(f'/books/1/?fields={quote(mask)}'), id=f'mask-{at}'
        )
    for at, spec in enumerate(SPECS):
        text = json.dumps(spec)
        if len(text) < 4_096:
            yield pytest.param(lambda text=text: get('/books/', filter=text), id=f'spec-{at}')
        yield pytest.param(
            lambda text=text: post('/books/query/', f'{{"filter":{text}}}'), id=f'posted-{at}'
        )
    for at, text in enumerate(TEXTS):
        yield pytest.param(lambda text=text: get('/books/', filter=text), id=f'text-{at}')
    for at, query in enumerate(QUERIES):
        yield pytest.param(lambda query=query: call('GET', f'/books/?{query}'), id=f'query-{at}')
    for at, body in enumerate(BODIES):
        yield pytest.param(lambda body=body: post('/books/query/', body), id=f'body-{at}')


ALL = list(requests())


@pytest.fixture(autouse=True)
def _warm(db: None) -> Iterator[None]:
    """The first request of a process loads the site; the garbage of others is not our work.

    Rows are not needed: none may be read.
    """
    call('OPTIONS', '/books/')
    gc.disable()
    yield
    gc.enable()


def test_there_are_many() -> None:
    assert len(ALL) >= 500


@pytest.mark.parametrize('send', half_of(ALL))
def test_is_refused_at_once_and_without_a_word_of_sql(
    send: Any, django_assert_num_queries: Any
) -> None:
    before = process_time()
    with django_assert_num_queries(0):
        answer: Answer = send()
    took = process_time() - before

    assert 400 <= answer.status < 500, answer.body
    assert answer['Content-Type'] == 'application/problem+json'
    assert {'status', 'code', 'title', 'type'} <= set(answer.json)
    assert isinstance(answer.json['detail'], str)
    assert len(answer.body) < 4_000
    own_words = answer.json['detail'].replace('bookshop_book', '')  # what we sent ourselves
    assert not SQL.search(own_words), answer.json['detail']
    assert took < MAX_SECONDS
