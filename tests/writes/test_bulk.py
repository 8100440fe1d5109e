"""Many rows in one request."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backstay.resources.models import IdempotencyKey
from tests.lending.models import Branch, Item, Keyword, Stamp
from tests.writes.conftest import Ask

pytestmark = pytest.mark.django_db

MakeItem = Callable[..., Item]
KEY = {'HTTP_IDEMPOTENCY_KEY': 'one'}


def bulk(ask: Ask, operations: list[Any], word: str = 'manager', **more: Any) -> Any:
    body = {'operations': operations, **more}
    return ask(word, 'post', '/items/bulk/', body, HTTP_IDEMPOTENCY_KEY=str(id(body)))


def test_all_kinds_of_operations_in_one_request(
    ask: Ask, make_item: MakeItem, north: Branch
) -> None:
    changed, gone, _named = make_item(), make_item(), make_item(code='named')
    answer = bulk(
        ask,
        [
            {'op': 'create', 'body': {'branch_id': north.pk, 'code': 'new', 'title': 'New'}},
            {'op': 'update', 'id': changed.pk, 'body': {'title': 'Changed'}, 'if_version': 1},
            {'op': 'delete', 'id': gone.pk},
            {'op': 'upsert', 'key': 'named', 'body': {'title': 'Named'}},
            {
                'op': 'upsert',
                'key': {'code': 'made'},
                'body': {'branch_id': north.pk, 'title': 'Made'},
            },
        ],
    )
    assert answer.status_code == 200, answer.content
    results = answer.json()['results']
    assert [each['status'] for each in results] == [201, 200, 204, 200, 201]
    assert [each['index'] for each in results] == [0, 1, 2, 3, 4]
    assert results[0]['id'] == Item.objects.get(code='new').pk
    assert results[1]['id'] == changed.pk
    titles = dict(Item.objects.filter(deleted_at=None).values_list('code', 'title'))
    assert titles == {'new': 'New', changed.code: 'Changed', 'named': 'Named', 'made': 'Made'}


def test_one_that_is_refused_refuses_all(ask: Ask, make_item: MakeItem) -> None:
    items = [make_item() for _ in range(3)]
    operations: list[Any] = [
        {'op': 'update', 'id': item.pk, 'body': {'title': 'new'}} for item in items
    ]
    operations[1]['body'] = {'title': '', 'colour': 'red'}
    operations.append({'op': 'delete', 'id': 10**9})
    answer = bulk(ask, operations)
    assert (answer.status_code, answer.json()['code']) == (422, 'bulk-refused')
    faults = {fault['pointer']: fault['code'] for fault in answer.json()['errors']}
    assert faults == {
        '/operations/1/body/title': 'blank',
        '/operations/1/body/colour': 'unknown-field',
        '/operations/3': 'not-found',
    }
    assert not Item.objects.filter(title='New').exists()


def test_the_others_are_written_where_that_is_asked(
    ask: Ask, make_item: MakeItem, south: Branch
) -> None:
    item, taken = make_item(), make_item(code='taken')
    answer = bulk(
        ask,
        [
            {'op': 'update', 'id': item.pk, 'body': {'title': 'new'}},
            {'op': 'update', 'id': 10**9, 'body': {'title': 'x'}},
            {'op': 'create', 'body': {'branch_id': south.pk, 'code': 'a', 'title': 'A'}},
            {
                'op': 'create',
                'body': {'branch_id': item.branch_id, 'code': 'taken', 'title': 'A'},
            },
            {'op': 'update', 'id': taken.pk, 'body': {'price': '-1.00'}},
        ],
        atomic=False,
    )
    assert answer.status_code == 200, answer.content
    results = answer.json()['results']
    assert [each['status'] for each in results] == [200, 404, 422, 409, 422]
    assert results[4]['error']['detail'] == 'A price is not negative.'
    item.refresh_from_db()
    assert (item.title, item.version) == ('New', 2)


def test_a_plain_list_is_rows_to_create(ask: Ask, north: Branch) -> None:
    rows = [{'branch_id': north.pk, 'code': f'c{at}', 'title': 'T'} for at in range(3)]
    answer = ask('manager', 'post', '/items/bulk/', rows, **KEY)
    assert [each['status'] for each in answer.json()['results']] == [201] * 3
    rows[1]['title'] = 'x' * 81
    refused = ask('manager', 'post', '/items/bulk/', rows, HTTP_IDEMPOTENCY_KEY='two')
    assert '/1/title' in {fault['pointer'] for fault in refused.json()['errors']}


def test_patches_go_to_the_rows_that_they_name_in_any_order(ask: Ask, make_item: MakeItem) -> None:
    """P19: keys sorted as text would pair row 2 with the patch of row 10."""
    items = [make_item() for _ in range(11)]
    chosen = [items[at].pk for at in (1, 9, 10)]
    for number, order in enumerate(permutations(chosen)):
        body = {str(key): {'title': f'N{key}-{number}'} for key in order}
        answer = ask('manager', 'patch', '/items/bulk/', body, HTTP_IDEMPOTENCY_KEY=f'k{number}')
        assert answer.status_code == 200, answer.content
        found = dict(Item.objects.filter(pk__in=chosen).values_list('pk', 'title'))
        assert found == {key: f'N{key}-{number}' for key in chosen}


def test_a_list_of_keys_is_rows_to_delete(ask: Ask, make_item: MakeItem) -> None:
    items = [make_item() for _ in range(2)]
    refused = ask('manager', 'delete', '/items/bulk/', [items[0].pk, 10**9], **KEY)
    assert (refused.status_code, refused.json()['errors'][0]['pointer']) == (422, '/1')
    answer = ask(
        'manager', 'delete', '/items/bulk/', [each.pk for each in items], HTTP_IDEMPOTENCY_KEY='x'
    )
    assert answer.status_code == 200
    assert not Item.objects.filter(deleted_at=None).exists()


def test_a_row_is_changed_once_in_a_request(ask: Ask, make_item: MakeItem) -> None:
    item = make_item()
    twice = [{'op': 'update', 'id': item.pk, 'body': {'title': title}} for title in 'ab']
    answer = bulk(ask, twice)
    assert answer.status_code == 422
    assert answer.json()['errors'][0]['code'] == 'row-twice'


def test_rows_of_one_kind_among_themselves_are_both_named(ask: Ask, north: Branch) -> None:
    """P26."""
    body = {'branch_id': north.pk, 'code': 'same', 'title': 'T'}
    answer = bulk(ask, [{'op': 'create', 'body': body}] * 2)
    assert (answer.status_code, answer.json()['code']) == (409, 'duplicate')
    pointers = [fault['pointer'] for fault in answer.json()['errors']]
    assert pointers == ['/operations/0/body/code', '/operations/1/body/code']


def test_one_that_is_not_permitted_refuses_all(ask: Ask, make_item: MakeItem) -> None:
    """P25."""
    mine, not_mine = make_item(), make_item(status='open')
    operations = [
        {'op': 'update', 'id': each.pk, 'body': {'title': 'x'}} for each in (mine, not_mine)
    ]
    answer = bulk(ask, operations, word='helper')
    assert (answer.status_code, answer.json()['code']) == (403, 'not-permitted')
    mine.refresh_from_db()
    assert mine.title != 'X'


@pytest.mark.parametrize(
    ('method', 'body'),
    [
        ('post', {}),
        ('post', {'operations': {}}),
        ('post', {'operations': [3]}),
        ('post', {'operations': [{}]}),
        ('post', {'operations': [{'op': 'destroy'}]}),
        ('post', {'operations': [{'op': ['create']}]}),
        ('post', {'operations': [{'op': 'create'}]}),
        ('post', {'operations': [{'op': 'create', 'body': []}]}),
        ('post', {'operations': [{'op': 'create', 'body': {}, 'id': 3}]}),
        ('post', {'operations': [{'op': 'update', 'body': {}}]}),
        ('post', {'operations': [{'op': 'update', 'id': 'x', 'body': {}}]}),
        ('post', {'operations': [{'op': 'update', 'id': None, 'body': {}}]}),
        ('post', {'operations': [{'op': 'update', 'id': [1], 'body': {}}]}),
        ('post', {'operations': [{'op': 'update', 'id': 10**30, 'body': {}}]}),
        ('post', {'operations': [{'op': 'delete', 'id': 1, 'if_version': 'x'}]}),
        ('post', {'operations': [{'op': 'delete', 'id': 1, 'if_version': -1}]}),
        ('post', {'operations': [{'op': 'upsert', 'key': {}, 'body': {}}]}),
        ('post', {'operations': [{'op': 'upsert', 'key': None, 'body': {}}]}),
        ('post', {'operations': [{'op': 'upsert', 'key': {'title': 'x'}, 'body': {}}]}),
        ('post', {'operations': [], 'atomic': 'yes'}),
        ('post', {'operations': [], 'force': True}),
        ('post', [[]]),
        ('post', ['x']),
        ('post', 3),
        ('patch', []),
        ('patch', {'x': {}}),
        ('patch', {'1': []}),
        ('delete', {}),
        ('delete', ['abc']),
        ('delete', [None, {}]),
    ],
)
def test_a_malformed_request_is_refused_with_a_pointer(ask: Ask, method: str, body: Any) -> None:
    answer = ask('manager', method, '/items/bulk/', body, **KEY)
    assert answer.status_code in (400, 422), answer.content
    problem = answer.json()
    assert problem['code'] == 'malformed-json' or problem['errors'][0]['pointer'].startswith('/')


@pytest.mark.parametrize(
    ('method', 'body'), [('post', []), ('post', {'operations': []}), ('patch', {}), ('delete', [])]
)
def test_a_bulk_without_rows_is_refused(ask: Ask, method: str, body: Any) -> None:
    answer = ask('manager', method, '/items/bulk/', body, **KEY)
    assert (answer.status_code, answer.json()['code']) == (400, 'bulk-empty')
    assert not IdempotencyKey.objects.exists()


def test_a_thousand_is_the_most(ask: Ask) -> None:
    rows = [{'word': f'w{at}'} for at in range(1_001)]
    answer = ask('manager', 'post', '/keywords/bulk/', rows, **KEY)
    assert (answer.status_code, answer.json()['code']) == (422, 'too-many-rows')
    assert not Keyword.objects.exists()


@pytest.mark.parametrize('count', [10, 1_000])
def test_the_statements_do_not_grow_with_the_rows(ask: Ask, count: int) -> None:
    rows = [{'code': f'c{at}', 'label': 'L', 'price': '1.00'} for at in range(count)]
    with CaptureQueriesContext(
        connection,
    ) as statements:
        answer = ask('manager', 'post', '/stamps/bulk/', rows)
    assert answer.status_code == 200, answer.content
    written = [each['sql'] for each in statements if 'INSERT' in each['sql']]
    others = len(statements) - len(written)
    # SQLite takes few parameters at once before Django 6, so the ORM inserts in portions there.
    assert others <= 12, [each['sql'][:80] for each in statements]
    assert len(written) <= (3 if connection.vendor == 'postgresql' else 3 + count // 150)
    assert Stamp.objects.count() == count


def test_a_row_is_written_once_also_where_rows_are_written_one_by_one(
    ask: Ask, make_item: MakeItem
) -> None:
    one, other = make_item(), make_item()
    answer = bulk(
        ask,
        [
            {'op': 'update', 'id': one.pk, 'body': {'title': 'X'}},
            {'op': 'update', 'id': one.pk, 'body': {'title': 'Y'}},
            # Refused only once it is written, so that the others are written again by themselves.
            {'op': 'update', 'id': other.pk, 'body': {'status': 'lost'}},
        ],
        'helper',
        atomic=False,
    )
    assert [each['status'] for each in answer.json()['results']] == [200, 422, 403]
    one.refresh_from_db()
    assert (one.title, one.version) == ('X', 2)
