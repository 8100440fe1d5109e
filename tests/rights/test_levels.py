"""A level over one thing, and a level of one's own: neither can be taken for the other."""

import pytest

from backstay.caller import Caller, Held
from backstay.resources import ALL, Grant, Who, level, level_somewhere, own_level
from tests.bookshop.factories import make_book
from tests.bookshop.models import Book
from tests.resources.conftest import Declare
from tests.rights.asking import ask

_ONE_HOUSE = Caller(kind='account', level=1, scopes=(Held(over='houses', id=7, level=4),))
_ALL_HOUSES = Caller(kind='account', level=1, scopes=(Held(over='houses', level=4),))
_OWN = Caller(kind='account', level=4)
_KEY = Caller(kind='key', level=4)


@pytest.mark.parametrize('writing', [False, True])
def test_a_level_over_one_thing_is_no_level_of_ones_own(writing: bool) -> None:
    somewhere, own = level_somewhere(4), own_level(4)
    callers = (_ONE_HOUSE, _ALL_HOUSES, _OWN, _KEY)
    standings = [caller.standing(writing=writing) for caller in callers]

    assert [somewhere.includes(each) for each in standings] == [True] * 4
    assert [own.includes(each) for each in standings] == [False, False, True, True]


def test_kinds_and_levels_are_asked_together() -> None:
    accounts = Who(kinds=frozenset({'account'}), own_level=4)

    assert accounts.includes(_OWN.standing())
    assert not accounts.includes(_KEY.standing())
    assert not accounts.includes(_ONE_HOUSE.standing())


@pytest.mark.django_db
def test_rows_open_to_an_own_level_are_open_to_no_other(declare: Declare) -> None:
    make_book()
    resource = declare(Book, 'id', grants=(Grant(own_level(4), read=ALL),))

    assert len(ask(resource, _OWN, 'id').objects) == 1
    for caller in (_ONE_HOUSE, _ALL_HOUSES):
        assert ask(resource, caller, 'id').objects == []


def test_the_old_name_warns() -> None:
    with pytest.warns(DeprecationWarning, match=r'level_somewhere\(\)'):
        assert level(3) == level_somewhere(3)
