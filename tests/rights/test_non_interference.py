"""Non-interference: a change that a caller may not see changes no answer that the caller gets.

Rows, grants and callers are made at random (`tests.cabinet`), for every way of saying which rows a
grant covers and for every kind of column. What a caller may know is worked out by
`backstay.testing.knowledge`, which shares no code with the compiler. `make prove` makes 100 000
checks on each engine and prints the matrix of resources, callers, positions and kinds of column.
"""

from collections.abc import Collection
from random import Random

import pytest
from django.db import transaction

from backstay.testing.interference import check_caller
from backstay.testing.matrix import Matrix
from backstay.testing.positions import POSITIONS
from backstay.testing.sites import site_of
from tests.cabinet.resources import served
from tests.cabinet.rows import CALLERS, store_rows
from tests.proofs import SHARE, record_proof, size

CHECKS = size(720, 100_000)
#: How much longer the whole may go on to fill its matrix, as a multiple of its checks.
_LONGER = 2
#: Checks of one caller in one cabinet: more of them find more of their statements compiled.
_EACH = size(20, 900)
#: The same where cells are to be filled: another cabinet is what fills them, not more checks.
_FILLING = 60

pytestmark = pytest.mark.django_db


def check_a_cabinet(
    seed: int,
    matrix: Matrix,
    checks: int = _EACH,
    names: Collection[str] = CALLERS,
    positions: Collection[str] = POSITIONS,
    kinds: Collection[str] = (),
) -> None:
    """Make a cabinet with its grants and rows, and check each caller."""
    with transaction.atomic():
        random = Random(seed)
        store_rows(random)
        with served(random) as resources:
            matrix.site = site_of(f'/{prefix}/' for prefix in resources)
            for name in names:
                who, changes = CALLERS[name], Random(f'{seed} {name}')
                check_caller(name, who, matrix.site, matrix, changes, checks, positions, kinds)
        transaction.set_rollback(True)


def test_a_hidden_change_changes_no_answer(request: pytest.FixtureRequest) -> None:
    matrix = Matrix(site_of(()))
    seed = 0
    while matrix.checks < CHECKS:
        check_a_cabinet(seed, matrix)
        seed += 1
        _print_progress(matrix)
    while SHARE >= 1 and matrix.empty() and matrix.checks < _LONGER * CHECKS:
        _fill(seed, matrix)
        seed += 1
        _print_progress(matrix)

    assert not [status for status in matrix.statuses if status >= 500]
    assert matrix.statuses[200] > matrix.checks / 3
    if SHARE:
        print(*matrix.lines(), sep='\n')  # noqa: T201
    if SHARE >= 1:
        assert matrix.empty() == [], f'empty after {matrix.checks} checks'
    record_proof(
        request,
        f'{matrix.checks} checks in {len(matrix.counts)} cells of resource, caller, position '
        f'and kind of column; {len(matrix.empty())} cells empty',
    )


def _fill(seed: int, matrix: Matrix) -> None:
    """In one cabinet, ask each caller whose cells are empty in the positions of those cells."""
    empty = matrix.empty()
    for name in sorted({caller for _, caller, *_ in empty}):
        places = [(position, kind) for _, caller, position, kind in empty if caller == name]
        positions, kinds = ({*each} for each in zip(*places, strict=True))
        check_a_cabinet(seed, matrix, _FILLING, [name], sorted(positions), kinds)


def _print_progress(matrix: Matrix) -> None:
    if SHARE:
        print(f'{matrix.checks} checks, {len(matrix.empty())} cells empty', flush=True)  # noqa: T201


def test_every_position_is_asked() -> None:
    """Of the sample: what a resource, a caller and a kind of column leave is the long proof's."""
    matrix = Matrix(site_of(()))
    check_a_cabinet(1, matrix, 300, ['manager'])
    # Few tables have the one, and only rows the other: a short run may change none of them.
    check_a_cabinet(1, matrix, 10, ['manager'], ['deleted'])
    check_a_cabinet(1, matrix, 10, ['manager'], ['reference'], ['row'])

    assert {position for _, _, position, _ in matrix.counts} == {*POSITIONS}
