"""Grants: for each row and caller the highest covering grant decides, in every position alike.

What is expected comes from `tests.rights.oracle`, which reads the declarations and not our SQL.
`make prove` makes more examples.
"""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backstay.caller import Caller
from backstay.resources import Resource
from tests.proofs import size
from tests.rights.asking import ask, ask_if_readable, objects
from tests.rights.callers import CALLERS, any_caller
from tests.rights.oracle import View
from tests.rights.questions import (
    any_filter,
    any_mask,
    any_order,
    filter_spec,
    mask_text,
    sort_spec,
    whole_mask,
)
from tests.rights.resources import SERVED
from tests.rights.world import World, make_world

pytestmark = pytest.mark.django_db

_seeds = st.integers(0, 2**32)
_few = settings(
    max_examples=size(6, 500),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _stored(seed: int) -> tuple[Random, World]:
    random = Random(seed)
    world = make_world(random)
    world.store()
    return random, world


@_few
@given(_seeds)
def test_every_row_shows_what_its_highest_grant_says(seed: int) -> None:
    random, world = _stored(seed)
    for resource in SERVED.values():
        view = View(world, any_caller(random))
        mask = any_mask(random, resource)
        rows = ask_if_readable(resource, view.caller, mask_text(mask), count='exact')
        if rows is None:
            continue

        keys = view.declared_keys(resource, resource.options.ordering)
        expected = view.in_order(resource, view.rows(resource), keys)
        assert objects(rows) == [view.shown(resource, each, mask) for each in expected]
        assert rows.count == len(expected)


@pytest.mark.parametrize('name', CALLERS)
def test_each_caller_sees_what_is_granted(name: str) -> None:
    _, world = _stored(7)
    view = View(world, CALLERS[name])
    for resource in SERVED.values():
        mask = whole_mask(resource)
        answer = ask(resource, view.caller, mask_text(mask))

        keys = view.declared_keys(resource, resource.options.ordering)
        expected = view.in_order(resource, view.rows(resource), keys)
        assert objects(answer) == [view.shown(resource, each, mask) for each in expected]


@_few
@given(_seeds)
def test_a_filter_asks_only_what_each_row_shows(seed: int) -> None:
    random, world = _stored(seed)
    for resource in SERVED.values():
        view = View(world, any_caller(random))
        if not view.rows(resource):
            continue
        for _ in range(3):
            trees = any_filter(random, view, resource)
            spec = filter_spec(trees, resource)
            rows = ask_if_readable(resource, view.caller, '{}', filter=spec, count='exact')
            if rows is None:
                continue

            expected = [row for row in view.rows(resource) if view.passes(trees, resource, row)]
            assert rows.count == len(expected), spec
            assert len(rows.objects) == len(expected), spec
            assert _keys(resource, view.caller, spec) == [_key(resource, e) for e in expected], spec


@_few
@given(_seeds)
def test_an_order_knows_only_what_each_row_shows(seed: int) -> None:
    random, world = _stored(seed)
    for resource in SERVED.values():
        view = View(world, any_caller(random))
        if not view.names(resource):
            continue
        keys = any_order(random, view, resource)
        spec = sort_spec(keys, resource)
        rows = ask(resource, view.caller, mask_text(whole_mask(resource, 0)), sort=spec)

        expected = view.in_order(resource, view.rows(resource), keys)
        mask = whole_mask(resource, 0)
        assert objects(rows) == [view.shown(resource, each, mask) for each in expected], spec


def _keys(resource: type[Resource], caller: Caller, spec: list[Any]) -> list[Any]:
    """The primary keys of the answer, by themselves."""
    rows = ask(resource, caller, '{}', filter=spec, cursor=True)
    return sorted(json.loads(each)[-1] for each in rows.keys)


def _key(resource: type[Resource], row: dict[str, Any]) -> Any:
    return row[resource.options.model._meta.pk.attname]
