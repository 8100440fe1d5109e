"""A webhook is told nothing that its owner may not read when it is told."""

from typing import Any

import pytest
from django.db.models import Q

from backstay.events.delivering import redeliver
from backstay.events.models import Delivery, State, Webhook
from backstay.events.relaying import relay
from backstay.events.tasks import KEPT, forget_old_deliveries
from backstay.identity.models import Account, AccountStatus
from backstay.journal.models import Entry
from backstay.resources import ALL, Grant, Resource, anyone
from backstay.resources.declaration.registry import _registry
from backstay.testing.tasks import run_tasks
from tests.events.conftest import Ask, Receiver, account, hold, make_hook, states
from tests.events.test_webhooks import new_item
from tests.lending.models import Branch, Item, Keyword

pytestmark = pytest.mark.django_db

Told = Any


def kinds(receiver: Receiver) -> list[str]:
    """The types of what came, in order."""
    return [body['type'] for body in receiver.bodies]


def test_what_the_owner_could_not_read_is_withheld(
    write: Ask, hook: Webhook, receiver: Receiver, south: Branch
) -> None:
    new_item(write, south)
    run_tasks()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.error, delivery.attempts) == (State.WITHHELD, 'hidden', 0)
    assert receiver.got == []


def test_rights_are_those_of_the_delivery_and_not_of_the_change(
    write: Ask, hook: Webhook, receiver: Receiver, owner: Account, north: Branch
) -> None:
    new_item(write, north)
    relay.func()
    hold(owner, (north, 1))
    run_tasks()
    (body,) = receiver.bodies
    assert body['data'].keys() == {
        'id', 'branch_id', 'code', 'title', 'status', 'price', 'version',
    }  # fmt: skip

    write('patch', f'/items/{body["data"]["id"]}/', {'title': 'Other', 'pages': 9})
    relay.func()
    hold(owner)
    run_tasks()
    assert len(receiver.got) == 1
    assert states() == [State.DONE, State.WITHHELD]


@pytest.mark.parametrize('status', [AccountStatus.BLOCKED, AccountStatus.CLOSED])
def test_an_account_that_may_not_sign_in_is_told_nothing(
    status: AccountStatus,
    write: Ask,
    hook: Webhook,
    receiver: Receiver,
    owner: Account,
    north: Branch,
) -> None:
    new_item(write, north, status='open')  # which guests may read
    Account.objects.filter(pk=owner.pk).update(status=status)
    run_tasks()
    assert (receiver.got, states()) == ([], [State.WITHHELD])


def test_fields_that_the_owner_may_not_read_are_neither_data_nor_changes_nor_tenant(
    write: Ask, receiver: Receiver, south: Branch
) -> None:
    make_hook(account('outsider', 4), receiver.url)
    item = new_item(write, south, status='open')
    write('patch', f'/items/{item["id"]}/', {'title': 'Other', 'pages': 9, 'cost': '3.00'})
    run_tasks()
    for body in receiver.bodies:
        assert body['data'].keys() == {'id', 'code', 'title', 'status', 'price'}
        assert body['tenant'] == ''
    assert receiver.bodies[1]['changes'] == ['title']


def test_that_something_hidden_changed_is_hidden_too(
    write: Ask, receiver: Receiver, south: Branch
) -> None:
    make_hook(account('outsider', 4), receiver.url)
    item = new_item(write, south, status='open')
    write('patch', f'/items/{item["id"]}/', {'pages': 9})
    run_tasks()
    assert kinds(receiver) == ['item.created']


