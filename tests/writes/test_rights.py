"""Who may write what: rows, members, references, and what is left behind."""

from collections.abc import Callable

import pytest

from tests.lending.models import Branch, Item, Keyword
from tests.lending.resources import SERVED
from tests.writes.conftest import Ask

pytestmark = pytest.mark.django_db

MakeItem = Callable[..., Item]


def test_a_guest_is_asked_who_he_is(ask: Ask, make_item: MakeItem) -> None:
    item = make_item(status='open')
    for method, path in (
        ('post', '/items/'),
        ('patch', f'/items/{item.pk}/'),
        ('delete', f'/items/{item.pk}/'),
        ('post', '/items/bulk/'),
    ):
        body = {} if path != '/items/bulk/' else {'operations': [{'op': 'create', 'body': {}}]}
        answer = ask('guest', method, path, body, HTTP_IDEMPOTENCY_KEY='k')
        assert answer.status_code == 401, (method, path)


def test_who_may_do_it_with_no_row_is_refused(ask: Ask, make_item: MakeItem) -> None:
    item = make_item(status='open')
    answer = ask('reader', 'patch', f'/items/{item.pk}/', {'title': 'x'})
    assert (answer.status_code, answer.json()['code']) == (403, 'not-permitted')
    assert ask('helper', 'delete', f'/items/{item.pk}/').status_code == 403


def test_a_scope_that_is_held_for_reading_only_writes_nothing(
    ask: Ask, make_item: MakeItem
) -> None:
    item = make_item()
    assert ask('auditor', 'get', f'/items/{item.pk}/').status_code == 200
    assert ask('auditor', 'patch', f'/items/{item.pk}/', {'title': 'x'}).status_code == 403


def test_a_row_that_is_not_seen_is_not_there(ask: Ask, make_item: MakeItem, south: Branch) -> None:
    item = make_item(branch=south)
    there = ask('manager', 'patch', f'/items/{item.pk}/', {'title': 'x'})
    nowhere = ask('manager', 'patch', f'/items/{10**9}/', {'title': 'x'})
    assert there.status_code == nowhere.status_code == 404
    assert there.json() | {'instance': '', 'request_id': ''} == nowhere.json() | {
        'instance': '',
        'request_id': '',
    }


def test_a_row_that_is_seen_and_not_written_is_refused(
    ask: Ask, make_item: MakeItem, south: Branch
) -> None:
    item = make_item(branch=south, status='open')
    answer = ask('manager', 'patch', f'/items/{item.pk}/', {'title': 'x'})
    assert (answer.status_code, answer.json()['code']) == (403, 'not-permitted')


def test_the_grant_that_covers_the_row_says_which_members(ask: Ask, make_item: MakeItem) -> None:
    path = f'/items/{make_item().pk}/'
    assert ask('helper', 'patch', path, {'code': 'new'}).json()['code'] == 'field-not-writable'
    assert ask('manager', 'patch', path, {'code': 'new'}).status_code == 200


def test_a_member_that_nobody_like_him_sees_is_unknown(ask: Ask, make_item: MakeItem) -> None:
    path = f'/items/{make_item().pk}/'
    hidden = ask('helper', 'patch', path, {'cost': '1.00'}).json()['errors'][0]
    nothing = ask('helper', 'patch', path, {'nothing': '1.00'}).json()['errors'][0]
    assert hidden['code'] == nothing['code'] == 'unknown-field'
    assert hidden['detail'].replace('cost', 'nothing') == nothing['detail']


def test_a_row_may_be_led_out_of_what_one_writes_where_the_grant_says_so(
    ask: Ask, make_item: MakeItem
) -> None:
    item = make_item()
    assert ask('helper', 'patch', f'/items/{item.pk}/', {'status': 'lost'}).status_code == 403
    assert ask('helper', 'patch', f'/items/{item.pk}/', {'status': 'open'}).status_code == 200
    assert ask('helper', 'patch', f'/items/{item.pk}/', {'title': 'x'}).status_code == 403


