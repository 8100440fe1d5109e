"""Counts: a filter that asks for what a grant covers anyway is counted without asking the rows."""

from itertools import combinations
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q

from backstay.caller import GUEST, Caller, Held
from backstay.resources import ALL, Grant, Resource, Scope, anyone, level_somewhere
from backstay.resources.declaration.readable import Readable
from backstay.resources.plan.plan import make_plan
from tests.bookshop.models import Book
from tests.resources.oracle import Compare
from tests.rights.asking import ask, ask_if_readable, query_of
from tests.rights.callers import CALLERS
from tests.rights.oracle import View
from tests.rights.questions import filter_spec, values_for
from tests.rights.resources import SERVED, HouseResource, LifeResource
from tests.rights.world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    world = make_world(Random(11))
    world.store()
    return world


def pins(view: View, resource: type[Resource]) -> list[Compare]:
    """Each value that each field which the caller may ask for can equal."""
    return [
        Compare(field=name, op='==', value=value, relation='')
        for name in view.names(resource)
        if (field := resource.fields().get(name)) and field.filterable and field.orderable
        for value in values_for(view, resource, name)
    ]


@pytest.mark.parametrize('word', ['guest', 'customer', 'operator', 'manager', 'auditor'])
@pytest.mark.parametrize('prefix', ['houses', 'lands', 'lives', 'texts', 'works'])
def test_one_value_or_two_leave_as_many_rows_as_the_caller_may_see(
    world: World, prefix: str, word: str
) -> None:
    resource, view = SERVED[prefix], View(world, CALLERS[word])
    if not view.rows(resource):
        return
    single = pins(view, resource)
    random = Random(5)
    pairs = [pair for pair in combinations(single, 2) if pair[0].field != pair[1].field]
    for trees in [*((each,) for each in single), *random.sample(pairs, min(len(pairs), 10))]:
        spec = filter_spec(trees, resource)
        rows = ask_if_readable(resource, view.caller, '{}', filter=spec, count='exact')
        if rows is None:
            continue
        expected = [row for row in view.rows(resource) if view.passes(trees, resource, row)]
        assert rows.count == len(rows.objects) == len(expected), spec


def _sql(resource: type[Resource], caller: Caller, spec: Any, count: Any = 'exact') -> str:
    query = query_of(resource, caller, '{}', filter=spec, count=count)
    return make_plan(Readable(resource, caller.standing()), query.shape, connection).sql


_ONE = {'field': 'id', 'value': 1}
_SHORTCUT = 'THEN (SELECT COUNT(*)'


@pytest.mark.parametrize('count', ['exact', 'estimate'])
def test_what_somebody_holds_is_counted_without_its_rights(count: str) -> None:
    assert _SHORTCUT in _sql(HouseResource, CALLERS['operator'], _ONE, count)
    own = {'field': 'author_id', 'value': 1}
    assert _SHORTCUT in _sql(LifeResource, CALLERS['customer'], own, count)


@pytest.mark.parametrize(
    'spec',
    [
        (),
        {'field': 'id', 'op': '!=', 'value': 1},
        {'not': [_ONE]},
        {'or': [_ONE, {'field': 'name', 'value': 'open'}]},
    ],
)
def test_a_filter_that_leaves_other_rows_is_no_shortcut(spec: Any) -> None:
    assert _SHORTCUT not in _sql(HouseResource, CALLERS['operator'], spec)


def test_the_opposite_of_a_scope_is_no_shortcut(world: World) -> None:
    """Who holds a country sees the others, and nothing of this one."""
    caller = Caller(
        kind='account', account_id=9, scopes=(Held(over='countries', id='bb', level=3),)
    )
    lands = SERVED['lands']
    assert 'bb' not in [row['code'] for row in View(world, caller).rows(lands)]

    spec = {'field': 'code', 'value': 'bb'}
    assert ask(lands, caller, '{}', filter=spec, count='exact').count == 0


def test_rows_that_were_deleted_softly_are_not_counted(world: World, declare: Any) -> None:
    class KeptResource(Resource):
        """Books that were never released; a day of release stands for one of deletion."""

        class Meta:
            model = Book
            name = 'Kept'
            fields = ('id', 'status', 'publisher_id')
            soft_delete = 'released_on'

        grants = (
            Grant(anyone, read=ALL, rows=Q(status='active')),
            Grant(level_somewhere(2), read=ALL, rows=Q(publisher_id__in=Scope('houses', 2))),
        )

    bob = Caller(kind='account', account_id=2, scopes=(Held(over='houses', id=1, level=2),))
    books = world.rows[Book].values()
    Book._base_manager.update(publisher_id=1)
    live = [row for row in books if row['released_on'] is None]
    active = [row for row in live if row['status'] == 'active']
    assert 0 < len(active) < len(live) < len(books)

    spec = {'field': 'status', 'value': 'active'}
    for caller in (GUEST, bob):
        assert ask(KeptResource, caller, '{}', filter=spec, count='exact').count == len(active)
    spec = {'field': 'publisher_id', 'value': 1}
    assert ask(KeptResource, bob, '{}', filter=spec, count='exact').count == len(live)
