"""Computed fields that fail on some rows: they are computed of no row that is hidden."""

from typing import Any

import pytest
from django.db import connection, models
from django.db.models import F, Func, Q
from django.db.models.functions import Cast
from django.db.utils import DatabaseError

from backstay.caller import GUEST, Caller
from backstay.resources import ALL, Computed, Grant, Many, One, anyone, level_somewhere
from tests.bookshop.factories import make_book, make_edition, make_tags
from tests.bookshop.models import Book, Edition
from tests.resources.conftest import Declare
from tests.rights.asking import ask, objects

pytestmark = pytest.mark.django_db

#: Fails on a text that is no number: each engine in its own way.
_NUMBER = (
    Cast(F('title'), models.IntegerField())
    if connection.vendor == 'postgresql'
    else Func(F('title'), function='json_array_length')
)
_ASKED = {'field': 'number', 'op': '>=', 'value': 0}
_ANN = Caller(kind='account', account_id=1, level=1)


class Shelf:
    """Resources on books whose hidden rows make a computed field fail."""

    def __init__(self, declare: Declare) -> None:
        number = Computed(_NUMBER, models.IntegerField())
        # Found out by a subquery, which a planner asks last.
        seen = Q(tags__label='seen')
        self.book = declare(
            Book,
            'id',
            'title',
            number=number,
            grants=(Grant(anyone, read=ALL, rows=seen),),
        )
        self.often = declare(
            Book,
            'id',
            number=number,
            grants=(
                Grant(anyone, read=('id',), rows=Q(status='draft')),
                Grant(level_somewhere(1), read=ALL, rows=seen),
            ),
        )
        self.edition = declare(
            Edition, 'id', book=One(self.book), grants=(Grant(anyone, read=ALL),)
        )
        self.whole = declare(
            Book,
            'id',
            editions=Many(self.edition),
            grants=(Grant(anyone, read=ALL),),
        )
        for title in ('7', '8', '9'):
            book = make_book(title=title)
            make_tags(book, 'seen')
            make_edition(book)
        for _ in range(20):
            make_edition(make_book(title='no number'))
        make_book(title='nor this', status='draft')


@pytest.fixture
def shelf(declare: Declare) -> Shelf:
    return Shelf(declare)


def test_the_field_does_fail_on_hidden_rows(shelf: Shelf) -> None:
    with pytest.raises(DatabaseError):
        list(Book._base_manager.annotate(n=_NUMBER).values_list('n'))


@pytest.mark.parametrize(
    'options',
    [
        {},
        {'filter': _ASKED},
        {'filter': {'not': [{**_ASKED, 'op': '<'}]}, 'count': 'exact'},
        {'filter': {'or': [_ASKED, {'field': 'id', 'value': 1}]}},
        {'sort': 'number'},
        {'sort': '-number', 'cursor': True, 'count': 'exact'},
        {'filter': _ASKED, 'sort': 'number', 'count': 'estimate'},
    ],
    ids=str,
)
def test_hidden_rows_are_not_computed(shelf: Shelf, options: dict[str, Any]) -> None:
    assert len(ask(shelf.book, GUEST, 'id,number', **options).objects) == 3


def test_rows_that_do_not_show_the_field_are_not_computed(shelf: Shelf) -> None:
    found = objects(ask(shelf.often, _ANN, 'id,number', sort='number'))
    assert ['number' in each for each in found] == [True] * 3 + [False]
    assert len(ask(shelf.often, _ANN, 'id', filter=_ASKED).objects) == 3


def test_hidden_rows_behind_a_relation_are_not_computed(shelf: Shelf) -> None:
    name = shelf.book.options.name
    asked = {**_ASKED, 'model': name}
    for spec in (asked, {'some': {'model': name, 'where': [asked]}}):
        assert len(ask(shelf.edition, GUEST, 'id', filter=spec).objects) == 3
    assert len(ask(shelf.edition, GUEST, 'book{number}', sort='book.number').objects) == 23
    assert len(ask(shelf.whole, GUEST, 'editions{book{number}}').objects) == 24


def test_a_field_that_fails_on_a_row_that_is_shown_is_the_declarations_fault(
    shelf: Shelf,
) -> None:
    make_tags(make_book(title='no number'), 'seen')

    with pytest.raises(DatabaseError):
        ask(shelf.book, GUEST, 'number')
