"""Thousands of deliveries that wait: what a look costs, what goes side by side, who is first."""

import time
from collections import Counter
from datetime import timedelta
from threading import Lock
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from backstay.events.delivering import SIDE_BY_SIDE, deliver, redeliver
from backstay.events.models import Delivery, State, Webhook
from backstay.events.relaying import relay_batch, wake_forgotten
from backstay.journal.models import Entry
from backstay.testing.tasks import run_tasks
from tests.events.conftest import Received, Receiver, account, make_hook, states
from tests.events.test_processes import change, in_threads
from tests.lending.models import Stamp
from tests.measuring import analyze, work_of

pytestmark = pytest.mark.django_db

#: How many deliveries wait for how many objects: few with many each, and many with one each.
BACKLOGS = [(4_000, 4), (4_000, 4_000)]


def entry(code: str, sequence: int) -> Entry:
    return Entry(
        actor='x',
        verb='update',
        aggregate='lending.stamp',
        resource='Stamp',
        object_id=code,
        sequence=sequence,
        before={'label': ''},
        after={'label': 'x'},
        pending=True,
    )


def queue(count: int, objects: int) -> None:
    """Queue so many changes of so many stamps for whoever is told, as the relay does."""
    codes = [f's{number}' for number in range(objects)]
    Stamp.objects.bulk_create([Stamp(code=code, label='x') for code in codes])
    Entry.objects.bulk_create(
        [entry(codes[number % objects], 1 + number // objects) for number in range(count)],
        batch_size=1_000,
    )
    while relay_batch():
        pass


def deliver_one() -> None:
    head = Delivery.heads(Delivery.objects.values_list('target', flat=True)[0])[0]
    Delivery.objects.filter(pk=head.pk).update(state=State.DONE, next_at=None)
    head.let_next_one_lead()


def relay_one() -> None:
    Entry.objects.bulk_create([entry('s0', 1_000_000)])
    relay_batch()


@pytest.mark.parametrize(('count', 'objects'), BACKLOGS)
def test_what_a_delivery_costs_does_not_grow_with_what_waits(
    hook: Webhook, count: int, objects: int
) -> None:
    queue(40, 4)
    few = _costs()
    for model in (Delivery, Entry, Stamp):
        model.objects.all().delete()
    queue(count, objects)
    many = _costs()
    for one_of_few, one_of_many in zip(few, many, strict=True):
        assert one_of_many <= 3 * one_of_few + 100, (few, many)


def _costs() -> list[int]:
    """Return what delivering one costs, and relaying one."""
    analyze()
    costs = []
    for do in (deliver_one, relay_one):
        with work_of(Delivery) as work:
            do()
        costs.append(work.amount)
    return costs


def test_objects_of_one_target_are_posted_side_by_side_and_each_in_its_order(
    hook: Webhook, receiver: Receiver
) -> None:
    lock, at_once, most = Lock(), Counter[str](), Counter[str]()

    def answer(came: Received) -> int:
        code = came.body['aggregate']['id']
        with lock:
            at_once[code] += 1
            most[code] = max(most[code], at_once[code])
            most['all'] = max(most['all'], at_once.total())
        time.sleep(0.05)
        with lock:
            at_once[code] -= 1
        return 200

    receiver.answer = answer
    queue(40, 10)
    run_tasks()
    assert states() == [State.DONE] * 40
    assert receiver.sequences == {f's{number}': [*range(1, 5)] for number in range(10)}
    assert 2 <= most.pop('all') <= SIDE_BY_SIDE
    assert {*most.values()} == {1}


def test_a_receiver_that_fails_is_asked_by_one_try_at_a_time(
    hook: Webhook, receiver: Receiver
) -> None:
    receiver.answer = 500
    queue(40, 20)
    deliver.func(hook.target)
    assert len(receiver.got) == 3
    assert Delivery.heads().count() == 20


def test_an_object_whose_first_delivery_fails_does_not_hold_up_the_others(
    hook: Webhook, receiver: Receiver
) -> None:
    receiver.answer = lambda came: 500 if came.body['aggregate']['id'] == 's0' else 200
    queue(20, 4)
    run_tasks()
    waiting = Delivery.objects.filter(state=State.QUEUED)
    assert {*waiting.values_list('subject', flat=True)} == {'lending.stamp:s0'}
    assert waiting.count() == 5
    receiver.answer = 200
    run_tasks(at=timezone.now() + timedelta(minutes=1))
    assert receiver.sequences['s0'] == [1, 1, 2, 3, 4, 5]


def test_what_is_queued_anew_comes_before_what_waits(hook: Webhook, receiver: Receiver) -> None:
    queue(6, 1)
    Webhook.objects.update(active=False)
    first = Delivery.objects.order_by('pk')[:3]
    for delivery in first:
        Delivery.objects.filter(pk=delivery.pk).update(state=State.DONE, next_at=None)
        delivery.let_next_one_lead()
    assert [each.entry.sequence for each in Delivery.heads()] == [4]
    redeliver(Delivery.objects.filter(entry__sequence__in=(2, 3)))
    assert [each.entry.sequence for each in Delivery.heads()] == [2]
    redeliver(Delivery.objects.filter(entry__sequence=1))
    assert [each.entry.sequence for each in Delivery.heads()] == [1]
    Webhook.objects.update(active=True)
    run_tasks()
    assert receiver.sequences == {'s0': [1, 2, 3, 4, 5, 6]}


def test_what_was_being_tried_when_an_earlier_one_was_queued_anew_waits_for_it(
    hook: Webhook, receiver: Receiver
) -> None:
    queue(2, 1)

    def answer(came: Received) -> int:
        return 500 if came.body['aggregate']['seq'] == 2 else 200

    receiver.answer = answer
    run_tasks()
    second = Delivery.objects.get(state=State.QUEUED)
    assert second.next_at is not None
    redeliver(Delivery.objects.filter(state=State.DONE))
    second.refresh_from_db()
    assert second.next_at is None
    receiver.answer = 200
    run_tasks()
    assert receiver.sequences == {'s0': [1, 2, 1, 2]}


def test_the_database_itself_refuses_two_first_ones_of_one_object(hook: Webhook) -> None:
    queue(2, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.update(next_at=timezone.now())


def test_what_lost_the_one_before_it_is_woken(hook: Webhook, receiver: Receiver) -> None:
    queue(6, 2)
    Delivery.heads().delete()
    assert not Delivery.heads().exists()
    wake_forgotten.enqueue()
    deliver.enqueue(hook.target)
    run_tasks()
    assert states() == [State.DONE] * 4


@pytest.mark.django_db(transaction=True)
def test_what_is_queued_while_the_last_one_is_delivered_is_delivered_too(
    shared_database: str, receiver: Receiver
) -> None:
    hook = make_hook(account('owner', 4), receiver.url)
    Stamp.objects.create(code='a', label='A')
    changes, writing = 60, [True]

    def write() -> None:
        try:
            for _ in range(changes):
                change('a')
                relay_batch()
        finally:
            writing.pop()

    def deliver_all() -> None:
        while writing or Delivery.objects.filter(state=State.QUEUED).exists():
            deliver.func(hook.target)

    in_threads(write, deliver_all)
    assert receiver.sequences == {'a': [*range(1, changes + 1)]}
    connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_a_table_of_deliveries_of_before_is_brought_into_line(receiver: Receiver) -> None:
    hook = make_hook(account('owner', 4), receiver.url)
    Entry.objects.bulk_create([entry('a', number) for number in range(1, 5)])
    keys = [*Entry.objects.order_by('pk').values_list('pk', flat=True)]
    try:
        old = _migrated_to('0001_initial').get_model('events', 'Delivery')
        made = [
            old.objects.create(
                target=hook.target, webhook_id=hook.pk, entry_id=key, type='t',
                subject=f'lending.stamp:{code}', state=state,
            )
            for key, code, state in zip(keys, 'aaab', ('done', *['queued'] * 3), strict=True)
        ]  # fmt: skip
    finally:
        _migrated_to(_NEWEST)
    heads = Delivery.heads().values_list('pk', flat=True)
    assert {*heads} == {made[1].pk, made[3].pk}


#: What the tables of all other tests have.
_NEWEST = MigrationLoader(None).graph.leaf_nodes('events')[0][1]


def _migrated_to(name: str) -> Any:
    executor = MigrationExecutor(connection)
    return executor.migrate([('events', name)]).apps
