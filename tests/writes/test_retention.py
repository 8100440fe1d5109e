"""What the journal keeps once entries are old: every object can be rebuilt from what is left."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone

from backstay.events.models import Delivery
from backstay.journal.models import Entry
from backstay.operations.tasks import forget_old_entries
from tests.lending.models import Item
from tests.writes.conftest import Ask
from tests.writes.replaying import differences, replayed

pytestmark = pytest.mark.django_db

DAYS = 30
OLD = timedelta(days=DAYS + 1)
LABEL = Item._meta.label_lower


@pytest.fixture(autouse=True)
def _retention(settings: Any) -> None:
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'journal_days': DAYS})


@pytest.fixture
def items(ask: Ask, north: Any) -> list[int]:
    """Three items, each created and changed twice; the last one is marked as deleted in the end."""
    made = []
    for number in range(3):
        body = {'branch_id': north.pk, 'code': f'item-{number}', 'title': 'first'}
        key = ask('manager', 'post', '/items/', body).json()['id']  # type: ignore[attr-defined]
        for title in ('second', 'third'):
            assert ask('manager', 'patch', f'/items/{key}/', {'title': title}).status_code == 200
        made.append(key)
    assert ask('manager', 'delete', f'/items/{made[2]}/').status_code == 204
    Entry.objects.update(pending=False)
    return made


def left(key: int) -> list[int]:
    """The numbers of the entries that an object still has."""
    entries = Entry.objects.filter(aggregate=LABEL, object_id=str(key))
    return [*entries.order_by('sequence').values_list('sequence', flat=True)]


def age(what: Q) -> None:
    Entry.objects.filter(what).update(at=timezone.now() - OLD)


def test_the_last_entry_of_each_object_stays(items: list[int]) -> None:
    before = replayed(LABEL)
    age(Q())

    assert forget_old_entries.call() > 0
    forget_old_entries.call()

    assert [left(key) for key in items] == [[3], [3], [4]]
    assert replayed(LABEL) == before
    assert differences(Item) == []


def test_of_an_object_that_is_gone_nothing_stays(items: list[int]) -> None:
    gone = Entry.objects.filter(object_id=str(items[2]))
    gone.filter(sequence=4).update(after=None)
    age(Q())

    forget_old_entries.call()
    forget_old_entries.call()  # the end goes once nothing before it is left

    assert left(items[2]) == []


def test_an_object_goes_on_from_there(items: list[int], ask: Ask) -> None:
    age(Q())
    forget_old_entries.call()

    ask('manager', 'patch', f'/items/{items[0]}/', {'title': 'fourth'})

    assert left(items[0]) == [3, 4]
    assert differences(Item) == []


def test_what_is_young_stays(items: list[int]) -> None:
    age(Q(object_id=str(items[0]), sequence=1))

    forget_old_entries.call()

    assert [left(key) for key in items] == [[2, 3], [1, 2, 3], [1, 2, 3, 4]]


def test_what_is_not_told_yet_stays_and_what_came_before_the_end_of_an_object(
    items: list[int],
) -> None:
    age(Q())
    Entry.objects.filter(object_id=str(items[2]), sequence=2).update(pending=True)

    forget_old_entries.call()
    forget_old_entries.call()

    # Its deletion stays as long as anything that would call it back to life.
    assert left(items[2]) == [2, 4]


def test_what_is_delivered_or_says_what_a_receiver_knows_stays(items: list[int]) -> None:
    age(Q())
    entry = Entry.objects.get(aggregate=LABEL, object_id=str(items[0]), sequence=1)
    Delivery.objects.create(target='webhook:1', entry=entry, type='item.created', subject='x')

    forget_old_entries.call()

    assert left(items[0]) == [1, 3]
    assert Delivery.objects.count() == 1


def test_all_of_it_is_kept_unless_the_site_says_otherwise(
    items: list[int], settings: Any, make_item: Callable[..., Item]
) -> None:
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'journal_days': 0})
    age(Q())

    assert forget_old_entries.call() == 0
    assert left(items[2]) == [1, 2, 3, 4]
