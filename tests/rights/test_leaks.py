"""What peers leaked: names, rows, counts and keys that the caller may not know."""

import json
import re
from base64 import b64decode
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from backstay.caller import Caller, Held
from backstay.docs import caller_in
from backstay.resources import Resource
from backstay.resources.query.cursor import encrypt
from tests.bookshop.models import Book, Publisher
from tests.inlined import inlined
from tests.rights.asking import ask
from tests.rights.callers import CALLERS
from tests.rights.oracle import View, target
from tests.rights.requests import Asked, answer_of, answers
from tests.rights.resources import SERVED
from tests.rights.site import MADE
from tests.rights.world import World, make_world

pytestmark = pytest.mark.django_db

#: Each has a resource, a caller, and a name that exists and that the caller may read nowhere.
HIDDEN = [
    (prefix, resource, word, name)
    for prefix, resource in SERVED.items()
    for word in ('guest', 'customer', 'operator')
    if (view := View(World(), CALLERS[word])).names(resource)
    for name in (*resource.fields(), *resource.relations())
    if name not in view.names(resource)
]
#: A name that is nowhere; long enough to be told apart from parts of other words.
UNKNOWN = 'nowhere_at_all'


@pytest.fixture(autouse=True)
def _site() -> Any:
    with override_settings(ROOT_URLCONF='tests.rights.site'):
        yield
    MADE.clear()


@pytest.fixture
def world() -> World:
    world = make_world(Random(3))
    world.store()
    return world


