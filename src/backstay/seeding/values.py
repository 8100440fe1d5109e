"""Numbered sets of values, from which fields draw.

A draw takes one of the first `count` members; a field that must be unique shuffles the numbers
instead, and may go on up to `most`. This module needs no Django, and no settings.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from math import prod
from typing import Any
from uuid import UUID

from backstay.seeding.words import ADJECTIVES, FIRST_NAMES, LAST_NAMES, NOUNS, VERBS

#: More than there will ever be rows, and fewer than the numbers of `draws.WIDTH` bits.
ENDLESS = 1 << 110
#: Characters that a text may have when its field has no limit.
ROOM = 200
_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Values:
    """A set of values: `at(n)` is a different value for each n below `most`."""

    count: int
    at: Callable[[int], Any]
    most: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, 'most', max(self.most, self.count))


def among(members: Sequence[Any]) -> Values:
    """These members."""
    return Values(len(members), members.__getitem__)


def integers(low: int, high: int, highest: int = 0) -> Values:
    """Whole numbers from `low` to `high`; unique ones up to `highest`."""
    return Values(high - low + 1, lambda n: low + n, highest - low + 1)


def decimals(low: int, high: int, places: int, highest: int = 0) -> Values:
    """Decimals of this many places; the bounds are in units of the last place."""
    return Values(high - low + 1, lambda n: Decimal(f'{low + n}E-{places}'), highest - low + 1)


def floats(low: int, high: int) -> Values:
    """Floats between whole thousandths, whose division gives the same bits everywhere."""
    return Values(high - low + 1, lambda n: (low + n) / 1000)


def dates(until: dt.datetime, days: int) -> Values:
    """The days before a moment."""
    last = until.date()
    return Values(days, lambda n: last - dt.timedelta(days=n + 1), 1000 * 365)


def moments(until: dt.datetime, days: int) -> Values:
    """The microseconds of the days before a moment."""
    return Values(days * _DAY * 10**6, lambda n: until - dt.timedelta(microseconds=n + 1))


def clock_times() -> Values:
    """The seconds of a day."""
    return Values(_DAY, lambda n: dt.time(n // 3600, n // 60 % 60, n % 60))


def spans() -> Values:
    """Milliseconds up to a day."""
    return Values(_DAY * 1000, lambda n: dt.timedelta(milliseconds=n))


def uuids() -> Values:
    """UUIDs that look like random ones (version 4)."""
    low = (1 << 62) - 1

    def at(number: int) -> UUID:
        high, middle = number >> 74, number >> 62 & 0xFFF
        return UUID(int=high << 80 | 4 << 76 | middle << 64 | 2 << 62 | number & low)

    return Values(1 << 122, at)


def addresses(version: int = 4) -> Values:
    """Private IPv4 addresses, or IPv6 addresses for documentation (RFC 3849)."""
    if version == 6:
        network = 0x20010DB8 << 96
        return Values(1 << 64, lambda n: str(IPv6Address(network + n)))
    return Values(1 << 24, lambda n: str(IPv4Address(0x0A000000 + n)))


def octets() -> Values:
    """Eight bytes."""
    return Values(1 << 64, lambda n: n.to_bytes(8, 'big'))


def documents() -> Values:
    """JSON objects with a text, a number, a boolean and a list."""
    return Values(
        len(NOUNS) * 100,
        lambda n: {
            'kind': NOUNS[n % len(NOUNS)],
            'size': n // len(NOUNS),
            'spare': n % 2 == 0,
            'colours': _some(ADJECTIVES, n),
        },
        ENDLESS,
    )


def word_lists() -> Values:
    """JSON arrays of up to three words."""
    return Values(len(NOUNS) * 3 + 1, lambda n: _some(NOUNS, n))


def _some(words: Sequence[str], number: int) -> list[str]:
    """Return no word for 0; else one, two or three words, from each position of the list."""
    start, length = (number + 2) // 3, (number + 2) % 3 + 1
    return [words[(start + 7 * each) % len(words)] for each in range(length if number else 0)]


def titles(room: int = ROOM) -> Values:
    """Titles such as `Quiet harbour`; unique ones continue with `Quiet harbour 2`."""
    return _phrases(room, lambda words: f'{words[0].capitalize()} {words[1]}', ADJECTIVES, NOUNS)


def people(room: int = ROOM) -> Values:
    """Names such as `Zoë Müller`; unique ones continue with `Zoë Müller 2`."""
    return _phrases(room, ' '.join, FIRST_NAMES, LAST_NAMES)


def slugs(room: int = ROOM) -> Values:
    """Slugs such as `quiet-harbour`; unique ones continue with `quiet-harbour-2`."""
    return _phrases(room, '-'.join, ADJECTIVES, NOUNS, joint='-')


def emails(room: int = ROOM) -> Values:
    """Email addresses at reserved hosts, which nobody can own (RFC 2606)."""
    plain = slugs(room - len('@') - _HOST)
    return replace(plain, at=lambda n: f'{plain.at(n)}@{_host(n)}')


def urls(room: int = ROOM) -> Values:
    """URLs of pages at reserved hosts, which nobody can own (RFC 2606)."""
    plain = slugs(room - len('https:///') - _HOST)
    return replace(plain, at=lambda n: f'https://{_host(n)}/{plain.at(n)}')


_HOST = max(map(len, NOUNS)) + len('.example')


def _host(number: int) -> str:
    return f'{NOUNS[number % len(NOUNS)]}.example'


def files(folder: str = '', room: int = ROOM) -> Values:
    """Paths of text files in a folder."""
    plain = slugs(room - len(folder) - len('.txt'))
    return replace(plain, at=lambda n: f'{folder}{plain.at(n)}.txt')


def sentences(room: int = ROOM) -> Values:
    """Sentences such as `The quiet harbour guides the red ferry.`"""
    form = 'The {} {} {} the {} {}.'
    lists = (ADJECTIVES, NOUNS, VERBS, ADJECTIVES, NOUNS)
    return _phrases(room, lambda words: form.format(*words), *lists)


def codes(length: int, letters: str = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') -> Values:
    """All texts of this many letters."""

    def at(number: int) -> str:
        code = ''
        for _ in range(length):
            number, digit = divmod(number, len(letters))
            code = letters[digit] + code
        return code

    return Values(len(letters) ** length, at)


def _phrases(
    room: int, join: Callable[[Sequence[str]], str], *lists: Sequence[str], joint: str = ' '
) -> Values:
    """Every combination of one word from each list, then the same with a number behind it.

    No text is longer than `room`; the set is empty when not even the words fit.
    """

    def at(number: int) -> str:
        words = []
        for each in lists:
            number, place = divmod(number, len(each))
            words.append(each[place])
        return f'{join(words)}{joint}{number + 1}' if number else join(words)

    digits = room - len(join([max(each, key=len) for each in lists])) - len(joint)
    if digits < -len(joint):
        return Values(0, at)
    count = prod(map(len, lists))
    return Values(count, at, min(count * (10 ** max(digits, 0) - 1), ENDLESS))
