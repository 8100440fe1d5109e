"""The test of non-interference that services get in one line, on every kind of right."""

from random import Random
from typing import Any

import pytest

from backstay.caller import Caller
from backstay.identity.models import Account
from backstay.resources.plan import conditions, rights
from backstay.resources.plan.cache import plans
from backstay.testing import caller, non_interference
from backstay.testing.interference import collections_of_the_site, questions_of
from backstay.testing.knowledge import knowledge_of, reachable
from tests.lending.models import Branch, Item
from tests.rights.callers import CALLERS
from tests.rights.mutations import any_mutation
from tests.rights.oracle import View
from tests.rights.resources import SERVED
from tests.rights.world import make_world

pytestmark = [pytest.mark.django_db, pytest.mark.urls('tests.rights.site')]

FEW: dict[str, Caller] = {name: CALLERS[name] for name in ('guest', 'customer', 'manager')}


def make_rows() -> None:
    make_world(Random(3)).store()  # noqa: S311 made-up data


test_nothing_leaks_in_one_line = non_interference(rows=make_rows, callers=FEW, checks=600)


#: Leaks that are put in: a guard that is left out, each with what it guarded.
LEAKS: dict[str, tuple[Any, str, Any]] = {
    'filters of fields': (conditions, '_guarded', lambda asked, *_: asked),
    'fields of rows': (rights, 'where_readable', lambda *_: True),
}


@pytest.mark.parametrize('leak', LEAKS)
def test_a_leak_is_found(leak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plans.clear()
    monkeypatch.setattr(*LEAKS[leak])
    find = non_interference(rows=make_rows, callers={'manager': CALLERS['manager']}, checks=20_000)
    with pytest.raises(AssertionError, match='manager learns of'):
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
    random, agreed = Random(5), 0  # noqa: S311 made-up data
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


def test_every_collection_of_the_site_is_asked_in_every_position() -> None:
    make_rows()
    found = [*collections_of_the_site()]
    assert found == sorted(f'/{prefix}/' for prefix in SERVED)
    asked = [*questions_of('/works/')]
    assert {parameter for each in asked for parameter in each.parameters} >= {
        'ordering',
        'cursor',
        'count',
        'price__gte',
        'price__isnull',
        'house.name',
    }
    assert len(asked) > 100