def full(path: str, word: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body through every middleware, without what no two answers share."""
    response = Client().get(path, headers={'Authorization': f'Caller {word}', **headers})
    answer = answer_of(response)
    told = {name: value for name, value in answer.headers if name.lower() != 'x-request-id'}
    body = answer.body
    if told['Content-Type'] == 'application/problem+json':
        problem = json.loads(body)
        body = json.dumps({**problem, 'instance': '', 'request_id': ''}).encode()
    return answer.status, told, body


# Rows.


@pytest.mark.parametrize('prefix', SERVED)
def test_not_yours_answers_like_not_there(world: World, prefix: str) -> None:
    """Rule L8: byte for byte, headers too, and with as many statements."""
    resource = SERVED[prefix]
    rows = world.rows[resource.options.model]
    absent = 'zz' if resource.options.lookup == 'code' else 4_711
    for word, caller in CALLERS.items():
        view = View(world, caller)
        hidden = [key for key, row in rows.items() if not view.grant(resource, row)]
        for key in hidden[:2] if view.names(resource) else ():
            mine = full(f'/{prefix}/{key}/', word)
            assert mine == full(f'/{prefix}/{absent}/', word)
            assert mine[0] == 404


@pytest.mark.parametrize('word', ['customer', 'operator', 'manager'])
def test_not_yours_costs_what_not_there_costs(world: World, word: str) -> None:
    view = View(world, CALLERS[word])
    hidden = next(
        row['id'] for row in world.rows[Book].values() if not view.grant(SERVED['works'], row)
    )
    counts = []
    for key in (hidden, 4_711):
        full(f'/works/{key}/', word)
        with CaptureQueriesContext(connection) as statements:
            full(f'/works/{key}/', word)
        counts.append([each['sql'].split(' ', 1)[0] for each in statements])

    assert counts[0] == counts[1]


# Names.


def asked_with(resource: type[Resource], name: str) -> list[dict[str, Any]]:
    """Every way of naming a field of a resource in a request."""
    model = resource.options.name
    leaf = {'field': name, 'value': 1}
    return [
        {'parameters': {'filter': json.dumps(leaf)}},
        {'parameters': {'filter': json.dumps({**leaf, 'op': 'is_null'})}},
        {'parameters': {'filter': json.dumps({**leaf, 'model': model})}},
        {'parameters': {'filter': json.dumps({'not': [{**leaf, 'op': '>'}]})}},
        {'parameters': {name: '1'}},
        {'parameters': {f'{name}__gte': '1'}},
        {'parameters': {f'{name}__isnull': 'true'}},
        {'parameters': {f'{name}.name': 'x'}},
        {'parameters': {'sort': name}},
        {'parameters': {'ordering': f'-{name}'}},
        {'parameters': {'sort': f'{name}.name'}},
        {'parameters': {'sort': json.dumps({'field': name, 'direction': 'asc'})}},
        {'parameters': {'sort': name, 'cursor': ''}},
        {'parameters': {'fields': name}},
        {'parameters': {'fields': f'{name}{{a}}'}},
        {'headers': {'X-Fields': f'{name}{{a{{b}}}}'}},
        {'headers': {'X-Fields': name, 'Prefer': 'handling=strict'}},
        {'headers': {'X-Fields': f'no_such,{name}{{*}}', 'Prefer': 'handling=strict'}},
        {'headers': {'X-Fields': name, 'Accept': 'text/csv'}},
        {'parameters': {'filter': json.dumps({'field': f'{name}.color', 'value': 'x'})}},
    ]


@pytest.mark.parametrize(
    ('prefix', 'resource', 'word', 'name'), HIDDEN, ids=lambda each: getattr(each, '__name__', each)
)
def test_a_forbidden_name_answers_like_an_unknown_one(
    world: World, prefix: str, resource: type[Resource], word: str, name: str
) -> None:
    """Rule L2: the same bytes but for the name, in every spelling."""
    for forbidden, unknown in zip(
        asked_with(resource, name), asked_with(resource, UNKNOWN), strict=True
    ):
        one = answers(Asked(f'/{prefix}/', **forbidden), word)[0]
        other = answers(Asked(f'/{prefix}/', **unknown), word)[0]

        assert (one.status, one.headers) == (other.status, other.headers)
        assert _without(one.body, name) == _without(other.body, UNKNOWN), forbidden


@pytest.mark.parametrize('prefix', SERVED)
@pytest.mark.parametrize('word', ['guest', 'customer', 'operator'])
def test_a_forbidden_model_answers_like_an_unknown_one(
    world: World, prefix: str, word: str
) -> None:
    """Rule L4: what is no relation of the caller's shape is not there, mapped or not."""
    resource = SERVED[prefix]
    view = View(world, CALLERS[word])
    if not view.names(resource):
        return
    seen = {
        target(resource, name).options.name
        for name in view.names(resource)
        if name in resource.relations()
    } | {resource.options.name}
    seen |= {
        hop.target.options.name
        for hop in resource.hops().values()
        if hop.via in view.names(resource) and hop.then in view.names(target(resource, hop.via))
    }
    names = {each.options.name for each in SERVED.values()} | {'Account', 'Book', 'Permission'}
    for model in sorted(names - seen):
        for spec in (
            {'model': '{}', 'field': 'password', 'op': 'like', 'value': '$%'},
            {'some': {'model': '{}', 'where': []}},
            {'none': {'model': '{}', 'where': [{'field': 'id', 'value': 1}]}},
        ):
            text = json.dumps(spec)
            one = answers(Asked(f'/{prefix}/', {'filter': text.replace('{}', model)}), word)[0]
            other = answers(Asked(f'/{prefix}/', {'filter': text.replace('{}', UNKNOWN)}), word)[0]

            assert one.status == other.status == 400
            assert _without(one.body, model) == _without(other.body, UNKNOWN)


def test_a_default_mask_never_tells_the_names_that_it_leaves_out(world: World) -> None:
    """A strict client is told of the names that it asked for, and of no others."""
    for prefix, resource in SERVED.items():
        for word in ('guest', 'customer', 'operator'):
            if not View(world, CALLERS[word]).names(resource):
                continue
            strict = {'Prefer': 'handling=strict'}
            assert answers(Asked(f'/{prefix}/', {}, strict), word)[0].status == 200


def test_an_error_lists_no_name_that_may_not_be_read(world: World) -> None:
    for prefix, resource, word, name in HIDDEN:
        answer = answers(Asked(f'/{prefix}/', {UNKNOWN: '1'}), word)[0]
        listed = (
            json.loads(answer.body)['detail'].split('Known parameters: ')[1].rstrip('.').split(', ')
        )

        assert name not in {each.partition('.')[0] for each in listed}, (resource, word)


def _without(body: bytes, name: str) -> bytes:
    """The body without the name that it repeats; what else it lists stands in no quotes."""
    return body.replace(f'`{name}'.encode(), b'`?')


# Values.


def test_a_value_cannot_be_found_by_its_beginnings(world: World) -> None:
    """Two hundred guesses at what rows hold that do not show it, and never a hit."""
    for row in world.rows[Book].values():
        row['slug'] = 's3cr3t'
    world.store()
    resource = SERVED['works']
    for word in ('customer', 'operator'):
        view = View(world, CALLERS[word])
        shown = {row['id'] for row in view.rows(resource) if view.reads(resource, row, 'slug')}
        for length in range(100):
            leaf = {'field': 'slug', 'op': 'like', 'value': f'{"s3cr3t"[: length % 7]}%'}
            spec = leaf if length % 2 else {'not': [{'not': [leaf]}]}
            answer = answers(Asked('/works/', {'filter': json.dumps(spec)}), word)[0]

            found = json.loads(answer.body)['results']
            assert {each['id'] for each in found} == shown


@pytest.fixture
def two_houses() -> Caller:
    """Somebody who manages one house and works in another, and a priced book in each."""
    world = World()
    for _ in range(2):
        world.add(Publisher, name='north')
    for house, price in ((1, None), (1, '2.50'), (2, None), (2, '2.50')):
        common = {'slug': 'a', 'status': 'draft', 'blurb': '', 'title': 'x'}
        world.add(
            Book, **common, publisher_id=house, price=price, created_at='2026-01-01T00:00:00Z'
        )
    world.store()
    scopes = (Held(over='houses', id=1, level=3), Held(over='houses', id=2, level=2))
    return Caller(kind='account', account_id=9, level=1, scopes=scopes)


@pytest.mark.parametrize(
    ('spec', 'ids'),
    [
        ({'field': 'price', 'op': 'is_null'}, [1]),
        ({'not': [{'field': 'price', 'op': '>', 'value': '9'}]}, [2]),
        ({'not': [{'field': 'price', 'op': 'is_not_null'}]}, [1]),
        ({'field': 'price', 'op': 'not_in', 'value': []}, [1, 2]),
        (
            {'or': [{'field': 'price', 'op': '>', 'value': '1'}, {'field': 'id', 'value': 3}]},
            [2, 3],
        ),
        ({'field': 'double_price', 'op': 'is_null'}, [1]),
    ],
)
def test_a_filter_is_unknown_where_its_field_is_not_shown(
    two_houses: Caller, spec: Any, ids: list[int]
) -> None:
    rows = ask(SERVED['works'], two_houses, 'id', filter=spec, sort='id', count='exact')

    assert [json.loads(each)['id'] for each in rows.objects] == ids
    assert rows.count == len(ids)


def test_one_list_has_rows_of_two_shapes(two_houses: Caller) -> None:
    rows = ask(SERVED['works'], two_houses, 'id,price', sort='id')

    assert [json.loads(each) for each in rows.objects] == [
        {'id': 1, 'price': None},
        {'id': 2, 'price': '2.50'},
        {'id': 3},
        {'id': 4},
    ]


@pytest.mark.parametrize(('sort', 'ids'), [('price,id', [2, 1, 3, 4]), ('-price,id', [1, 3, 4, 2])])
def test_a_sort_key_is_null_where_it_is_not_shown(
    two_houses: Caller, sort: str, ids: list[int]
) -> None:
    rows = ask(SERVED['works'], two_houses, 'id', sort=sort)

    assert [json.loads(each)['id'] for each in rows.objects] == ids


def test_a_field_below_a_grant_that_covers_every_row_is_unknown() -> None:
    """It once could be filtered: a lower grant names it, and no row is the lower grant's."""
    assert 'words' not in View(World(), CALLERS['root']).names(SERVED['lives'])

    answer = answers(Asked('/lives/', {'words': '1'}), 'root')[0]

    assert json.loads(answer.body)['code'] == 'parameter-unknown'


# Cursors.


def test_a_cursor_cannot_be_read(world: World) -> None:
    """The key of a copy, by which its pages are cut, is none of a guest's business."""
    links = []
    for word in ('guest', 'operator'):
        answer = answers(Asked('/copies/', {'cursor': '', 'limit': '1', 'sort': 'isbn'}), word)[0]
        links.append(parse_qs(urlsplit(json.loads(answer.body)['next']).query)['cursor'][0])

    for link in links:
        raw = b64decode(link, b'-_', validate=True)
        assert b',"' not in raw
        assert b'"i' not in raw
    assert len({len(link) for link in links}) == 1


def test_the_length_of_a_cursor_tells_nothing_of_a_key() -> None:
    assert len({len(encrypt([key], False, 'b', 'k')) for key in (1, 99, 12_345, 10**9)}) == 1


def test_a_cursor_is_of_use_to_its_caller_only(world: World) -> None:
    answer = answers(Asked('/verdicts/', {'cursor': '', 'limit': '1'}), 'manager')[0]
    parts = urlsplit(json.loads(answer.body)['next'])

    refused = answers(Asked(f'{parts.path}?{parts.query}'), 'auditor')[0]
    assert json.loads(refused.body)['code'] == 'cursor-invalid'


# The document.


def schemas(word: str) -> dict[str, Any]:
    body = answers(Asked('/openapi.json'), word)[0].body
    found: dict[str, Any] = json.loads(body)['components']['schemas']
    return found


@pytest.mark.parametrize('word', ['guest', 'customer', 'manager', 'root'])
def test_a_document_has_what_its_reader_may_read(word: str) -> None:
    view = View(World(), CALLERS[word])
    found = schemas(word)
    for resource in SERVED.values():
        if names := view.names(resource):
            described = found[resource.options.name]
            assert [*described['properties']] == names
            shown = set(described['x-mask'].strip('{}').split(','))
            assert shown - {''} <= set(names)


@pytest.mark.parametrize('word', CALLERS)
def test_a_document_has_no_read_that_its_reader_may_not_make(word: str) -> None:
    view = View(World(), CALLERS[word])
    document = json.loads(answers(Asked('/openapi.json'), word)[0].body)

    told = {path.split('/')[1] for path in document['paths']}

    assert told == {prefix for prefix, resource in SERVED.items() if view.names(resource)}
    for prefix in SERVED.keys() - told:
        assert SERVED[prefix].options.name not in document['components']['schemas']


def test_a_document_names_nothing_that_its_reader_may_not_read() -> None:
    documents = {
        word: json.loads(answers(Asked('/openapi.json'), word)[0].body)
        for word in ('guest', 'customer', 'operator')
    }
    for prefix, resource, word, name in HIDDEN:
        document = inlined(documents[word])
        parameters = document['paths'][f'/{prefix}/']['get']['parameters']
        schema = document['components']['schemas'][resource.options.name]
        told = [each['name'] for each in parameters if each['in'] == 'query']
        told += [*schema['properties'], schema['x-mask'], schema['description']]
        told += [json.dumps(each['schema']) for each in parameters if each['name'] == 'ordering']

        assert not re.search(rf'(?<![.\w]){name}(?![^\W_])', ' '.join(told)), (word, name)


class TestDocumentOfARole:
    @pytest.fixture
    def staff(self, client: Client) -> Client:
        make = get_user_model().objects.create_user
        client.force_login(make('staff', is_staff=True))
        return client

    @pytest.mark.parametrize(
        ('role', 'level'), [('guest', 0), ('account', 1), ('level:2', 2), ('level:5', 5)]
    )
    def test_staff_sees_what_a_role_sees(self, staff: Client, role: str, level: int) -> None:
        found = staff.get('/docs.json', {'as': role}).json()['components']['schemas']

        view = View(World(), caller_in(role))
        assert view.caller.standing().level == level
        assert [*found['Work']['properties']] == view.names(SERVED['works'])
        # Guests read no opinion at all.
        told = found.get('Opinion', {'properties': ()})
        assert [*told['properties']] == view.names(SERVED['opinions'])

    def test_a_role_that_does_not_exist(self, staff: Client) -> None:
        for role in ('', 'root', 'level:', 'level:x', 'level:10', 'level:-1'):
            assert staff.get('/docs.json', {'as': role}).status_code == 400

    def test_nobody_else_may_ask(self, client: Client) -> None:
        assert client.get('/docs.json', {'as': 'guest'}).status_code in (401, 403)
        client.force_login(get_user_model().objects.create_user('ann'))
        assert client.get('/docs.json', {'as': 'guest'}).status_code == 403

    def test_caches_tell_readers_apart(self, client: Client) -> None:
        answer = client.get('/docs.json')

        assert answer['Cache-Control'] == 'private, no-cache'
        assert {'Authorization', 'Cookie'} <= set(answer['Vary'].split(', '))
