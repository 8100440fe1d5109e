"""Functions of services that are called with events."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from backstay.events import Event, on
from backstay.events.declaration import registered
from backstay.events.models import Delivery, State
from backstay.events.relaying import relay
from backstay.journal.models import Entry
from backstay.testing.tasks import run_tasks
from tests.events.conftest import Ask, states
from tests.events.test_webhooks import new_item
from tests.lending.models import Branch

pytestmark = pytest.mark.django_db

Subscribe = Callable[..., list[Event]]


@pytest.fixture
def subscribe() -> Iterator[Subscribe]:
    """Declares a function, with a rule that may raise, and gives the list of what it was told."""
    before = dict(registered)

    def subscribe(*types: str, rule: Callable[[Event], None] = lambda _: None) -> list[Event]:
        told: list[Event] = []

        @on(*types)
        def listen(event: Event) -> None:
            rule(event)
            told.append(event)

        return told

    yield subscribe
    registered.clear()
    registered.update(before)


def test_a_function_is_called_with_the_events_that_it_asked_for(
    subscribe: Subscribe, write: Ask, north: Branch
) -> None:
    told = subscribe('item.updated', 'item.deleted')
    item = new_item(write, north)
    write('patch', f'/items/{item["id"]}/', {'title': 'Other'})
    run_tasks()

    (event,) = told
    entry = Entry.objects.get(verb='update')
    assert (event.id, event.type) == (f'evt_{entry.pk}', 'item.updated')
    assert (event.aggregate, event.object_id) == ('lending.item', str(item['id']))
    assert (event.sequence, event.tenant) == (2, str(north.pk))
    assert event.actor == entry.actor
    assert event.before is not None
    assert event.before['title'] == 'Item 1'
    assert event.after is not None
    assert event.after['title'] == 'Other'
    assert states() == [State.DONE]


def test_star_stands_for_every_type(subscribe: Subscribe, write: Ask, north: Branch) -> None:
    told = subscribe('*')
    new_item(write, north, notes=[{'text': 'a'}])
    run_tasks()
    assert {event.type for event in told} == {'item.created', 'note.created'}


def test_events_of_an_object_wait_for_the_one_that_fails_and_others_do_not(
    subscribe: Subscribe, write: Ask, north: Branch
) -> None:
    broken: set[str] = set()

    def rule(event: Event) -> None:
        if event.object_id in broken:
            raise ValueError('no')

    told = subscribe('*', rule=rule)
    first, second = (new_item(write, north, number)['id'] for number in range(2))
    broken.add(str(first))
    for item in (first, second):
        write('patch', f'/items/{item}/', {'title': 'Other'})
    run_tasks()
    assert [(event.object_id, event.sequence) for event in told] == [
        (str(second), 1),
        (str(second), 2),
    ]
    failed = Delivery.objects.get(subject=f'lending.item:{first}', attempts=1)
    assert (failed.state, failed.error) == (State.QUEUED, 'ValueError')

    broken.clear()
    run_tasks(at=timezone.now() + timedelta(seconds=15))
    assert [event.sequence for event in told if event.object_id == str(first)] == [1, 2]


def test_a_function_that_is_no_more_leaves_its_events_to_be_tried_again(
    subscribe: Subscribe, write: Ask, north: Branch
) -> None:
    subscribe('*')
    new_item(write, north)
    relay.func()
    registered.clear()
    run_tasks()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.error) == (State.QUEUED, 'KeyError')


def test_a_function_names_its_types() -> None:
    with pytest.raises(TypeError, match='name the types'):
        on()
