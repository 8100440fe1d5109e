"""Non-interference of whole requests: masks, filters and orders of many parts, and the document.

What a caller may know is worked out in Python by a `View`, an oracle of the resources with rights.
Questions are drawn apart from the change, so that fewer of them can find something than in
`test_non_interference`; what they combine is met nowhere else.
"""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from django.test import override_settings

from backstay.caller import Caller
from tests.proofs import record_proof, size
from tests.rights.callers import CALLERS, any_caller
from tests.rights.mutations import unseen_mutation
from tests.rights.oracle import View
from tests.rights.requests import Asked, answers, any_request
from tests.rights.site import MADE
from tests.rights.world import make_world

CHECKS = size(300, 30_000)
_DOCUMENT = Asked('/openapi.json')
#: Of one session, and changes that it makes.
_REQUESTS, _CHANGES = size(10, 50), 8

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _site(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The site, and a clock that stands still: cursors tell when they were made."""
    monkeypatch.setattr('backstay.resources.query.cursor.time.time', lambda: 1_800_000_000.0)
    with override_settings(ROOT_URLCONF='tests.rights.site'):
        yield
    MADE.clear()


def session(seed: int, caller: Caller) -> Counter[int]:
    """Ask, change, ask again; return the number of checks by the status of their answer."""
    random = Random(seed)
    world = make_world(random)
    world.store()
    view = View(world, caller)
    MADE['caller'] = caller
    asked = [_DOCUMENT, *(any_request(random, view) for _ in range(_REQUESTS - 1))]
    before = [(each, answers(each, 'caller')) for each in asked]
    made: Counter[int] = Counter()
    for _ in range(_CHANGES):
        found = unseen_mutation(random, view)
        if found is None:
            break
        mutation, view = found
        mutation.store()
        for each, answer in before:
            if each is _DOCUMENT and made:
                continue
            now = answers(each, 'caller')
            assert now == answer, f'seed {seed}: {caller} learns of {mutation} by {each}'
            made[answer[0].status] += 1
    return made


def test_no_combination_tells_of_a_hidden_change(request: pytest.FixtureRequest) -> None:
    made: Counter[int] = Counter()
    seed = 0
    while made.total() < CHECKS:
        caller = [*CALLERS.values()][seed] if seed < len(CALLERS) else any_caller(Random(seed))
        made += session(seed, caller)
        seed += 1

    assert not [status for status in made if status >= 500]
    assert made[200] > made.total() / 2
    record_proof(request, f'{made.total()} checks of combined requests in {seed} worlds')
