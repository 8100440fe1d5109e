"""Sets of values: another one for each number, within their room."""

import datetime as dt
from decimal import Decimal

import pytest

from backstay.seeding import values, words
from backstay.seeding.values import Values

pytestmark = pytest.mark.engine_free

UNTIL = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SETS = {
    'titles': values.titles(),
    'people': values.people(),
    'slugs': values.slugs(),
    'emails': values.emails(),
    'urls': values.urls(),
    'sentences': values.sentences(),
    'files': values.files('folder/'),
    'documents': values.documents(),
    'word_lists': values.word_lists(),
    'codes': values.codes(3),
    'integers': values.integers(-5, 10**9),
    'decimals': values.decimals(0, 10**9, 4),
    'floats': values.floats(0, 10**7),
    'dates': values.dates(UNTIL, 700),
    'moments': values.moments(UNTIL, 700),
    'clock_times': values.clock_times(),
    'spans': values.spans(),
    'uuids': values.uuids(),
    'addresses': values.addresses(),
    'addresses 6': values.addresses(6),
    'octets': values.octets(),
    'among': values.among('abc'),
}


@pytest.mark.parametrize('each', SETS.values(), ids=SETS)
def test_each_number_has_a_value_of_its_own(each: Values) -> None:
    numbers = {*range(min(2_000, each.most)), *range(max(each.most - 2_000, 0), each.most)}

    assert len({repr(each.at(number)) for number in numbers}) == len(numbers)
    assert each.most >= each.count > 0


@pytest.mark.parametrize('room', [10, 16, 17, 18, 25, 40, 60])
@pytest.mark.parametrize('name', ['titles', 'people', 'slugs', 'emails', 'urls', 'sentences'])
def test_texts_stay_within_their_room_up_to_the_last(name: str, room: int) -> None:
    each = getattr(values, name)(room)
    numbers = [*range(0, each.count, max(each.count // 5_000, 1)), each.most - 1]

    assert not each.count or max(len(each.at(number)) for number in numbers) <= room


def test_there_is_no_text_where_words_do_not_fit() -> None:
    assert values.titles(16).count == 0
    assert values.titles(17).count == values.titles(17).most == values.titles().count


def test_a_text_that_must_be_unique_goes_on_with_a_number() -> None:
    titles = values.titles()

    assert titles.at(7) == 'Brief acorn'
    assert titles.at(titles.count + 7) == 'Brief acorn 2'


def test_no_date_lies_behind_the_moment_that_stands_for_now() -> None:
    for each in (SETS['dates'], SETS['moments']):
        first, last = each.at(each.count - 1), each.at(0)
        assert str(last) < '2026' < '2027' > str(first) >= '2024'


def test_decimals_have_their_places() -> None:
    assert str(values.decimals(-150, 150, 2).at(0)) == '-1.50'
    assert values.decimals(0, 1, 10).at(1) == Decimal('1E-10')


def test_a_uuid_looks_like_a_random_one() -> None:
    made = values.uuids().at(0x3FFFFFFFFFFFFFFFFFFFFFFFFFFFFFF)

    assert (made.version, made.variant) == (4, 'specified in RFC 4122')


def test_the_words_are_different_and_can_stand_in_addresses() -> None:
    for each in (words.ADJECTIVES, words.NOUNS, words.VERBS):
        assert len(set(each)) == len(each)
        assert all(word.isascii() and word.isalpha() and word.islower() for word in each)
    assert any(not name.isascii() for name in (*words.FIRST_NAMES, *words.LAST_NAMES))
