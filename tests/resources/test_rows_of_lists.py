"""An answer shows at most 20 000 rows of each nested list; it leaves out the rest, and says where.

The estimate before a read uses declared fan-outs and never looks at data, so that data which is
wider than declared gets here.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from backstay.resources.plan.objects import MAX_LIST_ROWS
from tests.bookshop.models import Book, Edition, Review
from tests.bookshop.resources import BookResource
from tests.resources.asking import Answer, ask

pytestmark = pytest.mark.django_db


def store(books: int, editions: int, reviews: int) -> None:
    """Store so many books, editions of each, and reviews of each edition."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made = Book.objects.bulk_create(Book(title=f'{at}', created_at=now) for at in range(books))
    stored = Edition.objects.bulk_create(
        Edition(book=book, isbn=f'{at}', stock=1) for book in made for at in range(editions)
    )
    Review.objects.bulk_create(
        (Review(edition=each, stars=at % 6) for each in stored for at in range(reviews)),
        batch_size=5_000,
    )


def reviews_in(answer: Answer) -> list[list[Any]]:
    """The reviews of each edition that has the list, in the order of the answer."""
    editions = [edition for book in answer.objects for edition in book['editions']]
    return [edition['reviews'] for edition in editions if 'reviews' in edition]


@pytest.mark.parametrize(
    'mask', ['editions{id,reviews{stars}}', 'id,editions{reviews}', 'title,editions{reviews{*}}']
)
def test_lists_beyond_the_limit_are_left_out_and_named(mask: str) -> None:
    store(books=70, editions=3, reviews=100)

    answer = ask(BookResource, mask, sort='id')

    found = reviews_in(answer)
    assert sum(len(book['editions']) for book in answer.objects) == 210
    assert sum(map(len, found)) == MAX_LIST_ROWS
    assert [len(each) for each in found] == [100] * 200
    assert len(answer.truncated) == 10
    assert all(pointer.endswith('/reviews') for pointer in answer.truncated)


def test_a_list_is_shown_whole_or_not_at_all() -> None:
    """A client may write a list back: it would delete what a part of it does not show."""
    store(books=70, editions=3, reviews=97)

    answer = ask(BookResource, 'editions{id,reviews{stars}}', sort='id')

    assert [len(each) for each in reviews_in(answer)] == [97] * 206
    assert answer.truncated == tuple(
        f'/{at // 3}/editions/{at % 3}/reviews' for at in range(206, 210)
    )


def test_exactly_so_many_rows_are_all_shown() -> None:
    store(books=50, editions=4, reviews=100)

    answer = ask(BookResource, 'editions{id,reviews{stars}}')

    assert sum(map(len, reviews_in(answer))) == MAX_LIST_ROWS
    assert answer.truncated == ()


def test_a_list_within_one_that_is_cut_at_its_cap_is_named_only_where_it_is_shown() -> None:
    store(books=1, editions=101, reviews=101)

    answer = ask(BookResource, 'editions{id,reviews{stars}}')

    assert len(reviews_in(answer)) == 100
    assert answer.truncated == ('/0/editions', *(f'/0/editions/{at}/reviews' for at in range(100)))
