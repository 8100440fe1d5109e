"""Bodies and headers of people who mean harm: refused, at once, and nothing changes.

Every body here is one that no client should send. None may be answered with a 5xx or a success,
change a row, name SQL in its answer, or take more than a moment. Each engine gets one half of them;
`make prove` sends all to each.
"""

import gzip
import json
import re
from collections.abc import Iterator
from time import process_time
from typing import Any

import pytest
from django.apps import apps
from django.db import models

from backstay.resources.models import IdempotencyKey
from tests.lending.models import Branch, Cover, Item, Keyword, Loan, Note, Stamp
from tests.proofs import SHARE, half_of
from tests.resources.http.test_hostile import SQL
from tests.writes.conftest import Ask

pytestmark = pytest.mark.django_db

MAX_SECONDS = 20
BIG = 10**400
DEEP = 20_000
JSON = 'application/json'

#: Not JSON, or no JSON that is read.
TEXTS: list[bytes] = [
    b'',
    b' ',
    b'\n\n\n',
    b'\x00',
    b'\x00\x00\x00\x00',
    b'{',
    b'}',
    b'[',
    b']',
    b'"',
    b"'",
    b'{"',
    b'{"title"',
    b'{"title":',
    b'{"title":}',
    b'{"title":"x"',
    b'{"title":"x",}',
    b'{"title":"x"}}',
    b'{"title":"x"} {"title":"y"}',
    b'{"title":"x"}\x00',
    b'{title:"x"}',
    b"{'title':'x'}",
    b'{"title" "x"}',
    b'{,}',
    b'[,]',
    b'[1,]',
    b'{"title":"x",,"pages":1}',
    b'// comment\n{"title":"x"}',
    b'/* comment */{"title":"x"}',
    b'{"title":"x"} // comment',
    b'undefined',
    b'nul',
    b'True',
    b'None',
    b'NaN',
    b'Infinity',
    b'-Infinity',
    b'{"price":NaN}',
    b'{"price":Infinity}',
    b'{"price":-Infinity}',
    b'{"pages":NaN}',
    b'{"details":NaN}',
    b'{"details":[Infinity]}',
    b'{"pages":01}',
    b'{"pages":+1}',
    b'{"pages":.5}',
    b'{"pages":5.}',
    b'{"pages":0x10}',
    b'{"pages":1_000}',
    b'{"pages":1e}',
    b'{"pages":--1}',
    b'{"pages":' + b'9' * 5_000 + b'}',
    b'{"price":1.' + b'0' * 5_000 + b'}',
    b'{"price":1e' + b'9' * 50 + b'}',
    b'{"price":-1e' + b'9' * 500 + b'}',
    b'{"title":"\\ud800"}',
    b'{"title":"\\udfff\\ud800"}',
    b'{"title":"a\\uD83D"}',
    b'{"\\ud800":1}',
    b'{"details":{"\\udc00":1}}',
    b'{"details":["\\udc00"]}',
    b'{"title":"\\u00"}',
    b'{"title":"\\x41"}',
    b'{"title":"a\nb"}',
    b'{"title":"a\tb"}',
    b'{"title":"a\x00b"}',
    b'{"title":"\xff"}',
    b'{"title":"\xc3"}',
    b'{"title":"\xed\xa0\x80"}',
    b'{"title":"\xc0\xaf"}',
    b'{"title":"\xf5\x80\x80\x80"}',
    b'\xff\xfe' + '{"title":"x"}'.encode('utf-16-le'),
    '{"title":"x"}'.encode('utf-16'),
    '{"title":"x"}'.encode('utf-32'),
    '{"title":"\xe9"}'.encode('latin-1'),
    b'\xef\xbb\xbf',
    b'{"title":"x","title":"y"}',
    b'{"title":"x","\\u0074itle":"y"}',
    b'{"details":{"a":1,"a":2}}',
    b'{"notes":[{"text":"a","text":"b"}]}',
    b'{"branch_id":1,"branch_id":2}',
    b'[' * DEEP,
    b']' * DEEP,
    b'{"a":' * DEEP,
    b'[' * DEEP + b']' * DEEP,
    b'{"details":' + b'[' * DEEP + b']' * DEEP + b'}',
    b'{"details":' + b'{"a":' * 100 + b'1' + b'}' * 101,
    b'{"notes":' + b'[' * 100 + b']' * 100 + b'}',
    b'"' + b'\\' * 9_999,
    gzip.compress(b'{"title":"x"}'),
    b'title=x&pages=1',
    b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nx\r\n--x--\r\n',
    b'<?xml version="1.0"?><title>x</title>',
    b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    b'title: x',
    b'!!python/object/apply:os.system ["true"]',
    b'\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01x\x94.',
    b'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
]
#: JSON that is neither an object nor a list of something.
SCALARS: list[Any] = [
    None, True, False, 0, 1, -1, 1.5, BIG, -BIG, '', 'x', '\x00', '{}', '[]', '1; DROP TABLE x',
    '%s',
]  # fmt: skip
#: Names that no body of any resource has.
NAMES = [
    '', ' ', '\x00', '__proto__', 'constructor', 'prototype', '__class__', '__dict__', '__init__',
    'pk', '_state', 'objects', 'save', 'delete', 'branch', 'branch__name', 'branch_id__in',
    'keywords__word', 'loans', 'note_set', 'deleted_at', 'updated_at', 'double_pages', 'version',
    'id', 'Title', 'title ', ' title', 'TITLE', 'title\x00', 't\u0456tle', 'title;--',
    'title"; DROP TABLE lending_item; --', '%(title)s', '{title}', '${title}', '$where', '$ne',
    '../title', 'title/x', 'title~x', '~0', '~1', '~2', '/', 'a' * 10_000, '\U0001f4a3' * 1_000,
    '<script>', '\u202etitle', '\ufeff', 'operations', 'atomic', 'op', 'if_version', '0', '-1',
]  # fmt: skip
#: Values that none of these members takes.
WRONG: dict[str, list[Any]] = {
    'title': [
        None, True, [], {}, [1], {'a': 1}, '', ' ', '\t\n', 'x' * 81, 'x' * 100_000, 'a\x00b',
        'x\x00',
        '\x00', 1.5, 1e300, [['x']], {'$ne': ''}, 'forbidden',
    ],
    'code': [
        None, '', 'a b', 'a/b', 'x' * 41, '\xe9', "' OR 1=1", '\x00', [], {}, 'a;b', '%', 'a.b',
    ],
    'price': [
        'x', 'NaN', 'Infinity', '-Infinity', 'sNaN', '1e400', '1e5000', 1e300, BIG, -BIG, '1.005',
        1.005, '1234567.00', 1_234_567, '0x10', '1,00', [], {}, True, ['1.00'], '1' * 5_000, '- 1',
        '\x00', '1.00\x00', 'Infinity\x00', '-1.00', -1, '1..0',
    ],
    'pages': [
        None, '', 'x', -1, 1.5, 2**31, 2**63, 2**64, BIG, -BIG, '1e3', '1.5', [], {}, [1], True,
        '0x1', '1' * 5_000, '1' * 2_000, 'NaN', '\u4e00', '\x00', '1\x00', 1e300,
    ],
    'status': [None, '', 'DRAFT', 'x', 0, 1, True, [], {}, ['draft'], 'draft ', '\x00', BIG],
    'branch_id': [
        None, '', 'x', 0, -1, 1.5, 10**9, 2**63, 2**64, BIG, [], {}, [1], True, '1 OR 1=1', '\x00',
        {'id': 1}, '1' * 5_000, 1e300,
    ],
    'cost': ['x', BIG, [], {}, 'NaN', '1e400', '1.005', '\x00', True],
    'secret': ['x' * 41, None, [], {}, True, '\x00', 1.5],
    'details': [
        {'a': '\x00'}, {'\x00': 1}, ['\x00'], '\x00', [[['\x00']]], {'a': {'b': ['\x00']}},
    ],
    'notes': [
        None, {}, 1, 'x', True, [None], [1], ['x'], [[]], [True], [{}], [{'text': None}],
        [{'text': []}], [{'text': 'x' * 81}], [{'text': 'x', 'id': 10**9}], [{'id': None}],
        [{'id': []}], [{'id': {}}], [{'id': True}], [{'id': 1.5}], [{'id': BIG}], [{'id': 'x'}],
        [{'id': '\x00'}], [{'text': 'x', 'item_id': 1}], [{'text': 'x', 'item': 1}],
        [{'text': 'x', 'position': 1}] * 2, [{'text': 'x', 'position': -1}],
        [{'text': 'x', 'position': 2**31}], [{'text': 'x', 'marks': None}],
        [{'text': 'x', 'marks': [None]}], [{'text': 'x', 'marks': [{}]}],
        [{'text': 'x', 'marks': [{'sign': 'x' * 11}]}], [{'text': 'x', 'marks': [{'note_id': 1}]}],
        [{'text': 'x', '__proto__': {}}], [{'text': 'x', 'is_hidden': 'maybe'}],
        [{'text': 'x', 'position': at} for at in range(1_000)], [{'a' * 9_999: 1}], [{}] * 5_000,
    ],
    'cover': [
        [], [1], 1, 'x', True, {'colour': None}, {'colour': ''}, {'colour': 'x' * 21},
        {'colour': []},
        {'colour': 'x', 'id': 1}, {'colour': 'x', 'item_id': 1}, {'colour': '\x00'}, {'': 1},
    ],
    'keywords': [
        None, {}, 1, 'x', True, [None], [True], [1.5], [[]], [{}], ['x'], [BIG], [2**63],
        [-(2**63) - 1],
        [10**9], ['\x00'], ['1 OR 1=1'], ['1' * 5_000], [{'id': 1}], [1e300], [''], [2**64] * 3_000,
    ],
}  # fmt: skip


