"""Rows two relations away (`Through`): asked about beside the rows between (rule F3)."""

from typing import Any

import pytest

from backstay.resources import FilterError, Many, Through
from backstay.resources.checks import check_resources
from backstay.resources.errors import SortError
from tests.bookshop.factories import make_book, make_edition, make_reviews
from tests.bookshop.models import Book
from tests.bookshop.resources import OPEN, BookResource, EditionResource
from tests.resources.asking import ask
from tests.resources.conftest import Declare

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _books() -> None:
    """Emma has five stars on paper and one star as a sound; Ivanhoe is unread; Dracula has none."""
    emma, ivanhoe = make_book(title='Emma'), make_book(title='Ivanhoe')
    make_book(title='Dracula')
    make_reviews(make_edition(emma, isbn='paper'), 5)
    make_reviews(make_edition(emma, isbn='sound'), 1)
    make_edition(ivanhoe, isbn='paper')


def titles(filter: Any) -> list[str]:  # noqa: A002 the word of the API
    """The books that a filter leaves."""
    return ask(BookResource, '{title}', filter=filter, sort='id').values('title')


def stars(op: str, value: int) -> dict[str, Any]:
    """A condition on a review."""
    return {'model': 'Review', 'field': 'stars', 'op': op, 'value': value}


def isbn(value: str) -> dict[str, Any]:
    """A condition on an edition."""
    return {'model': 'Edition', 'field': 'isbn', 'value': value}


@pytest.mark.parametrize(
    ('asked', 'found'),
    [
        (stars('==', 5), ['Emma']),
        (stars('>', 5), []),
        ([stars('==', 1), isbn('sound')], ['Emma']),
        ([isbn('paper'), stars('==', 1)], []),
        ([stars('==', 5), stars('==', 1)], []),
        ({'or': [stars('==', 1), isbn('paper')]}, ['Emma']),
        ({'not': [stars('==', 1)]}, ['Emma']),
        ([{'field': 'title', 'value': 'Emma'}, stars('<', 5)], ['Emma']),
        ({'some': {'model': 'Review', 'where': [{'field': 'stars', 'value': 1}]}}, ['Emma']),
        (
            {'none': {'model': 'Review', 'where': [{'field': 'stars', 'value': 1}]}},
            ['Ivanhoe', 'Dracula'],
        ),
        ({'none': {'model': 'Review'}}, ['Ivanhoe', 'Dracula']),
    ],
)
def test_are_of_one_combination_with_the_rows_between(asked: Any, found: list[str]) -> None:
    assert titles(asked) == found


def test_multiply_no_row() -> None:
    make_reviews(make_edition(Book.objects.get(title='Emma')), 5, 5, 5)

    assert titles(stars('==', 5)) == ['Emma']


def test_are_named_by_a_parameter(client: Any, settings: Any) -> None:
    settings.ROOT_URLCONF = 'tests.resources.http.site'

    page = client.get('/books/', {'reviews.stars__gte': '5'}).json()

    assert [each['title'] for each in page['results']] == ['Emma']


def test_give_no_order() -> None:
    with pytest.raises(SortError, match='leads to many rows'):
        ask(BookResource, sort='reviews.stars')


def test_are_not_shown() -> None:
    assert 'reviews' not in ask(BookResource, '*').objects[0]


def test_are_not_there_where_a_step_is_not(declare: Declare) -> None:
    hidden = declare(
        Book, 'id', 'title', editions=Many(EditionResource), reviews=Through('editions', 'reviews')
    )
    hidden.grants = (type(OPEN[0])(OPEN[0].who, read=('id', 'title')),)

    with pytest.raises(FilterError, match='does not contain model `Review`'):
        ask(hidden, '{title}', filter=stars('==', 5))


@pytest.mark.parametrize('steps', [('nothing', 'reviews'), ('editions', 'nothing')])
def test_stop_the_start_where_a_step_is_unknown(declare: Declare, steps: tuple[str, str]) -> None:
    declare(Book, 'id', editions=Many(EditionResource), reviews=Through(*steps))

    (message,) = (each for each in check_resources() if 'ForATest' in str(each.obj))

    assert (message.id, steps[0] in message.msg) == ('backstay.E001', True)
