"""What a webhook gets: the body, the signature, the order, the tries."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook as Standard
from standardwebhooks import WebhookVerificationError

from backstay.events.delivering import MAX_FAILURES, PAUSES, deliver
from backstay.events.models import Delivery, State, Webhook
from backstay.events.relaying import relay, wake_forgotten
from backstay.events.secrets import new_secret, unseal
from backstay.identity.models import Account
from backstay.journal.models import Entry
from backstay.tasks.models import Job
from backstay.testing.tasks import run_tasks
from tests.events.conftest import Ask, Receiver, asking, hold, make_hook, states
from tests.lending.models import Branch

pytestmark = pytest.mark.django_db


def new_item(write: Ask, branch: Branch, number: int = 1, **values: Any) -> Any:
    body = {'branch_id': branch.pk, 'code': f'item-{number}', 'title': f'Item {number}', **values}
    return write('post', '/items/', body)


def test_a_change_is_told_as_the_owner_would_read_it(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    item = new_item(write, north)
    write('patch', f'/items/{item["id"]}/', {'title': 'Other', 'pages': 4})
    run_tasks()

    created, updated = receiver.bodies
    entry = Entry.objects.get(object_id=item['id'], verb='create', resource='Item')
    assert created == {
        'id': f'evt_{entry.pk}',
        'type': 'item.created',
        'api_version': '1',
        'created_at': entry.at.isoformat().replace('+00:00', 'Z'),
        'tenant': str(north.pk),
        'aggregate': {'type': 'lending.item', 'id': str(item['id']), 'seq': 1},
        'data': {**item, 'title': 'Other', 'version': 2},  # as it is now
    }
    assert updated['type'] == 'item.updated'
    assert updated['aggregate']['seq'] == 2
    assert sorted(updated['changes']) == ['pages', 'title', 'version']
    assert states() == [State.DONE, State.DONE]


def test_a_receiver_can_tell_who_sent_it(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    new_item(write, north)
    run_tasks()

    (came,) = receiver.got
    standard = Standard(unseal(hook.secret))
    assert standard.verify(came.text, came.headers) == came.body
    assert came.headers['webhook-id'] == came.body['id']
    assert came.headers['x-delivery-id'] == str(Delivery.objects.get().pk)
    assert came.headers['x-attempt'] == '1'
    with pytest.raises(WebhookVerificationError):
        standard.verify(came.text + ' ', came.headers)


def test_only_the_types_and_the_tenant_that_it_asked_for_come(
    write: Ask, owner: Account, receiver: Receiver, north: Branch, south: Branch
) -> None:
    hold(owner, (north, 3), (south, 3))
    make_hook(owner, receiver.url, types=['item.deleted', 'item.created'], tenant=str(north.pk))
    for number, branch in enumerate((north, south)):
        item = new_item(write, branch, number)
        write('patch', f'/items/{item["id"]}/', {'title': 'Other'})
    run_tasks()

    assert [(body['type'], body['tenant']) for body in receiver.bodies] == [
        ('item.created', str(north.pk))
    ]


def test_what_is_rolled_back_is_never_told(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    with transaction.atomic():
        new_item(write, north)
        assert Job.objects.filter(key='relay').exists()
        transaction.set_rollback(True)
    run_tasks()
    relay.func()

    assert (receiver.got, states(), Entry.objects.count()) == ([], [], 0)


def test_an_entry_that_is_not_pending_is_not_told(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    new_item(write, north)
    Entry.objects.update(pending=False)
    run_tasks()
    assert receiver.got == []


def test_the_periodic_relay_finds_what_nobody_was_woken_for(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    new_item(write, north)
    Job.objects.all().delete()
    relay.enqueue()
    run_tasks()
    assert len(receiver.got) == 1


def test_many_entries_are_relayed_batch_after_batch(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('backstay.events.relaying.BATCH', 7)
    monkeypatch.setattr('backstay.events.relaying._MAX_BATCHES', 2)
    for number in range(5):
        item = new_item(write, north, number)
        for _ in range(4):
            write('patch', f'/items/{item["id"]}/', {'title': f'Title {_}'})
    run_tasks()

    assert not Entry.objects.filter(pending=True).exists()
    assert [*receiver.sequences.values()] == [[1, 2, 3, 4, 5]] * 5


def test_a_failing_try_is_followed_by_others_at_growing_distances(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    receiver.answer, receiver.says = 503, b'not now'
    new_item(write, north)
    run_tasks()
    assert len(PAUSES) == 9

    for number, pause in enumerate(PAUSES, 1):
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.attempts) == (State.QUEUED, number)
        assert (delivery.status, delivery.error, delivery.response) == (503, 'status', 'not now')
        left = (delivery.next_at - timezone.now()).total_seconds()
        assert pause - 5 < left <= pause
        assert run_tasks(at=delivery.next_at - timedelta(seconds=1)) == 0
        run_tasks(at=delivery.next_at)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (State.DEAD, 10)
    assert [each.headers['x-attempt'] for each in receiver.got] == [*map(str, range(1, 11))]
    assert len({each.headers['webhook-id'] for each in receiver.got}) == 1
    assert Webhook.objects.get().failures == 1
    run_tasks(at=timezone.now() + timedelta(days=2))
    assert len(receiver.got) == 10


def test_a_receiver_that_is_down_for_a_while_gets_everything_in_order(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    down = True
    receiver.answer = lambda _: 500 if down else 204
    items = [new_item(write, north, number)['id'] for number in range(6)]
    run_tasks()
    for step in range(3):
        for item in items:
            write('patch', f'/items/{item}/', {'title': f'Title {step}'})
        run_tasks(at=timezone.now() + timedelta(seconds=20 * step))
    assert {body['aggregate']['seq'] for body in receiver.bodies} == {1}
    assert {*states()} == {State.QUEUED}

    down, receiver.got = False, []
    run_tasks(at=timezone.now() + timedelta(hours=1))
    assert receiver.sequences == {str(item): [1, 2, 3, 4] for item in items}
    assert {*states()} == {State.DONE}
    assert Delivery.objects.filter(attempts__gt=1).count() == len(items)


def test_one_object_that_fails_holds_up_none_but_itself(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    first, second = (new_item(write, north, number)['id'] for number in range(2))
    receiver.answer = lambda came: 500 if came.body['aggregate']['id'] == str(first) else 200
    for item in (first, second):
        write('patch', f'/items/{item}/', {'title': 'Other'})
    run_tasks()
    assert receiver.sequences == {str(first): [1], str(second): [1, 2]}

    run_tasks(at=timezone.now() + timedelta(days=4))  # the first is given up, and then the second
    assert states(subject=f'lending.item:{first}') == [State.DEAD, State.DEAD]
    assert receiver.sequences[str(first)] == [1] * 10 + [2] * 10


def test_a_receiver_that_fails_again_and_again_may_rest(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    receiver.answer = 500
    for number in range(8):
        new_item(write, north, number)
    run_tasks()
    assert len(receiver.got) == 3
    run_tasks(at=timezone.now() + timedelta(seconds=11))
    assert len({body['id'] for body in receiver.bodies}) > 3


@pytest.mark.parametrize('status', [301, 302, 307, 308])
def test_redirects_are_not_followed(
    status: int, write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    receiver.answer, receiver.headers = status, {'Location': '/elsewhere'}
    new_item(write, north)
    run_tasks()
    assert [each.path for each in receiver.got] == ['/hook']
    assert Delivery.objects.get().status == status


def test_a_webhook_is_switched_off_after_too_many_failures_and_its_owner_is_told(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    receiver.answer = 500
    Webhook.objects.update(failures=MAX_FAILURES - 1)
    for number in range(2):
        new_item(write, north, number)
    run_tasks()
    Delivery.objects.update(attempts=9)
    run_tasks(at=timezone.now() + timedelta(seconds=30))

    hook.refresh_from_db()
    assert (hook.active, hook.failures) == (False, MAX_FAILURES)
    assert hook.disabled_at is not None
    assert states() == [State.DEAD, State.QUEUED]
    (message,) = mail.outbox
    assert message.to == ['owner@example.com']
    assert receiver.url not in message.body  # its path may be a secret
    got = len(receiver.got)
    new_item(write, north, 3)
    wake_forgotten.enqueue()
    run_tasks(at=timezone.now() + timedelta(days=1))
    assert len(receiver.got) == got


def test_a_success_begins_the_count_of_failures_anew(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    Webhook.objects.update(failures=MAX_FAILURES - 1)
    new_item(write, north)
    run_tasks()
    assert Webhook.objects.get().failures == 0


def test_what_a_dead_worker_left_is_woken(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    new_item(write, north)
    relay.func()
    Job.objects.all().delete()
    Delivery.objects.update(next_at=timezone.now() - timedelta(minutes=3))
    wake_forgotten.enqueue()
    run_tasks()
    assert states() == [State.DONE]


def test_two_secrets_sign_for_a_day(
    write: Ask, owner: Account, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    first, second, third = unseal(hook.secret), new_secret(), new_secret()

    def sign_by(secrets: list[str], number: int) -> None:
        new_item(write, north, number)
        run_tasks()
        came = receiver.got[-1]
        assert len(came.headers['webhook-signature'].split()) == len(secrets)
        for secret in (first, second, third):
            if secret in secrets:
                assert Standard(secret).verify(came.text, came.headers) == came.body
            else:
                with pytest.raises(WebhookVerificationError):
                    Standard(secret).verify(came.text, came.headers)

    sign_by([first], 1)
    path = f'/events/webhooks/{hook.pk}/'
    told = asking(owner)('patch', path, {'secret': second})
    assert told.status_code == 200, told.content
    assert 'former' not in told.text
    stored = Webhook.objects.get()
    assert unseal(stored.former_secret) == first
    assert first not in stored.former_secret
    sign_by([second, first], 2)
    assert asking(owner)('patch', path, {'name': 'x'}).status_code == 200
    sign_by([second, first], 3)
    assert asking(owner)('patch', path, {'secret': third}).status_code == 200
    sign_by([third, second], 4)
    Webhook.objects.update(former_until=timezone.now() - timedelta(seconds=1))
    sign_by([third], 5)


def test_a_receiver_that_shows_the_secret_does_not_have_it_stored(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch, caplog: Any
) -> None:
    secret = unseal(hook.secret)
    receiver.says = b'you said ' + secret.encode()
    new_item(write, north)
    run_tasks()
    assert Delivery.objects.get().response == 'you said ***'
    assert secret not in caplog.text


def test_a_secret_of_another_key_fails_and_is_tried_again(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    Webhook.objects.update(secret='nonsense')
    new_item(write, north)
    run_tasks()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.error, receiver.got) == (State.QUEUED, 'secret', [])


def test_a_delivery_that_was_sent_and_not_noted_is_sent_again_as_the_same_event(
    write: Ask, hook: Webhook, receiver: Receiver, north: Branch
) -> None:
    new_item(write, north)
    run_tasks()
    Delivery.objects.update(state=State.QUEUED, delivered_at=None, next_at=timezone.now())
    deliver.enqueue(hook.target)
    run_tasks()
    first, second = receiver.got
    assert first.headers['webhook-id'] == second.headers['webhook-id']
    assert first.text == second.text
    assert (first.headers['x-attempt'], second.headers['x-attempt']) == ('1', '2')