def objects() -> Iterator[Any]:
    """What no row can be made, changed or replaced with."""
    for name in NAMES:
        yield {name: 1}
    yield {f'm{at}': at for at in range(10_000)}
    yield {'title': 'x', **{f'm{at}': [] for at in range(1_000)}}
    for name, values in WRONG.items():
        for value in values:
            yield {name: value}


def whole_bodies() -> Iterator[bytes]:
    """What is no object for any address that takes one."""
    yield from TEXTS
    for value in (*SCALARS, [[]], [None], [{'title': 'x'}], [['title', 'x']], [1] * 100_000):
        yield dumped(value)


def dumped(value: Any) -> bytes:
    """As JSON; a float that JSON would show as a long one stays what it is."""
    return json.dumps(value).encode()


def operations() -> Iterator[Any]:
    """What no bulk request can ask for."""
    for value in (*SCALARS, {}, {'a': 1}):
        if value is not None:
            yield {'operations': value}
    for value in (*SCALARS, [], {}, [{}], {'op': None}, {'op': []}, {'op': {}}, {'op': 'drop'}):
        yield {'operations': [value]}
    for value in SCALARS:
        if not isinstance(value, bool):
            yield {'operations': [], 'atomic': value}
        yield {'operations': [{'op': value}]}
        yield {'operations': [{'op': 'create', 'body': value}]}
        yield {'operations': [{'op': 'delete', 'id': 10**9, 'if_version': value if value else 'x'}]}
        if type(value) is not int or value > 9:
            yield {'operations': [{'op': 'delete', 'id': value}]}
            yield {'operations': [{'op': 'update', 'id': value, 'body': {}}]}
    for value in (None, [], {}, BIG, '\x00', {'code': None}, {'code': []}, {'title': 'x'}):
        yield {'operations': [{'op': 'upsert', 'key': value, 'body': {}}]}
    yield {'operations': [{'op': 'delete', 'id': 10**9}] * 1_001}
    yield {'operations': [{'op': 'create', 'body': {}, 'x' * 9_999: 1}]}
    yield {'operations': [], 'x' * 9_999: 1}
    for name in NAMES:
        if name not in ('operations', 'atomic'):
            yield {'operations': [], name: 1}
    for body in objects():
        yield {'operations': [{'op': 'update', 'id': 1, 'body': body}]}


