"""Creating, changing, replacing, deleting and restoring one row."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.lending.models import Branch, Item, Loan
from tests.writes.conftest import Ask

pytestmark = pytest.mark.django_db

MakeItem = Callable[..., Item]


def test_a_new_row_is_answered_as_a_read_of_it(ask: Ask, north: Branch) -> None:
    body = {'branch_id': north.pk, 'code': 'atlas', 'title': 'atlas', 'price': '12.50'}
    made = ask('helper', 'post', '/items/', body)
    assert made.status_code == 201, made.content
    row = Item.objects.get()
    assert made.json() == {
        'id': row.pk,
        'branch_id': north.pk,
        'code': 'atlas',
        'title': 'Atlas',
        'status': 'draft',
        'price': '12.50',
        'version': 1,
    }
    assert made['Location'] == f'http://testserver/items/{row.pk}/'
    read = ask('helper', 'get', f'/items/{row.pk}/')
    assert (read.content, read['ETag']) == (made.content, made['ETag'])
    assert made['ETag'].startswith('"1-')


def test_the_mask_of_the_request_says_what_is_answered(ask: Ask, north: Branch) -> None:
    body = {'branch_id': north.pk, 'code': 'atlas', 'title': 'Atlas', 'pages': 4}
    made = ask('manager', 'post', '/items/', body, HTTP_X_FIELDS='{code,double_pages}')
    assert made.json() == {'code': 'atlas', 'double_pages': 8}


def test_a_mask_that_cannot_be_is_refused_before_anything_is_written(
    ask: Ask, north: Branch
) -> None:
    body = {'branch_id': north.pk, 'code': 'atlas', 'title': 'Atlas'}
    assert ask('manager', 'post', '/items/', body, HTTP_X_FIELDS='{id').status_code == 400
    assert not Item.objects.exists()


def test_a_patch_changes_what_it_names(ask: Ask, make_item: MakeItem) -> None:
    item = make_item(price=3, pages=7)
    changed = ask('manager', 'patch', f'/items/{item.pk}/', {'title': 'new', 'price': None})
    assert changed.status_code == 200, changed.content
    assert changed.json()['title'] == 'New'
    assert changed.json()['version'] == 2
    item.refresh_from_db()
    assert (item.title, item.price, item.pages, item.version) == ('New', None, 7, 2)


def test_a_patch_of_a_json_field_is_merged_into_it(ask: Ask, make_item: MakeItem) -> None:
    item = make_item(details={'a': 1, 'b': {'c': 2, 'd': 3}})
    patch = {'details': {'a': None, 'b': {'c': 1.5}, 'e': [None]}}
    content_type = 'application/merge-patch+json'
    answer = ask('manager', 'patch', f'/items/{item.pk}/', patch, CONTENT_TYPE=content_type)
    assert answer.status_code == 200
    item.refresh_from_db()
    assert item.details == {'b': {'c': 1.5, 'd': 3}, 'e': [None]}


def test_true_in_json_is_another_value_than_one(ask: Ask, make_item: MakeItem) -> None:
    item = make_item(details={'a': 1})
    assert (
        ask('manager', 'patch', f'/items/{item.pk}/', {'details': {'a': True}}).status_code == 200
    )
    item.refresh_from_db()
    assert item.details['a'] is True


def test_a_patch_that_changes_nothing_leaves_the_version(ask: Ask, make_item: MakeItem) -> None:
    item = make_item(price=3)
    body = {'title': item.title, 'price': '3.00'}
    answer = ask('manager', 'patch', f'/items/{item.pk}/', body)
    assert (answer.status_code, answer.json()['version']) == (200, 1)


def test_put_sets_what_is_left_out_to_its_default(ask: Ask, make_item: MakeItem) -> None:
    item = make_item(price=3, pages=7, secret='x')
    body = {'branch_id': item.branch_id, 'code': item.code, 'title': 'Put'}
    answer = ask('manager', 'put', f'/items/{item.pk}/', body)
    assert answer.status_code == 200, answer.content
    item.refresh_from_db()
    assert (item.title, item.price, item.pages, item.secret) == ('Put', None, 0, '')


def test_put_needs_what_has_no_default(ask: Ask, make_item: MakeItem) -> None:
    item = make_item()
    answer = ask('manager', 'put', f'/items/{item.pk}/', {'title': 'Put'})
    assert answer.status_code == 422
    pointers = {fault['pointer']: fault['code'] for fault in answer.json()['errors']}
    assert pointers == {'/branch_id': 'required', '/code': 'required'}


def test_put_is_there_only_where_it_is_declared(ask: Ask) -> None:
    assert ask('manager', 'put', '/stamps/x/', {'label': 'x'}).status_code == 405


def test_a_deleted_row_is_gone_and_stays_gone(ask: Ask, make_item: MakeItem) -> None:
    item = make_item(status='open')
    assert ask('manager', 'delete', f'/items/{item.pk}/').status_code == 204
    assert ask('manager', 'delete', f'/items/{item.pk}/').status_code == 404
    assert ask('manager', 'get', f'/items/{item.pk}/').status_code == 404
    assert ask('guest', 'get', '/items/').json()['count'] == 0
    item.refresh_from_db()
    assert item.deleted_at is not None


def test_a_softly_deleted_row_is_seen_by_who_may_restore_it(ask: Ask, make_item: MakeItem) -> None:
    item = make_item(status='open')
    ask('manager', 'delete', f'/items/{item.pk}/')
    assert ask('manager', 'get', '/items/?include_deleted=true').json()['count'] == 1
    assert ask('helper', 'get', '/items/?include_deleted=true').json()['count'] == 0
    assert ask('guest', 'get', f'/items/{item.pk}/?include_deleted=true').status_code == 404
    assert ask('manager', 'get', '/items/?include_deleted=yes').status_code == 400
    # Holds the level of a manager, but for reading only, and so restores nothing.
    assert ask('auditor', 'get', '/items/?include_deleted=true').json()['count'] == 0
    assert ask('auditor', 'get', f'/items/{item.pk}/?include_deleted=true').status_code == 404
    assert ask('auditor', 'post', f'/items/{item.pk}/restore/').status_code == 403
    restored = ask('manager', 'post', f'/items/{item.pk}/restore/')
    assert (restored.status_code, restored.json()['version']) == (200, 3), restored.content
    assert ask('guest', 'get', '/items/').json()['count'] == 1


def test_only_a_deleted_row_can_be_restored(ask: Ask, make_item: MakeItem) -> None:
    item = make_item()
    assert ask('manager', 'post', f'/items/{item.pk}/restore/').status_code == 404


def test_a_row_that_others_need_is_not_deleted(ask: Ask, make_item: MakeItem) -> None:
    item = make_item()
    Loan.objects.create(item=item, reader='Ada')
    answer = ask('command', 'delete', f'/branches/{item.branch_id}/')
    assert (answer.status_code, answer.json()['code']) == (409, 'in-use')
    assert Item.objects.exists()


def test_every_fault_of_a_body_is_told_at_once(ask: Ask, north: Branch) -> None:
    body = {
        'branch_id': north.pk,
        'code': 'no slug',
        'title': 'x' * 81,
        'price': 'a lot',
        'pages': -1,
        'details': {'a': 'nul \x00'},
        'version': 9,
        'colour': 'red',
    }
    answer = ask('manager', 'post', '/items/', body)
    assert (answer.status_code, answer.json()['code']) == (422, 'validation-failed')
    faults = {fault['pointer']: fault['code'] for fault in answer.json()['errors']}
    assert faults == {
        '/code': 'invalid',
        '/title': 'max-length',
        '/price': 'invalid',
        '/pages': 'min-value',
        '/details': 'invalid',
        '/version': 'field-not-writable',
        '/colour': 'unknown-field',
    }
    assert not Item.objects.exists()


@pytest.mark.parametrize(
    ('body', 'code'),
    [
        ({'colour': 'red'}, 'unknown-field'),
        ({'version': 2}, 'field-not-writable'),
        ({'branch_id': 10**9}, 'reference-not-found'),
        ({'title': ''}, 'validation-failed'),
    ],
)
def test_one_kind_of_fault_is_the_code_of_the_answer(
    ask: Ask, make_item: MakeItem, body: dict[str, Any], code: str
) -> None:
    answer = ask('manager', 'patch', f'/items/{make_item().pk}/', body)
    assert (answer.status_code, answer.json()['code']) == (422, code)


def test_a_rule_of_the_resource_is_told_like_any_fault(ask: Ask, make_item: MakeItem) -> None:
    answer = ask('manager', 'patch', f'/items/{make_item().pk}/', {'title': 'forbidden'})
    assert answer.json()['errors'] == [
        {'pointer': '/title', 'code': 'title-forbidden', 'detail': 'No item is called so.'}
    ]


def test_a_constraint_speaks_for_itself(ask: Ask, make_item: MakeItem) -> None:
    answer = ask('manager', 'patch', f'/items/{make_item().pk}/', {'price': '-1.00'})
    assert (answer.status_code, answer.json()['detail']) == (422, 'A price is not negative.')


def test_a_second_row_of_its_kind_is_refused(ask: Ask, make_item: MakeItem) -> None:
    item = make_item(code='one')
    body = {'branch_id': item.branch_id, 'code': 'one', 'title': 'Two'}
    answer = ask('manager', 'post', '/items/', body)
    assert (answer.status_code, answer.json()['code']) == (409, 'duplicate')
    assert answer.json()['errors'][0]['pointer'] == '/code'


def test_a_row_without_a_version_has_one_by_what_it_shows(ask: Ask, make_item: MakeItem) -> None:
    loan = Loan.objects.create(item=make_item(), reader='Ada')
    path = f'/loans/{loan.pk}/'
    assert ask('helper', 'patch', path, {'reader': 'Bob'}).status_code == 428
    seen = ask('helper', 'get', path)['ETag']
    assert ask('helper', 'patch', path, {'reader': 'Bob'}, HTTP_IF_MATCH=seen).status_code == 200
    answer = ask('helper', 'patch', path, {'reader': 'Eve'}, HTTP_IF_MATCH=seen)
    assert (answer.status_code, answer.json()['code']) == (412, 'version-mismatch')
    assert ask('helper', 'delete', path, HTTP_IF_MATCH='*').status_code == 204


@pytest.mark.parametrize(
    ('given', 'status'),
    [
        ('"1-abc"', 200),
        ('"1"', 200),
        ('"2"', 412),
        ('W/"1"', 200),
        ('"2", "1-x"', 200),
        ('*', 200),
        ('1', 400),
        ('"1" nonsense', 400),
        ('"' + '9' * 30 + '"', 412),
    ],
)
def test_a_change_may_be_meant_for_one_version(
    ask: Ask, make_item: MakeItem, given: str, status: int
) -> None:
    path = f'/items/{make_item().pk}/'
    answer = ask('manager', 'patch', path, {'title': 'X'}, HTTP_IF_MATCH=given)
    assert answer.status_code == status, answer.content
    if status == 412:
        assert answer.json()['current_version'] == 1