def test_a_row_cannot_be_given_away(ask: Ask, make_item: MakeItem, south: Branch) -> None:
    item = make_item()
    path = f'/items/{item.pk}/'
    unseen = ask('manager', 'patch', path, {'branch_id': south.pk})
    assert (unseen.status_code, unseen.json()['code']) == (422, 'reference-not-found')
    assert ask('owner', 'patch', path, {'branch_id': south.pk}).status_code == 200


def test_a_new_row_lies_within_what_one_may_create(ask: Ask, north: Branch, south: Branch) -> None:
    body = {'branch_id': south.pk, 'code': 'a', 'title': 'A'}
    assert ask('helper', 'post', '/items/', body).json()['code'] == 'reference-not-found'
    assert ask('helper', 'post', '/items/', body | {'branch_id': north.pk}).status_code == 201
    assert Item.objects.count() == 1


def test_a_reference_that_is_hidden_is_one_that_is_not_there(
    ask: Ask, north: Branch, south: Branch
) -> None:
    answers = [
        ask('manager', 'post', '/items/', {'branch_id': key, 'code': 'a', 'title': 'A'}).json()
        for key in (south.pk, 10**9)
    ]
    for answer in answers:
        del answer['instance'], answer['request_id']
    assert answers[0] == answers[1]


def test_what_nobody_reads_can_be_written_and_never_comes_back(
    ask: Ask, make_item: MakeItem
) -> None:
    item = make_item()
    answer = ask(
        'manager', 'patch', f'/items/{item.pk}/', {'secret': 'hush'}, HTTP_X_FIELDS='{id,secret}'
    )
    assert answer.json() == {'id': item.pk}
    item.refresh_from_db()
    assert item.secret == 'hush'


def test_every_member_outside_the_grant_is_refused_for_everybody(
    ask: Ask, make_item: MakeItem, keywords: dict[str, Keyword]
) -> None:
    """Mass assignment: whatever a model has and a body names, a grant has to give it."""
    from backstay.resources.write import granting
    from tests.rights.site import MADE

    make_item()
    for prefix, resource in SERVED.items():
        columns = {field.attname for field in resource.options.model._meta.concrete_fields}
        names = {*columns, *resource.fields(), *resource.relations(), 'pk', '_state', '__class__'}
        for word in ('reader', 'helper', 'manager', 'owner', 'stranger'):
            standing = MADE[word].standing(writing=True)
            allowed = granting.all_members(resource, standing, 'create')
            if not granting.may(resource, standing, 'create'):
                assert ask(word, 'post', f'/{prefix}/', {}).status_code == 403
                continue
            for name in sorted(names - allowed):
                answer = ask(word, 'post', f'/{prefix}/', {name: None})
                assert answer.status_code == 422, (prefix, word, name)
                codes = {fault['pointer']: fault['code'] for fault in answer.json()['errors']}
                assert codes[f'/{name}'] in ('unknown-field', 'field-not-writable')


def test_the_grant_that_covers_a_new_row_says_what_it_needs(
    ask: Ask, north: Branch, south: Branch
) -> None:
    """Whoever may give less in one place than in another may still create there."""
    from backstay.caller import Caller, Held
    from tests.rights.site import MADE

    held = (
        Held(over='branches', id=north.pk, level=2),
        Held(over='branches', id=south.pk, level=3),
    )
    MADE['stranger'] = Caller(kind='account', account_id=6, name='stranger', scopes=held)
    body = {'code': 'a', 'title': 'A'}
    for branch, secret, status in ((north, 'x', 422), (south, 'x', 201)):
        given = body | {'branch_id': branch.pk, 'secret': secret}
        assert ask('stranger', 'post', '/items/', given).status_code == status
    lacking = ask('stranger', 'post', '/items/', {'branch_id': north.pk, 'code': 'b'})
    assert [(each['pointer'], each['code']) for each in lacking.json()['errors']] == [
        ('/title', 'required')
    ]
