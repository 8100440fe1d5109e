"""Whether a number is the sum of one number from each of two lists. Pure: no HTTP, no input.

A set makes the search linear, but Python's hash of an integer has no secret in it. Someone who
knows a set's order of probes can send numbers among which every look-up walks the whole set (two
lists of 100 000 then take 10^10 steps), and all multiples of 2**61 - 1 share one hash. So no set
here holds numbers as they were sent:

* When the target is small, the numbers that can matter are smaller still, and no two share a hash.
  A random shift, new for each search, moves them. Crafted numbers fit one shift in as many as the
  set has slots, so that on average the search stays linear. A short shift costs least: a sum that
  CPython holds in one digit of 30 bits is made and hashed faster.
* Otherwise the numbers are compared as text, whose hash Python salts (SipHash, PEP 456).
"""

from collections.abc import Sequence
from secrets import randbelow

#: A smaller target and a shift stay below 2**61 - 1 together, where an integer is its own hash.
_SMALL = 2**60
#: More shifts than a set has slots: 16 million numbers, the most in 64 MiB, make 2**26 of them.
_SHIFTS = 2**29


def two_list_sum(list_a: Sequence[int], list_b: Sequence[int], target: int) -> bool:
    """Whether `target` is a + b for some a of `list_a` and some b of `list_b`.

    Every number is a positive integer of any size; an empty list makes no sum. Takes time in
    proportion to the digits of both lists and memory in proportion to the shorter list. Raises
    ValueError for a number that is not positive.

    >>> two_list_sum([3, 4, 6], [3, 4, 6], 10)
    True
    """
    if min(target, min(list_a, default=1), min(list_b, default=1)) < 1:
        raise ValueError('every number must be positive')
    return has_sum(list_a, list_b, target)


def has_sum(list_a: Sequence[int], list_b: Sequence[int], target: int) -> bool:
    """The same, for numbers that are known to be positive."""
    few, many = sorted((list_a, list_b), key=len)
    if target >= _SMALL:
        return not {hex(target - number) for number in few}.isdisjoint(map(hex, many))
    shift = randbelow(_SHIFTS)
    top = target + shift
    wanted = {top - number for number in few if number < target}
    for number in many:  # noqa: SIM110  a generator in any() takes a tenth longer
        if shift + number in wanted:
            return True
    return False
