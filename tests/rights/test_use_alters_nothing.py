"""A grant's rows and a computed value mean the same each time they are used, wherever that was."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan

from backstay.caller import GUEST
from backstay.resources import ALL, Computed, Grant, Many, One, anyone
from backstay.resources.declaration.readable import Readable
from backstay.resources.plan import rights
from backstay.resources.plan.cache import plans
from backstay.testing.knowledge import knowledge_of
from tests.bookshop.models import Book, Edition, Publisher, Review
from tests.proofs import half_of
from tests.resources.conftest import Declare
from tests.rights.asking import ask, objects
from tests.rights.test_own_row import books

__all__ = ['books']

pytestmark = pytest.mark.django_db


def _editions(**more: Any) -> QuerySet[Edition]:
    return Edition._base_manager.filter(book=OuterRef('pk'), **more)


#: Each with another way from the row to its subquery.
CONDITIONS: dict[str, Callable[[], Q]] = {
    'exists': lambda: Q(Exists(_editions(stock__gt=1))),
    'negated exists': lambda: Q(~Exists(_editions(stock__gt=1))),
    'complement of exists': lambda: ~Q(Exists(_editions(stock__gt=1))),
    'two names of the row': lambda: Q(Exists(_editions(stock__gt=OuterRef('pages')))),
    'either': lambda: Q(pages__lt=F('rating')) | Q(Exists(_editions(position=2))),
    'queryset of the row': lambda: Q(pages__in=_editions().values('stock')),
    'queryset of others': lambda: Q(
        publisher__in=Publisher._base_manager.filter(name__lt='p2').values('pk')
    ),
    'subquery': lambda: Q(pages__lt=Subquery(_editions().values('stock')[:1])),
    'subquery in a function': lambda: Q(
        pages__lte=Coalesce(Subquery(_editions().values('stock')[:1]), Value(0)) + 1
    ),
    'subquery in a comparison': lambda: Q(
        GreaterThan(Subquery(_editions().values('stock')[:1]), F('pages'))
    ),
    'subquery in a case': lambda: Q(
        pages__lt=Case(When(Q(Exists(_editions(stock__gt=3))), then=Value(900)), default=Value(3))
    ),
    'subquery in a list': lambda: Q(pages__in=[Subquery(_editions().values('stock')[:1]), 7]),
    'aggregate of the row': lambda: Q(
        pages__gt=Subquery(
            _editions().order_by().values('book').annotate(n=Count('pk')).values('n')
        )
    ),
    'exists in an exists': lambda: Q(
        Exists(
            _editions().filter(
                Exists(Review._base_manager.filter(edition=OuterRef('pk'), edition__stock__gt=2))
            )
        )
    ),
    'row of the row around': lambda: Q(
        Exists(
            Publisher._base_manager.filter(
                Exists(
                    Edition._base_manager.filter(
                        book=OuterRef(OuterRef('pk')), book__publisher=OuterRef('pk'), stock__gt=1
                    )
                )
            )
        )
    ),
    'union': lambda: Q(
        pk__in=Edition._base_manager.filter(stock=1)
        .values('book')
        .union(Edition._base_manager.filter(stock=4).values('book'))
    ),
}


class Shelves:
    """Books whose condition decides rows, fields and orders, at every depth of a statement."""

    def __init__(self, declare: Declare, rows: Q) -> None:
        grants = (Grant(anyone, read=('id',)), Grant(anyone, read=ALL, rows=rows))
        self.book = declare(Book, 'id', 'title', 'pages', grants=grants)
        self.hidden = declare(Book, 'id', 'title', grants=(Grant(anyone, read=ALL, rows=rows),))
        by_title = Many(self.book, source='book_set', ordering=('title', 'id'))
        self.publisher = declare(Publisher, 'id', books=by_title)
        self.edition = declare(Edition, 'id', book=One(self.book), shown=One(self.hidden, 'book'))
        deep = declare(Book, 'id', publisher=One(self.publisher))
        deeper = declare(Edition, 'id', book=One(deep))
        self.review = declare(Review, 'id', edition=One(deeper))

    def answers(self) -> list[Any]:
        """What is found in each position, by plans that are compiled anew."""
        plans.clear()
        return [
            objects(ask(self.book, GUEST, 'id,title', count='exact')),
            objects(ask(self.hidden, GUEST, 'id', count='exact')),
            objects(ask(self.book, GUEST, 'id', sort='-title')),
            objects(ask(self.publisher, GUEST, 'id,books{id,title}')),
            objects(ask(self.review, GUEST, 'id,edition{book{publisher{books{id,title}}}}')),
            objects(ask(self.edition, GUEST, 'id,book{id,title},shown{id}', sort='book.title')),
            objects(ask(self.hidden, GUEST, 'id')),
        ]


@pytest.mark.parametrize('name', CONDITIONS)
@pytest.mark.usefixtures('books')
def test_a_condition_means_the_same_after_any_use(name: str, declare: Declare) -> None:
    expected = {*Book._base_manager.filter(CONDITIONS[name]()).values_list('pk', flat=True)}
    if CONDITIONS[name]().negated:
        asked = ~CONDITIONS[name]()
        expected = {*Book._base_manager.values_list('pk', flat=True)} - {
            *Book._base_manager.filter(asked).values_list('pk', flat=True)
        }
    condition = CONDITIONS[name]()
    shelves = Shelves(declare, condition)
    resources = (shelves.book, shelves.hidden, shelves.publisher, shelves.edition)

    first, again = shelves.answers(), None
    knowledge_of(GUEST, resources)
    again = shelves.answers()

    assert 0 < len(expected) < Book._base_manager.count()
    assert {each['id'] for each in first[-1]} == expected
    assert {each['id'] for each in first[3][0]['books'] if 'title' in each} <= expected
    assert again == first


@pytest.mark.parametrize('name', half_of(CONDITIONS))
def test_a_condition_means_the_same_in_every_thread(name: str, declare: Declare) -> None:
    """Written at three depths at once, by threads that share the declaration."""
    shelves = Shelves(declare, CONDITIONS[name]())
    readable = Readable(shelves.hidden, GUEST.standing())

    def written(depth: int) -> str:
        rows = rights.rows(readable)
        for _ in range(depth):
            cover = rights.visible(readable)
            rows = Book._base_manager.filter(cover, pk__in=rows.values('pk')).order_by(
                Case(When(cover, then=F('pk')))
            )[:5]
        return str(rows.query)

    alone = [written(depth) for depth in range(3)] * 20
    with ThreadPoolExecutor(8) as threads:
        together = [*threads.map(written, [*range(3)] * 20)]

    assert together == alone


@pytest.mark.usefixtures('books')
def test_a_computed_value_means_the_same_after_any_use(declare: Declare) -> None:
    stock = Subquery(_editions().values('stock')[:1])
    book = declare(Book, 'id', stock=Computed(stock, IntegerField(null=True)))
    publisher = declare(
        Publisher, 'id', books=Many(book, source='book_set', ordering=('stock', 'id'))
    )
    edition = declare(Edition, 'id', book=One(declare(Book, 'id', publisher=One(publisher))))

    def found() -> list[Any]:
        plans.clear()
        return [
            objects(ask(book, GUEST, 'id,stock', sort='-stock')),
            objects(ask(publisher, GUEST, 'id,books{id,stock}')),
            objects(ask(edition, GUEST, 'id,book{publisher{books{id,stock}}}')),
        ]

    first = found()

    assert [each['stock'] for each in first[0]] == [6, 5, 4, 3, 2, 1, 0]
    assert found() == first
