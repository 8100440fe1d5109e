"""The proof of non-interference finds each leak that is planted, within a bounded number of checks.

Questions are asked in the position of the leak alone, about its kinds of column. A run of the suite
plants a few, and `make prove` all.
"""

from collections.abc import Iterator

import pytest

from backstay.resources.plan.cache import plans
from backstay.testing.matrix import Matrix
from backstay.testing.sites import site_of
from tests.proofs import SHARE, record_proof
from tests.rights.leaks import LEAKS, Leak
from tests.rights.test_non_interference import check_a_cabinet

#: Checks, and cabinets, after which a leak counts as not found.
MOST, MOST_CABINETS = 4_000, 120
#: Those that every run plants: one for each layer, and quick to find.
SAMPLE = ('rows of lists', 'fields of objects', 'comparisons', 'entity tags', 'absence')
#: Of one caller in one cabinet: few, as whether a leak shows depends on the cabinet's grants.
_EACH = 30

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_plan_survives() -> Iterator[None]:
    plans.clear()
    yield
    plans.clear()


def _check(matrix: Matrix, leak: Leak) -> None:
    for seed in range(MOST_CABINETS):
        if matrix.checks > MOST:
            return
        check_a_cabinet(seed, matrix, _EACH, leak.among, [leak.where], leak.kinds)


@pytest.mark.parametrize('name', LEAKS if SHARE else SAMPLE)
def test_a_planted_leak_is_found(name: str, request: pytest.FixtureRequest) -> None:
    leak, matrix = LEAKS[name], Matrix(site_of(()))
    with leak.plant(), pytest.raises(AssertionError, match='learns of'):
        _check(matrix, leak)
    record_proof(
        request, f'{name} (rule {leak.rule}, {leak.where})', f'found by check {matrix.checks + 1}'
    )


def test_there_are_thirty_for_many_rules_and_positions() -> None:
    assert len(LEAKS) >= 30
    assert len({leak.where for leak in LEAKS.values()}) >= 12
    assert {leak.rule for leak in LEAKS.values()} >= {
        *('L1', 'L3', 'L4', 'L5', 'L8', 'L9', 'L10', 'L11', 'L12', 'L13', 'L14'),
        *('R1', 'R2', 'R3', 'R4', 'R9'),
    }
