"""Chance that is the same everywhere: streams, draws, shuffles."""

import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from backstay.seeding.draws import Draw, Stream, shuffled

pytestmark = pytest.mark.engine_free

SRC = Path(__file__).resolve().parents[2] / 'src'

#: What every Python must print for `PURE`; a change of it changes every checksum of every seed.
PRINTED = '568b163e8ca3cf2223b57a96acf4a5542efbddbdb7f7580be7241860b2ee3b55'

#: The parts that know no Django: numbers, shuffles, words and sets of values.
PURE = """
from hashlib import sha256
import datetime as dt
from backstay.seeding import values
from backstay.seeding.draws import Stream, shuffled

until = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
sets = [
    values.titles(), values.people(), values.slugs(), values.emails(), values.urls(),
    values.sentences(), values.files('a/'), values.documents(), values.word_lists(),
    values.codes(3), values.integers(-5, 10**9), values.decimals(0, 10**9, 4),
    values.floats(0, 10**7), values.dates(until, 700), values.moments(until, 700),
    values.clock_times(), values.spans(), values.uuids(), values.addresses(), values.addresses(6),
    values.octets(), values.among('abc'),
]
shown = []
for place, each in enumerate(sets):
    stream = Stream(42, 'a.Model', place)
    for index in range(200):
        draw = stream.draw(index)
        shown.append(repr(each.at(draw.below(each.count))))
        shown.append(repr((draw.zipf(1000), draw.chance(0.5), shuffled(stream, index, 777))))
print(sha256(chr(10).join(shown).encode()).hexdigest())
"""


def pythons() -> list[str]:
    """This Python, and every other one on the machine that the package supports."""
    versions = Path(os.environ.get('PYENV_ROOT', '~/.pyenv')).expanduser() / 'versions'
    return [sys.executable, *map(str, versions.glob('3.1[1-9]*/bin/python'))]


@pytest.mark.parametrize('python', pythons())
@pytest.mark.parametrize('hash_seed', ['1', '2'])
def test_every_python_makes_the_same_values(python: str, hash_seed: str) -> None:
    ran = subprocess.run(  # noqa: S603 interpreters of this machine, and our own code
        [python, '-c', PURE],
        env={'PYTHONPATH': str(SRC), 'PYTHONHASHSEED': hash_seed, 'PYTHONDONTWRITEBYTECODE': '1'},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (ran.stdout.strip(), ran.stderr) == (PRINTED, '')


def test_a_number_depends_on_seed_model_field_and_row_alone() -> None:
    names = [(42, 'a.B', 'c'), (43, 'a.B', 'c'), (42, 'a.C', 'c'), (42, 'a.B', 'd')]
    numbers = {Stream(*each).bits(index) for each in names for index in range(100)}

    assert len(numbers) == 400
    assert Stream(42, 'a.B', 'c').bits(7) in numbers


def test_the_draws_of_a_row_follow_each_other() -> None:
    first, second = Stream('x').draw(3), Stream('x').draw(3)

    assert [first.below(1000) for _ in range(20)] == [second.below(1000) for _ in range(20)]
    assert len({first.below(2**60) for _ in range(100)}) == 100


def test_every_number_below_the_count_is_drawn_alike() -> None:
    found = Counter(Stream('even').draw(index).below(7) for index in range(14_000))

    assert set(found) == set(range(7))
    assert all(1_850 < times < 2_150 for times in found.values())


def test_a_share_is_kept() -> None:
    hits = sum(Stream('share').draw(index).chance(0.25) for index in range(10_000))

    assert 2_300 < hits < 2_700


def draws() -> list[Draw]:
    return [Stream('draws').draw(index) for index in range(10_000)]


def test_between_has_both_ends() -> None:
    assert {draw.between(-1, 2) for draw in draws()} == {-1, 0, 1, 2}


def test_a_pick_is_one_of_the_values() -> None:
    assert {draw.pick('abc') for draw in draws()} == set('abc')


def test_a_weight_is_how_often_a_value_comes() -> None:
    found = Counter(draw.weighted({'a': 9, 'b': 1, 'never': 0}) for draw in draws())

    assert set(found) == {'a', 'b'}
    assert 800 < found['b'] < 1_200


@pytest.mark.parametrize('count', [1, 2, 3, 5, 100, 1000])
def test_zipf_draws_the_first_most_and_reaches_the_last(count: int) -> None:
    found = Counter(draw.zipf(count) for draw in draws())

    assert set(found) <= set(range(count))
    if count >= 100:
        halves = [sum(found[n] for n in range(2**k - 1, 2 ** (k + 1) - 1)) for k in range(6)]
        assert all(abs(a - b) < 300 for a, b in pairwise(halves)), 'a digit more, as often'
        assert max(found) > count * 0.9


@pytest.mark.parametrize('count', [1, 2, 3, 4, 5, 7, 64, 100, 1000, 4097])
def test_a_shuffle_takes_each_number_to_another(count: int) -> None:
    shuffle = [shuffled(Stream('cards', count), index, count) for index in range(count)]

    assert sorted(shuffle) == list(range(count))
    if count > 50:
        neighbours = sum(abs(a - b) < count / 50 for a, b in pairwise(shuffle))
        assert neighbours < count / 10


def test_the_first_of_a_long_shuffle_lie_all_over() -> None:
    shuffle = [shuffled(Stream('long'), index, 10**9) for index in range(1000)]

    assert {number * 10 // 10**9 for number in shuffle} == set(range(10))
    assert shuffle != [shuffled(Stream('other'), index, 10**9) for index in range(1000)]
