"""Computed values of every form of expression: shown, filtered, sorted, nested, on both engines."""

from typing import Any

import pytest
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, Lower

from backstay.caller import GUEST
from backstay.resources import ALL, Computed, Grant, Many, One, Resource, anyone
from tests.bookshop.factories import make_book, make_edition
from tests.bookshop.models import Book, Edition, Publisher
from tests.resources.conftest import Declare
from tests.rights.asking import ask, objects

pytestmark = pytest.mark.django_db

_TRUTH, _TEXT, _NUMBER = (
    models.BooleanField(),
    models.CharField(max_length=200),
    models.IntegerField(),
)
EXPRESSIONS: dict[str, tuple[Any, models.Field, list[Any]]] = {
    'comparison': (Q(pages__gte=2), _TRUTH, [False, True, True]),
    'negated comparison': (~Q(pages__gte=2), _TRUTH, [True, False, False]),
    'both': (Q(pages__gte=2, title='b'), _TRUTH, [False, True, False]),
    'either': (Q(pages__gte=3) | Q(title='a'), _TRUTH, [True, False, True]),
    'unknown': (Q(price__gt=1), _TRUTH, [None, None, True]),
    'negated unknown': (~Q(price__gt=1), _TRUTH, [True, True, False]),
    'null or not': (Q(price=None), _TRUTH, [True, True, False]),
    'exists': (
        Exists(Edition.objects.filter(book=OuterRef('pk'), stock__gt=1)),
        _TRUTH,
        [False, False, True],
    ),
    'negated exists': (
        ~Exists(Edition.objects.filter(book=OuterRef('pk'), stock__gt=1)),
        _TRUTH,
        [True, True, False],
    ),
    'always': (Q(pages__lt=10**30), _TRUTH, [True, True, True]),
    'never': (Q(pk__in=[]), _TRUTH, [False, False, False]),
    'constant': (Value(True), _TRUTH, [True, True, True]),
    'case': (
        Case(When(~Q(pages__gte=2), then=Value('few')), default=Value('many')),
        _TEXT,
        ['few', 'many', 'many'],
    ),
    'arithmetic': (F('pages') - 1, _NUMBER, [0, 1, 2]),
    'arithmetic of arithmetic': (-(F('pages') - 1) * 2, _NUMBER, [0, -2, -4]),
    'function': (Lower('slug'), _TEXT, ['a-book', 'a-book', 'a-book']),
    'concatenation': (Concat('title', Value(' '), 'title'), _TEXT, ['a a', 'b b', 'c c']),
    'cast': (Cast('pages', models.CharField(max_length=9)), _TEXT, ['1', '2', '3']),
    'fallback': (Coalesce('price', Value(0), output_field=_NUMBER), _NUMBER, [0, 0, 7]),
}


class Shop:
    """Books with one computed value, and what leads to them."""

    def __init__(self, declare: Declare, name: str) -> None:
        expression, field, self.expected = EXPRESSIONS[name]
        value = Computed(expression, field)
        house = Publisher.objects.create(name='h')
        for number, title in enumerate('abc'):
            price = 7 if title == 'c' else None
            book = make_book(title=title, pages=number + 1, price=price, publisher=house)
            make_edition(book, stock=number)
        open_to_all = (Grant(anyone, read=ALL),)
        self.book = declare(Book, 'id', 'title', value=value, grants=open_to_all)
        self.edition = declare(Edition, 'id', 'stock', book=One(self.book), grants=open_to_all)
        self.house = declare(
            Publisher,
            'id',
            books=Many(self.book, 'book_set', ordering=('title',)),
            grants=open_to_all,
        )


def _values(resource: type[Resource], mask: str, **options: Any) -> list[Any]:
    return objects(ask(resource, GUEST, mask, **options))


@pytest.mark.parametrize('name', EXPRESSIONS)
def test_a_computed_value_is_the_same_in_every_position(name: str, declare: Declare) -> None:
    shop = Shop(declare, name)

    assert [each['value'] for each in _values(shop.book, 'value', sort='title')] == shop.expected
    nested = _values(shop.edition, 'book{value}', sort='stock')
    assert [each['book']['value'] for each in nested] == shop.expected
    (house,) = _values(shop.house, 'books{value}')
    assert [each['value'] for each in house['books']] == shop.expected


@pytest.mark.parametrize('name', EXPRESSIONS)
def test_a_computed_value_can_be_asked_for_as_it_is_shown(name: str, declare: Declare) -> None:
    shop = Shop(declare, name)
    for value in {*shop.expected}:
        titles = [title for title, each in zip('abc', shop.expected, strict=True) if each == value]
        asked = {'field': 'value', 'op': '==', 'value': value}
        found = _values(shop.book, 'title', filter=asked, sort='title', count='exact')
        assert [each['title'] for each in found] == titles
        asked = {'not': [asked]}
        others = [*{*'abc'} - {*titles}]
        if None not in shop.expected or value is None:
            found = _values(shop.book, 'title', filter=asked)
            assert sorted(each['title'] for each in found) == sorted(others)
        through = {'field': 'value', 'op': '==', 'value': value, 'model': shop.book.options.name}
        assert len(_values(shop.edition, 'id', filter=through)) == len(titles)


@pytest.mark.parametrize('name', EXPRESSIONS)
@pytest.mark.parametrize('cursor', [False, True])
def test_a_computed_value_sorts(name: str, cursor: bool, declare: Declare) -> None:
    shop = Shop(declare, name)
    known = [each for each in shop.expected if each is not None]

    found = _values(shop.book, 'value', sort='value,title', cursor=cursor)
    assert [each['value'] for each in found if each['value'] is not None] == sorted(known)
    through = _values(shop.edition, 'book{value}', sort='book.value,id', cursor=cursor)
    assert [each['book']['value'] for each in through][: len(known)] == sorted(known)