def test_the_numbers_of_what_is_told_have_no_gap_where_something_was_withheld(
    write: Ask, receiver: Receiver, south: Branch
) -> None:
    hook = make_hook(account('outsider', 4), receiver.url)
    path = f'/items/{new_item(write, south, status="open")["id"]}/'
    for change in ({'pages': 9}, {'title': 'Two'}, {'pages': 8}, {'pages': 7}, {'title': 'Three'}):
        write('patch', path, change)
        run_tasks()
    write('patch', path, {'status': 'draft'})  # the owner may read it no longer
    write('patch', path, {'title': 'Four'})
    run_tasks()
    write('patch', path, {'status': 'open'})
    write('patch', path, {'title': 'Five'})
    run_tasks()
    told = [(body['aggregate']['seq'], body['type']) for body in receiver.bodies]
    assert [number for number, _ in told] == list(range(1, len(told) + 1))
    assert len(told) < Delivery.objects.filter(webhook=hook).count()
    deliveries = Delivery.objects.filter(webhook=hook).order_by('pk')
    numbers = [each.sequence or 0 for each in deliveries]
    assert numbers == sorted(numbers)
    redeliver(Delivery.objects.filter(webhook=hook, entry__sequence=3))
    run_tasks()
    assert receiver.bodies[-1]['aggregate']['seq'] == 2  # as the first time


def test_a_tenant_that_the_owner_may_not_read_cannot_be_asked_for(
    write: Ask, receiver: Receiver, south: Branch
) -> None:
    make_hook(account('outsider', 4), receiver.url, tenant=str(south.pk))
    new_item(write, south, status='open')
    run_tasks()
    assert (receiver.got, states()) == ([], [State.WITHHELD])


