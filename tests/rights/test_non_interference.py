"""Non-interference: a change that a caller may not see changes no answer that he gets.

For each caller a session asks many requests, then changes the database in a way that leaves all
that the caller may know as it was, and asks again: status, headers and body must be the same bytes.
A check is one request before and after one change. More of them, with other data and callers:

    NON_INTERFERENCE_CHECKS=100000 python -m pytest tests/rights/test_non_interference.py -s
"""

import os
from collections import Counter
from random import Random
from typing import Any

import pytest
from django.test import override_settings

from backstay.caller import Caller
from backstay.resources.plan import conditions, rights
from backstay.resources.plan.cache import plans
from tests.rights.callers import CALLERS, any_caller
from tests.rights.mutations import unseen_mutation
from tests.rights.oracle import View
from tests.rights.requests import Asked, answers, any_request
from tests.rights.site import MADE
from tests.rights.world import make_world

CHECKS = int(os.environ.get('NON_INTERFERENCE_CHECKS', '3000'))
_DOCUMENT = Asked('/openapi.json')
#: Of one session, and changes that it makes.
_REQUESTS, _CHANGES = 50, 8

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _site(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The site, and a clock that stands still: cursors tell when they were made."""
    monkeypatch.setattr('backstay.resources.query.cursor.time.time', lambda: 1_800_000_000.0)
    with override_settings(ROOT_URLCONF='tests.rights.site'):
        yield
    MADE.clear()


def session(seed: int, caller: Caller, changes: int = _CHANGES) -> Counter[str]:
    """Ask, change, ask again. Returns how many checks were made, and how each was answered."""
    random = Random(seed)  # noqa: S311 made-up data
    world = make_world(random)
    world.store()
    view = View(world, caller)
    MADE['caller'] = caller
    asked = [_DOCUMENT, *(any_request(random, view) for _ in range(_REQUESTS - 1))]
    before = [(each, answers(each, 'caller')) for each in asked]
    made: Counter[str] = Counter()
    for _ in range(changes):
        found = unseen_mutation(random, view)
        if found is None:
            break
        mutation, view = found
        mutation.store()
        for each, answer in before:
            now = answer if each is _DOCUMENT and made else answers(each, 'caller')
            assert now == answer, f'seed {seed}: {caller} learns of {mutation} by {each}'
            made[str(answer[0].status)] += 1
    return made


def test_what_a_caller_may_not_see_changes_no_answer() -> None:
    made: Counter[str] = Counter()
    seed = 0
    while made.total() < CHECKS:
        caller = [*CALLERS.values()][seed] if seed < len(CALLERS) else any_caller(Random(seed))  # noqa: S311
        made += session(seed, caller)
        seed += 1

    assert not [status for status in made if status >= '500']
    assert made['200'] > made.total() / 2
    print(dict(made))  # noqa: T201 shown with -s


#: Leaks that were put in: a guard that is left out, each with what it guarded.
_LEAKS: dict[str, tuple[Any, str, Any]] = {
    'filters of fields': (conditions, '_guarded', lambda asked, *_: asked),
    'fields of rows': (
        rights,
        'where_readable',
        lambda *_: True,
    ),
}


def _sessions(count: int) -> None:
    for seed in range(count):
        session(seed, CALLERS['manager'], 30)


@pytest.mark.parametrize('leak', _LEAKS)
def test_a_leak_is_found(leak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plans.clear()
    monkeypatch.setattr(*_LEAKS[leak])
    with pytest.raises(AssertionError, match='learns of'):
        _sessions(20)
    plans.clear()