@pytest.fixture
def rows(people: Any, north: Branch) -> Item:
    """A row of each kind, whose loss or change would be seen."""
    item = Item.objects.create(branch=north, code='here', title='Here', details={'a': 1})
    Item.objects.create(branch=north, code='gone', title='Gone', deleted_at='2026-01-01T00:00Z')
    Cover.objects.create(item=item, colour='red')
    Note.objects.create(item=item, text='note')
    Loan.objects.create(item=item, reader='Ada')
    Stamp.objects.create(code='s', label='S')
    item.keywords.add(Keyword.objects.create(word='art'))
    return item


def checksum() -> dict[str, Any]:
    """What is in every table but that of idempotency keys, which holds requests and no rows."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        if model is not IdempotencyKey and not model._meta.proxy and model._meta.managed:
            found[model._meta.label] = rows_of(model)
    return found


def rows_of(model: type[models.Model]) -> list[Any]:
    return list(model._base_manager.order_by('pk').values_list())


class Hostile:
    """Sends requests, and looks at what all answers have in common."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.count = 0

    def send(self, method: str, path: str, body: bytes = b'', **headers: str) -> Any:
        extra = {'HTTP_IDEMPOTENCY_KEY': f'k{self.count}', **headers}
        self.count += 1
        begun = process_time()
        answer = self.ask('manager', method, path, body, **extra)
        taken = process_time() - begun
        about = (method, path, body[:120], extra)
        assert 400 <= answer.status_code < 500, (*about, answer.status_code, answer.content[:500])
        assert answer['Content-Type'] == 'application/problem+json', about
        problem = answer.json()
        assert re.fullmatch('[a-z]+(-[a-z]+)*', problem['code']), about
        assert not SQL.search(answer.content.decode()), (*about, answer.content)
        assert len(answer.content) < 20_000, about
        assert taken < MAX_SECONDS, (*about, taken)
        return answer


