"""Requests that are sent twice have their effect once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backstay.caller import Caller, Held
from backstay.journal.models import Entry
from backstay.resources.models import IdempotencyKey
from backstay.resources.tasks import forget_idempotency_keys
from backstay.testing.tasks import run_tasks
from tests.lending.models import Branch, Item
from tests.rights.site import MADE
from tests.writes.conftest import Ask

pytestmark = pytest.mark.django_db

MakeItem = Callable[..., Item]


@pytest.fixture
def atlas(north: Branch) -> dict[str, Any]:
    return {'branch_id': north.pk, 'code': 'atlas', 'title': 'Atlas'}


def create(ask: Ask, body: Any, key: str = 'key', word: str = 'manager', **more: str) -> Any:
    return ask(word, 'post', '/items/', body, HTTP_IDEMPOTENCY_KEY=key, **more)


def test_a_repeat_gets_the_stored_answer(ask: Ask, atlas: dict[str, Any]) -> None:
    first, second = create(ask, atlas), create(ask, atlas)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    for name in ('Location', 'ETag'):
        assert second[name] == first[name]
    assert 'Idempotency-Replayed' not in first
    assert second['Idempotency-Replayed'] == 'true'
    assert Item.objects.count() == Entry.objects.count() == 1


def test_the_order_of_members_is_no_other_body(ask: Ask, atlas: dict[str, Any]) -> None:
    create(ask, atlas)
    assert create(ask, dict(reversed(atlas.items()))).status_code == 201


def test_another_body_under_the_same_key_is_refused(ask: Ask, atlas: dict[str, Any]) -> None:
    create(ask, atlas)
    answer = create(ask, atlas | {'title': 'Other'})
    assert (answer.status_code, answer.json()['code']) == (422, 'idempotency-key-reused')


def test_keys_of_others_and_of_other_addresses_are_other_keys(
    ask: Ask, atlas: dict[str, Any]
) -> None:
    made = create(ask, atlas)
    answer = create(ask, atlas, word='owner')
    assert answer.json()['code'] == 'duplicate'
    path = f'/items/{made.json()["id"]}/'
    changed = ask('manager', 'patch', path, {'title': 'X'}, HTTP_IDEMPOTENCY_KEY='key')
    assert changed.json()['title'] == 'X'


def test_one_that_is_under_way_is_told(ask: Ask, atlas: dict[str, Any]) -> None:
    create(ask, atlas)
    Item.objects.all().delete()
    IdempotencyKey.objects.update(status=None, text=None)
    answer = create(ask, atlas)
    assert (answer.status_code, answer.json()['code']) == (409, 'idempotency-in-progress')
    assert answer['Retry-After'] == '1'


def test_one_that_died_is_taken_over_when_its_lease_ends(ask: Ask, atlas: dict[str, Any]) -> None:
    create(ask, atlas)
    Item.objects.all().delete()
    past = timezone.now() - timedelta(seconds=1)
    IdempotencyKey.objects.update(status=None, text=None, leased_until=past)
    answer = create(ask, atlas)
    assert answer.status_code == 201
    assert 'Idempotency-Replayed' not in answer


def test_an_attempt_that_was_taken_over_writes_nothing(
    ask: Ask, atlas: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.lending.resources import ItemResource

    def taken_over(*_: Any) -> None:
        IdempotencyKey.objects.update(attempt='another')

    hooks = ItemResource.hooks
    monkeypatch.setattr(ItemResource, 'hooks', type(hooks)(after=(taken_over,)))
    assert create(ask, atlas).json()['code'] == 'idempotency-in-progress'
    assert not Item.objects.exists()


def test_a_rule_that_refused_refuses_again_and_says_so(
    ask: Ask, atlas: dict[str, Any], make_item: MakeItem
) -> None:
    make_item(code='atlas')
    first = create(ask, atlas)
    Item.objects.all().delete()
    second = create(ask, atlas)
    assert (first.status_code, second.status_code) == (409, 409)
    assert second.json()['errors'] == first.json()['errors']
    assert second['Idempotency-Replayed'] == 'true'


@pytest.mark.parametrize('body', [{'title': ''}, {'nothing': 1}, {'branch_id': 10**9}])
def test_a_fault_of_the_body_is_not_kept(
    ask: Ask, atlas: dict[str, Any], body: dict[str, Any]
) -> None:
    assert create(ask, atlas | body).status_code == 422
    assert not IdempotencyKey.objects.exists()
    assert create(ask, atlas).status_code == 201


def test_a_failure_is_not_kept(
    ask: Ask, atlas: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.lending.resources import ItemResource

    def fails(*_: Any) -> None:
        raise RuntimeError('a bug')

    with monkeypatch.context() as patched:
        patched.setattr(ItemResource, 'hooks', type(ItemResource.hooks)(after=(fails,)))
        with pytest.raises(RuntimeError):
            create(ask, atlas)
    assert not IdempotencyKey.objects.exists()
    assert create(ask, atlas).status_code == 201


def test_a_lowered_caller_does_not_get_old_fields(ask: Ask, atlas: dict[str, Any]) -> None:
    body = atlas | {'cost': '9.99'}
    assert create(ask, body, HTTP_X_FIELDS='{id,cost}').json()['cost'] == '9.99'
    held = Held(over='branches', id=atlas['branch_id'], level=1)
    lowered = Caller(kind='account', account_id=3, name='account 3', scopes=(held,))
    MADE['manager'] = lowered
    answer = create(ask, body, HTTP_X_FIELDS='{id,cost}')
    # The right to write is gone, so the repeat is not even looked up.
    assert answer.status_code == 403
    held = Held(over='branches', id=atlas['branch_id'], level=2)
    MADE['manager'] = Caller(kind='account', account_id=3, name='account 3', scopes=(held,))
    answer = create(ask, body, HTTP_X_FIELDS='{id,cost}')
    assert (answer.status_code, answer.json()) == (201, {'id': Item.objects.get().pk})
    assert answer['Idempotency-Replayed'] == 'true'


def test_a_key_is_forgotten_after_a_day(ask: Ask, atlas: dict[str, Any]) -> None:
    create(ask, atlas)
    IdempotencyKey.objects.update(expires_at=timezone.now())
    assert create(ask, atlas).json()['code'] == 'duplicate'


def test_it_is_required_where_the_resource_says_so(ask: Ask) -> None:
    answer = ask('manager', 'post', '/items/bulk/', [{'code': 'atlas'}])
    assert (answer.status_code, answer.json()['code']) == (400, 'idempotency-key-missing')


@pytest.mark.parametrize('key', ['', ' ', 'x' * 256, 'ä', 'a\x01'])
def test_a_key_is_short_printable_ascii(ask: Ask, atlas: dict[str, Any], key: str) -> None:
    answer = create(ask, atlas, key=key)
    assert (answer.status_code, answer.json()['code']) == (400, 'header-invalid')


def test_what_nobody_may_repeat_is_forgotten(ask: Ask, atlas: dict[str, Any]) -> None:
    create(ask, atlas)
    create(ask, atlas | {'code': 'other'}, key='other')
    IdempotencyKey.objects.filter(id=IdempotencyKey.objects.first().id).update(  # type: ignore[union-attr]
        expires_at=timezone.now()
    )
    forget_idempotency_keys.enqueue()
    run_tasks()
    assert IdempotencyKey.objects.count() == 1
