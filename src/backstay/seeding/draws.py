"""Chance that is the same on every machine: each number is a function of its place.

It comes from BLAKE2 over the seed, the model, the field and the index of the row, and from no
earlier draw, so that any row can be made at any time and by any process. Only integers are used:
powers and logarithms of floats differ between the libraries of machines.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

_T = TypeVar('_T')

#: Bits of one number: more than any set of values has members.
WIDTH = 128


class Stream:
    """The numbers of one field of one model under one seed, by the index of the row.

    >>> Stream(42, 'shop.Product', 'name').bits(0) == Stream(42, 'shop.Product', 'name').bits(0)
    True
    """

    __slots__ = ('_hash',)

    def __init__(self, *names: object) -> None:
        self._hash = blake2b('\0'.join(map(str, names)).encode(), digest_size=WIDTH // 8)

    def bits(self, index: int) -> int:
        """Return the one number of a row, of `WIDTH` bits."""
        own = self._hash.copy()
        own.update(index.to_bytes(8, 'big'))
        return int.from_bytes(own.digest(), 'big')

    def draw(self, index: int) -> 'Draw':
        """Return a source of any number of draws for a row."""
        own = self._hash.copy()
        own.update(index.to_bytes(8, 'big'))
        return Draw(own)


class Draw:
    """The chance of one value: successive draws that are the same in every run."""

    __slots__ = ('_hash',)

    def __init__(self, state: Any) -> None:
        self._hash = state

    def below(self, count: int) -> int:
        """Return a whole number from 0 to `count` - 1."""
        self._hash.update(b'.')
        return int.from_bytes(self._hash.digest(), 'big') * count >> WIDTH

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, share: float) -> bool:
        """Return True in this share of the cases."""
        return self.below(1_000_000) < share * 1_000_000

    def pick(self, values: Sequence[_T]) -> _T:
        """Return one of the values, each with the same chance."""
        return values[self.below(len(values))]

    def weighted(self, weights: Mapping[_T, int]) -> _T:
        """Return one of the keys, with a chance in proportion to its whole number."""
        number = self.below(sum(weights.values()))
        for value, weight in weights.items():
            if number < weight:
                return value
            number -= weight
        raise ValueError('weights must be whole numbers above 0')

    def zipf(self, count: int) -> int:
        """Return a number below `count`, like the ranks of words: 1 to 2 as likely as 3 to 6.

        The number of its digits is drawn first, then the digits.
        """
        digits = self.below(count.bit_length())
        number = (1 << digits) - 1 + self.below(1 << digits)
        return number if number < count else self.below(count)


def shuffled(stream: Stream, index: int, count: int) -> int:
    """Return the position of `index` in a shuffle of the numbers below `count`.

    Three rounds of invertible steps on as many bits as `count` has are repeated until the number is
    below `count`, so no two indexes get the same position.

    >>> sorted(shuffled(Stream('any'), index, 5) for index in range(5))
    [0, 1, 2, 3, 4]
    """
    bits = max((count - 1).bit_length(), 1)
    mask, shift = (1 << bits) - 1, (bits + 1) // 2
    key = stream.bits(0)
    number = index
    while True:
        for turn in (1, 33, 65):
            number = (number * _ODD + (key >> turn)) & mask
            number ^= number >> shift
        if number < count:
            return number


#: Any odd multiplier is invertible; the bits of this one are well spread (Knuth, vol. 2, 3.3.4).
_ODD = 6_364_136_223_846_793_005