@pytest.fixture
def hostile(ask: Ask, rows: Item) -> Iterator[Hostile]:
    before = checksum()
    sender = Hostile(ask)
    yield sender
    assert checksum() == before


def test_there_are_enough_of_them() -> None:
    assert len([*whole_bodies(), *objects()]) > 300


@pytest.mark.parametrize('method', ['post', 'put', 'patch'])
def test_bodies_of_one_row(hostile: Hostile, rows: Item, method: str) -> None:
    path = '/items/' if method == 'post' else f'/items/{rows.pk}/'
    whole = {'branch_id': rows.branch_id, 'code': 'new', 'title': 'New'}
    for text in half_of(whole_bodies()):
        hostile.send(method, path, text)
    for body in half_of(objects()):
        # With everything that is required, it is refused for itself.
        hostile.send(method, path, dumped(body if method == 'patch' else {**whole, **body}))
    assert hostile.count > (300 if SHARE else 150)


def test_bodies_where_there_is_nothing_to_say(hostile: Hostile, rows: Item) -> None:
    nothing = (b'', b'{}')
    gone = Item.objects.get(code='gone').pk
    for method, path in (('delete', f'/items/{rows.pk}/'), ('post', f'/items/{gone}/restore/')):
        for text in half_of(whole_bodies()):
            if text not in nothing:
                hostile.send(method, path, text)
        for body in half_of(objects()):
            hostile.send(method, path, dumped(body))
    assert hostile.count > (600 if SHARE else 300)


def test_bodies_of_many_rows(hostile: Hostile) -> None:
    for text in half_of(whole_bodies()):
        for method in ('post', 'patch', 'delete'):
            hostile.send(method, '/items/bulk/', text)
    for body in half_of(operations()):
        hostile.send('post', '/items/bulk/', dumped(body))
    assert hostile.count > (600 if SHARE else 300)


def test_patches_and_keys_of_many_rows(hostile: Hostile, rows: Item) -> None:
    for body in half_of(objects()):
        hostile.send('patch', '/items/bulk/', dumped({str(rows.pk): body}))
        hostile.send('delete', '/items/bulk/', dumped(body))
        hostile.send('post', '/items/bulk/', dumped([body]))
        hostile.send('patch', '/items/bulk/', dumped(body))
    for value in (*SCALARS, [], {}, [rows.pk], {'id': rows.pk}):
        if value in (1, True):
            continue
        hostile.send('patch', '/items/bulk/', dumped({str(value): {'title': 'x'}}))
        hostile.send('patch', '/items/bulk/', dumped({str(rows.pk): value}) if value != {} else b'')
        hostile.send('delete', '/items/bulk/', dumped([value]))
        hostile.send('delete', '/items/bulk/', dumped([rows.pk, value]))
    hostile.send('delete', '/items/bulk/', dumped([rows.pk] * 2))
    hostile.send('delete', '/items/bulk/', dumped([10**9] * 1_001))
    hostile.send('delete', '/items/bulk/', dumped([rows.pk] * 100_000))


CONTENT_TYPES = [
    '', 'text/plain', 'text/html', 'application/xml', 'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x', 'multipart/form-data', 'application/jsonp', 'application',
    'application/json-patch+json', 'application/json, text/plain', 'text/json', 'image/png', '/',
    ';',
    'application/problem+json', 'application/octet-stream', 'APPLICATION/YAML', '*/*', 'x' * 5_000,
]  # fmt: skip


def test_content_types(hostile: Hostile, rows: Item) -> None:
    body = dumped({'title': 'x'})
    for method, path in (
        ('post', '/items/'),
        ('patch', f'/items/{rows.pk}/'),
        ('put', f'/items/{rows.pk}/'),
        ('delete', f'/items/{rows.pk}/'),
        ('post', '/items/bulk/'),
        ('patch', '/items/bulk/'),
        ('delete', '/items/bulk/'),
    ):
        for content_type in CONTENT_TYPES:
            answer = hostile.send(method, path, body, CONTENT_TYPE=content_type)
            told = (answer.status_code, answer.json()['code'])
            assert told == (415, 'unsupported-media-type'), (method, path, content_type)


