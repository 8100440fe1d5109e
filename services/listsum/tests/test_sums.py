"""The search: right on every input, and linear on inputs that are made to be slow."""

import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.listsum import two_list_sum
from services.listsum.sums import has_sum

_HASH_MODULUS = sys.hash_info.modulus

few_small = st.lists(st.integers(1, 12), max_size=8)
edges = st.sampled_from([2**59, 2**60 - 2, 2**60 - 1, 2**60, _HASH_MODULUS, 2 * _HASH_MODULUS])
any_size = st.one_of(edges, st.integers(1, 2**70), st.integers(1, 10**400))


def brute_force(list_a: Sequence[int], list_b: Sequence[int], target: int) -> bool:
    return any(a + b == target for a in list_a for b in list_b)


@given(few_small, few_small, st.integers(1, 26))
@example([], [], 1)
@example([3, 4, 6], [3, 4, 6], 10)
@example([5], [5], 10)
@example([5], [4], 10)
def test_small_numbers_agree_with_brute_force(
    list_a: list[int], list_b: list[int], target: int
) -> None:
    assert two_list_sum(list_a, list_b, target) is brute_force(list_a, list_b, target)


@given(st.lists(any_size, max_size=5), st.lists(any_size, max_size=5), any_size)
def test_numbers_of_any_size_agree_with_brute_force(
    list_a: list[int], list_b: list[int], target: int
) -> None:
    assert two_list_sum(list_a, list_b, target) is brute_force(list_a, list_b, target)


@given(st.lists(any_size, min_size=1, max_size=5), st.lists(any_size, min_size=1, max_size=5))
def test_every_sum_of_two_members_is_found(list_a: list[int], list_b: list[int]) -> None:
    assert all(two_list_sum(list_a, list_b, a + b) for a in list_a for b in list_b)


@pytest.mark.parametrize('numbers', [([0], [1], 1), ([1], [-1], 1), ([1], [1], 0)])
def test_a_number_that_is_not_positive_is_refused(
    numbers: tuple[list[int], list[int], int],
) -> None:
    with pytest.raises(ValueError, match='positive'):
        two_list_sum(*numbers)


def test_the_inputs_are_left_as_they_were() -> None:
    list_a, list_b = [6, 3, 4], [4, 3]
    two_list_sum(list_a, list_b, 10)
    assert (list_a, list_b) == ([6, 3, 4], [4, 3])


def test_numbers_that_share_one_hash_are_searched_as_fast_as_others() -> None:
    count = 20_000
    colliding = [number * _HASH_MODULUS + 5 for number in range(1, count + 1)]
    others = [number * (_HASH_MODULUS + 2) + 5 for number in range(1, count + 1)]
    for target in (2**200 + 1, 2**40 + 1):
        usual = _seconds(others, others, target)
        assert _seconds(colliding, colliding, target) < 20 * usual + 0.05


def test_numbers_that_fill_the_path_of_one_look_up_are_searched_as_fast_as_others() -> None:
    count, target, absent = 20_000, 2**55, 2**50 + 12_345
    mask = _slots(count) - 1
    crafted = [target - slot for slot in islice(_path(absent, mask), count)]
    usual = _seconds(range(1, count + 1), [absent] * count, target)
    assert _seconds(crafted, [absent] * count, target) < 20 * usual + 0.05
    # The attack is real: the plain set is far slower on it.
    assert _plain_seconds(crafted, [absent] * count, target) > 20 * usual


def _seconds(list_a: Sequence[int], list_b: Sequence[int], target: int) -> float:
    def once() -> float:
        started = time.perf_counter()
        assert not has_sum(list_a, list_b, target)
        return time.perf_counter() - started

    return min(once() for _ in range(3))


def _plain_seconds(list_a: Sequence[int], list_b: Sequence[int], target: int) -> float:
    started = time.perf_counter()
    assert {target - number for number in list_a}.isdisjoint(list_b)
    return time.perf_counter() - started


def _slots(count: int) -> int:
    """Slots of the table of a set with so many members: 16 bytes each in CPython."""
    members = set(range(count))
    return (sys.getsizeof(members) - sys.getsizeof(set())) // 16


def _path(number: int, mask: int) -> Iterator[int]:
    """The slots that CPython visits for a number, each once (Objects/setobject.c, set_lookkey)."""
    perturb, start = number, number & mask
    visited = {0}
    while True:
        stretch = range(start, start + (10 if start + 9 <= mask else 1))
        yield from (slot for slot in stretch if slot not in visited)
        visited.update(stretch)
        perturb >>= 5
        start = (start * 5 + 1 + perturb) & mask