def test_a_changed_list_is_named_where_it_may_be_read(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    item = new_item(write, north)
    word = Keyword.objects.create(word='art')
    write('patch', f'/items/{item["id"]}/', {'keywords': [word.pk]})
    run_tasks()
    assert 'keywords' in receiver.bodies[1]['changes']
    assert 'keywords' not in receiver.bodies[1]['data']


def test_a_deleted_row_is_told_by_its_key_to_who_was_told_of_it(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    item = new_item(write, north)
    run_tasks()
    write('delete', f'/items/{item["id"]}/')
    run_tasks()
    body = receiver.bodies[1]
    assert body['type'] == 'item.deleted'
    assert body['data'] == {'id': item['id']}
    assert body['tenant'] == ''  # there is no row any more that says who may read it


def test_a_deleted_row_of_which_the_owner_never_heard_is_withheld(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    item = new_item(write, north)
    write('delete', f'/items/{item["id"]}/')
    run_tasks()
    assert receiver.got == []
    assert [*Delivery.objects.order_by('pk').values_list('error', flat=True)] == ['gone', 'hidden']


def test_a_deleted_row_that_the_owner_was_last_forbidden_to_see_is_withheld(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch, south: Branch
) -> None:
    item = new_item(write, north)
    run_tasks()
    write('patch', f'/items/{item["id"]}/', {'branch_id': south.pk})
    run_tasks()
    write('delete', f'/items/{item["id"]}/')
    run_tasks()
    assert kinds(receiver) == ['item.created']
    assert states() == [State.DONE, State.WITHHELD, State.WITHHELD]


def test_an_update_that_found_the_row_gone_does_not_hide_the_deletion(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    item = new_item(write, north)
    run_tasks()
    write('patch', f'/items/{item["id"]}/', {'title': 'Other'})
    write('delete', f'/items/{item["id"]}/')
    run_tasks()
    assert kinds(receiver) == ['item.created', 'item.deleted']


def test_who_may_read_every_row_is_told_of_each_deletion(
    write: Ask, receiver: Receiver, owner: Account
) -> None:
    make_hook(owner, receiver.url)
    write('post', '/stamps/', {'code': 'a', 'label': 'A'})
    write('delete', '/stamps/a/')
    run_tasks()
    (body,) = receiver.bodies
    assert (body['type'], body['data']) == ('stamp.deleted', {'code': 'a'})
    assert body['aggregate'] == {'type': 'lending.stamp', 'id': 'a', 'seq': 1}


def test_who_lost_the_resource_is_not_told_of_deletions(
    write: Ask, hook: Webhook, receiver: Receiver, owner: Account, north: Branch
) -> None:
    item = new_item(write, north)
    loan = write('post', '/loans/', {'item_id': item['id'], 'reader': 'Ann'})
    run_tasks()
    assert kinds(receiver) == ['item.created', 'loan.created']
    write('patch', f'/items/{item["id"]}/', {'title': 'Other'})
    Account.objects.filter(pk=owner.pk).update(level=1)
    hold(owner, (north, 1))
    Entry.objects.create(
        actor='x', verb='delete', aggregate='lending.loan', resource='Loan', pending=True,
        object_id=str(loan['id']), sequence=2, before=loan,
    )  # fmt: skip
    relay.func()
    run_tasks()
    assert kinds(receiver) == ['item.created', 'loan.created', 'item.updated']


def test_a_restored_row_is_told_with_its_data(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    item = new_item(write, north)
    run_tasks()
    write('delete', f'/items/{item["id"]}/')
    write('post', f'/items/{item["id"]}/restore/')
    run_tasks()
    assert kinds(receiver) == ['item.created', 'item.deleted', 'item.restored']
    assert receiver.bodies[2]['data']['code'] == 'item-1'


def test_an_entry_of_a_resource_that_is_no_more_is_withheld(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    new_item(write, north)
    Entry.objects.update(resource='Renamed')
    run_tasks()
    assert (receiver.got, states()) == ([], [State.WITHHELD])


def test_where_two_resources_have_one_name_nobody_knows_whose_rights_count(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    class OpenItemResource(Resource):
        class Meta:
            model = Item
            fields = ('id', 'secret')

        grants = (Grant(anyone, read=ALL),)

    try:
        new_item(write, north)
        run_tasks()
    finally:
        del _registry[f'{OpenItemResource.__module__}.{OpenItemResource.__qualname__}']
    assert (receiver.got, states()) == ([], [State.WITHHELD])


def test_a_resource_that_is_not_found_by_its_key_is_told_by_what_finds_it(
    write: Ask, hook: Webhook, receiver: Receiver, clerk: Account
) -> None:
    word = write('post', '/words/', {'word': 'art'})
    run_tasks()
    write('patch', f'/words/{word["word"]}/', {'word': 'arts'})
    run_tasks()
    write('delete', '/words/arts/')
    run_tasks()
    assert [body['aggregate']['id'] for body in receiver.bodies] == ['art', 'arts', 'arts']
    assert receiver.bodies[2]['data'] == {'word': 'arts'}


class TestForgetting:
    @pytest.fixture
    def long_ago(self) -> Any:
        from django.utils import timezone

        return timezone.now() - 2 * KEPT

    def test_the_last_that_was_told_of_an_object_stays(
        self, write: Ask, hook: Webhook, receiver: Receiver, north: Branch, long_ago: Any
    ) -> None:
        item = new_item(write, north)
        write('patch', f'/items/{item["id"]}/', {'title': 'Other'})
        run_tasks()
        Delivery.objects.update(created_at=long_ago)
        assert forget_old_deliveries.func() == 1
        write('delete', f'/items/{item["id"]}/')
        run_tasks()
        assert kinds(receiver)[-1] == 'item.deleted'

        Delivery.objects.update(created_at=long_ago)
        assert forget_old_deliveries.func() == 2
        assert states() == []

    def test_a_refusal_stays_too_and_dead_letters_do(
        self, write: Ask, hook: Webhook, receiver: Receiver, north: Branch, south: Branch,
        long_ago: Any,
    ) -> None:  # fmt: skip
        item = new_item(write, north)
        run_tasks()
        write('patch', f'/items/{item["id"]}/', {'branch_id': south.pk})
        new_item(write, north, 2)
        run_tasks()
        Delivery.objects.filter(Q(type='item.created'), ~Q(subject__endswith=item['id'])).update(
            state=State.DEAD, delivered_at=None
        )
        Delivery.objects.update(created_at=long_ago)
        forget_old_deliveries.func()
        assert states() == [State.WITHHELD, State.DEAD]
        assert Item.objects.count() == 2

    def test_what_is_young_stays(
        self, write: Ask, hook: Webhook, receiver: Receiver, north: Branch
    ) -> None:
        item = new_item(write, north)
        write('patch', f'/items/{item["id"]}/', {'title': 'Other'})
        run_tasks()
        assert forget_old_deliveries.func() == 0