def test_packed_bodies(hostile: Hostile, rows: Item) -> None:
    bomb = gzip.compress(b'{"title":"' + b'x' * 1_000_000 + b'"}')
    for encoding in ('gzip', 'deflate', 'br', 'identity, gzip', 'x'):
        headers = {'HTTP_CONTENT_ENCODING': encoding}
        hostile.send('patch', f'/items/{rows.pk}/', bomb, **headers)
        hostile.send('post', '/items/bulk/', bomb, **headers)


def test_bodies_that_are_too_large(hostile: Hostile, rows: Item) -> None:
    large = b'{"title":"' + b'x' * (1024 * 1024) + b'"}'
    answer = hostile.send('patch', f'/items/{rows.pk}/', large)
    assert (answer.status_code, answer.json()['code']) == (413, 'payload-too-large')
    answer = hostile.send('delete', f'/items/{rows.pk}/', large)
    assert answer.status_code == 413
    answer = hostile.send('post', '/items/bulk/', b'[' + b' ' * (16 * 1024 * 1024) + b']')
    assert answer.status_code == 413


IF_MATCH = [
    '1', '"', '""', '"1', '1"', "'1'", 'W/', 'W/1', 'W/"1', 'w/"1"', '"1" "1"', '"1"; "1"',
    ', "1" x', '"\x01"', '"a\x00"', '*, "1"', '**', '"1"*', 'null', '%', '"2"', 'W/"2"',
    '"9999999999999999999999999"', '"-1"', '"1.0"', '"01-x" x', '"\u0661"',
    '"' + '9' * 10_000 + '"',
    '"x"' * 5_000, '"x",' * 5_000 + '1', '"' * 10_001, 'W/' * 10_000, ' ,' * 10_000 + 'x',
    '1 OR 1=1',
    '"1\' OR 1=1"',
]  # fmt: skip
KEYS = [
    '', ' ', '\t', '\x00', '\x7f', 'a\x00b', 'a\nb', 'a\r\nX: y', '\xe9', '\u2603', 'a\tb',
    'x' * 256,
    'x' * 100_000, ' ' * 300, 'a' + ' ' * 400 + 'a',
]  # fmt: skip
MASKS = [
    '{', '}', '{{', 'id{', 'a{b', '{id}}', ',', 'id,,title', 'title{x}', '{' * 4_000, 'a{' * 2_000,
    'a,' * 300, 'x' * 4_097, '\xe9' * 2_100, 'notes{' * 100, 'id{*}', 'notes{text{x}}',
]  # fmt: skip


def test_headers(hostile: Hostile, rows: Item) -> None:
    path, body = f'/items/{rows.pk}/', dumped({'title': 'x'})
    for given in IF_MATCH:
        hostile.send('patch', path, body, HTTP_IF_MATCH=given)
        hostile.send('put', path, dumped({'code': 'c'}), HTTP_IF_MATCH=given)
        hostile.send('delete', path, HTTP_IF_MATCH=given)
    for given in KEYS:
        for method, where, text in (
            ('post', '/items/', b'{}'),
            ('patch', path, body),
            ('delete', path, b''),
            ('post', '/items/bulk/', b'[{}]'),
            ('patch', '/items/bulk/', b'{"1":{}}'),
            ('delete', '/items/bulk/', b'[1]'),
        ):
            answer = hostile.send(method, where, text, HTTP_IDEMPOTENCY_KEY=given)
            assert answer.json()['code'] == 'header-invalid'
    for given in MASKS:
        hostile.send('post', '/items/', b'{}', HTTP_X_FIELDS=given)
        hostile.send('patch', path, body, HTTP_X_FIELDS=given)
        hostile.send('patch', path, body, QUERY_STRING=f'fields={given}')


def test_parameters_and_addresses(hostile: Hostile, rows: Item) -> None:
    body = dumped({'title': 'x'})
    for query in (
        'x=1',
        'filter=[]',
        'limit=1',
        'fields=id&fields=id',
        'include_deleted=yes',
        '=1',
    ):
        hostile.send('patch', f'/items/{rows.pk}/', body, QUERY_STRING=query)
    for key in (
        'x',
        '0',
        '-1',
        '1.5',
        '9' * 30,
        '9' * 5_000,
        '%00',
        '%FF',
        '1%20OR%201=1',
        '\u0661',
    ):
        for method in ('patch', 'delete'):
            text = body if method == 'patch' else b''
            answer = hostile.send(method, f'/items/{key}/', text)
            assert answer.status_code in (400, 404)
