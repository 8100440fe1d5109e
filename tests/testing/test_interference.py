"""The test of non-interference that services get in one line, on every kind of right."""

from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from backstay.caller import Caller
from backstay.identity.models import Account
from backstay.resources.plan.cache import plans
from backstay.testing import caller, non_interference
from backstay.testing.knowledge import Tables, knowledge_of, reachable
from backstay.testing.mutations import spots_of
from backstay.testing.positions import POSITIONS
from backstay.testing.questions import Subject
from backstay.testing.sites import collections_of_the_site, site_of
from tests.lending.models import Branch, Item
from tests.rights.callers import CALLERS
from tests.rights.leaks import LEAKS
from tests.rights.mutations import any_mutation
from tests.rights.oracle import View
from tests.rights.resources import SERVED
from tests.rights.world import make_world

pytestmark = [pytest.mark.django_db, pytest.mark.urls('tests.rights.site')]

FEW: dict[str, Caller] = {name: CALLERS[name] for name in ('guest', 'customer', 'manager')}


def make_rows() -> None:
    make_world(Random(3)).store()


test_nothing_leaks_in_one_line = non_interference(rows=make_rows, callers=FEW, checks=240)


@pytest.mark.parametrize('name', ['comparisons', 'fields of objects with relations'])
def test_a_leak_is_found(name: str) -> None:
    plans.clear()
    find = non_interference(rows=make_rows, callers={'manager': CALLERS['manager']}, checks=20_000)
    with LEAKS[name].plant(), pytest.raises(AssertionError, match='manager learns of'):
        find()
    plans.clear()


@pytest.mark.urls('tests.lending.site')
def test_callers_may_need_rows_and_may_be_accounts() -> None:
    def make() -> None:
        north = Branch.objects.create(name='North')
        Account.objects.create_user('ann@example.com', 'a long password')
        for status in ('open', 'draft'):
            Item.objects.create(branch=north, code=status, title='T', status=status, secret='s')

    def callers() -> dict[str, Any]:
        scopes = [('branches', Branch.objects.get().pk, 2)]
        return {'helper': caller(scopes=scopes), 'ann': Account.objects.get()}

    non_interference('/items/', rows=make, callers=callers, checks=200)()


def test_callers_from_whom_nothing_is_hidden_are_no_test() -> None:
    with pytest.raises(AssertionError, match='nothing was checked'):
        non_interference('/works/', rows=lambda: None, callers={'guest': None})()


def test_it_agrees_with_the_oracle_of_the_platform_on_what_may_be_known() -> None:
    """Where our oracle says that nothing changed, the other one must say so too."""
    resources = tuple(SERVED.values())
    random, agreed = Random(5), 0
    for name in ('guest', 'operator', 'auditor', 'owner'):
        world = make_world(random)
        world.store()
        caller = CALLERS[name]
        view, before = View(world, caller), knowledge_of(caller, reachable(resources))
        for _ in range(12):
            mutation = any_mutation(random, world)
            if mutation is None:
                continue
            changed = world.copy()
            mutation.apply(changed)
            mutation.store()
            is_known = knowledge_of(caller, reachable(resources)) != before
            is_seen = View(changed, caller).projection(resources) != view.projection(resources)
            assert is_known or not is_seen, mutation
            agreed += is_known == is_seen
            world.store()
    assert agreed > 30


def test_what_a_change_cannot_touch_need_not_be_read_again() -> None:
    """What is known after a change is the same, whether all is read again or only what it says."""
    make_rows()
    resources, caller, random = reachable(SERVED.values()), CALLERS['manager'], Random(7)
    read, altered = Tables(), 0
    before = knowledge_of(caller, resources, read)
    for spot in spots_of(resources):
        keys = [*spot.model._base_manager.order_by('pk').values_list('pk', flat=True)]
        mutation = spot.choose(random, keys)
        if mutation is None:
            continue
        with suppress(IntegrityError), transaction.atomic():
            mutation.apply()
            after = knowledge_of(caller, resources, mutation.tables(read))
            assert after == knowledge_of(caller, resources), mutation
            altered += after != before
            transaction.set_rollback(True)
    assert altered > 20


def test_every_collection_of_the_site_is_asked_in_every_position() -> None:
    make_rows()
    assert [*collections_of_the_site()] == sorted(f'/{prefix}/' for prefix in SERVED)
    site = site_of(collections_of_the_site())
    subject = Subject(
        resource=SERVED['works'], name='price', values=(None, Decimal('2.50')), keys=(1,)
    )
    asked = {position: ask(site, subject) for position, ask in POSITIONS.items()}

    reasons = {position: found for position, found in asked.items() if isinstance(found, str)}
    assert reasons == {
        'one': 'no relation to one leads to it',
        'many': 'no relation to many leads to it',
        'deleted': 'its rows are not deleted softly',
        'related': 'no relation leads to it',
        'through': 'nothing leads through to it',
        'some, none': 'no relation leads to it',
        'write': 'nobody may change it',
        'If-Match': 'nobody may change it',
        'create': 'nobody may create such rows',
        'delete': 'nobody may delete such rows',
        'restore': 'its rows are not deleted softly',
        'bulk': 'nobody may change it',
        'reference': 'rows are referred to by their key',
    }
    assert all(found for found in asked.values())
    parameters = {name for each in asked['parameter'] for name in each.parameters}
    assert parameters == {'price__isnull', 'price', 'price__ne', 'price__in', 'price__gte'}
