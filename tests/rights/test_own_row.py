"""Whatever a grant's rows compare, they speak of the resource's own row in every position."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Concat, ExtractYear, Length, Lower, Now

from backstay.caller import GUEST
from backstay.resources import ALL, Grant, Many, One, Through, anyone
from tests.bookshop.factories import NOON, make_book, make_edition, make_reviews, make_tags
from tests.bookshop.models import Author, Book, Edition, Publisher, Review
from tests.resources.conftest import Declare
from tests.rights.asking import ask, objects

pytestmark = pytest.mark.django_db

_ITS_EDITIONS = Edition.objects.filter(book=OuterRef('pk'))
CONDITIONS: dict[str, Q] = {
    'column': Q(pages__lt=F('rating')),
    'column of the same name outside': Q(pk__lt=F('pages')),
    'two columns': Q(title=F('slug')) | Q(pages__gte=F('rating')),
    'negated column': ~Q(pages__lt=F('rating')),
    'column of another row': Q(publisher__name=F('title')),
    'other side of another row': Q(title__gte=F('publisher__name')),
    'arithmetic': Q(pages__gt=F('rating') - 1),
    'negated arithmetic': ~Q(pages__gt=F('rating') * 2),
    'arithmetic of dates': Q(created_at__lt=datetime(2026, 1, 5, tzinfo=UTC) - timedelta(days=1)),
    'function': Q(title=Lower('slug')),
    'function of two columns': Q(slug=Concat('title', Value('-x'))),
    'function inside a lookup': Q(pages__gte=Length('title')),
    'case': Q(pages__gt=Case(When(status='draft', then=F('rating')), default=Value(4.0))),
    'members of a list': Q(pages__in=[F('rating'), 7]),
    'range': Q(pages__range=(F('rating'), 9)),
    'transform': Q(created_at__year=2026),
    'transform of a day': Q(created_at__date=date(2026, 1, 2)),
    'transform of both': Q(created_at__year=F('released_on__year')),
    'transform as a function': Q(pages__gte=ExtractYear('released_on') - 2023),
    'moment with a zone': Q(created_at__gt=NOON),
    'moment of the database': Q(created_at__lt=Now()),
    'day': Q(released_on__lt=date(2026, 1, 1)),
    'decimal': Q(price__lt=Decimal('3.00')),
    'decimals': Q(price__lt=Coalesce(F('rating'), 1.0)),
    'null': Q(price=None),
    'negated null': ~Q(price__gt=F('rating')),
    'json': Q(metadata__color='red'),
    'key': Q(pk__in=[1, 2, 3]),
    'relation by its object': Q(publisher__isnull=False),
    'relation by its name': Q(publisher=F('publisher_id')),
    'related queryset': Q(publisher__in=Publisher.objects.filter(name__lt='p2')),
    'negated queryset': ~Q(publisher__in=Publisher.objects.filter(name__lt='p2')),
    'queryset of keys': Q(pk__in=Edition.objects.filter(stock__gt=1).values('book')),
    'queryset of the row': Q(pages__in=_ITS_EDITIONS.values('stock')),
    'exists': Q(Exists(_ITS_EDITIONS.filter(stock__gt=1))),
    'negated exists': ~Q(Exists(_ITS_EDITIONS.filter(stock__gt=1))),
    'exists of another column': Q(Exists(Edition.objects.filter(position=OuterRef('pages')))),
    'subquery': Q(pages__lt=Subquery(_ITS_EDITIONS.order_by('-stock').values('stock')[:1])),
    'path to many': Q(tags__label='x'),
    'negated path to many': ~Q(tags__label='x'),
    'path to many beside a column': Q(tags__label=F('title')),
    'column through a path to many': Q(title=F('tags__label')),
    'one related row for both': Q(editions__stock__gt=1, editions__position__lt=F('pages')),
    'either of two paths': Q(tags__label='x') | Q(editions__stock__gt=F('rating')),
    'one of two alone': Q(pages__lt=F('rating')) ^ Q(tags__label='x'),
    'one of three alone': Q(pages=4) ^ Q(title=F('slug')) ^ Q(status='draft'),
}


class Library:
    """Books behind a condition, and every way to them; a book's grant of all rows shows its id."""

    def __init__(self, declare: Declare, rows: Q) -> None:
        self.rows = rows
        self.expected = _covered(rows)
        self.book = declare(
            Book, 'id', 'title', 'pages', 'rating', grants=(Grant(anyone, read=ALL, rows=rows),)
        )
        self.edition = declare(Edition, 'id', 'stock', book=One(self.book))
        self.review = declare(Review, 'id', edition=One(self.edition))
        self.publisher = declare(Publisher, 'id', 'name', books=Many(self.book, source='book_set'))
        self.author = declare(Author, 'id', books=Many(self.book))
        self.mixed = declare(
            Book,
            'id',
            'title',
            grants=(Grant(anyone, read=('id',)), Grant(anyone, read=ALL, rows=rows)),
        )
        self.holder = declare(Edition, 'id', book=One(self.mixed))
        self.house = declare(
            Publisher,
            'id',
            books=Many(self.mixed, source='book_set'),
        )
        tagged = declare(Edition, 'id', book=One(self.book))
        self.far = declare(Book, 'id', editions=Many(tagged), again=Through('editions', 'book'))


def _covered(rows: Q) -> set[int]:
    """The books that a condition covers, worked out part by part: unknown covers nothing."""
    every = {*Book._base_manager.values_list('pk', flat=True)}
    if not rows.negated and rows.connector != Q.XOR:
        plain = [each for each in rows.children if not isinstance(each, Q)]
        parts = [_covered(each) for each in rows.children if isinstance(each, Q)]
        if plain:
            together = Q(*plain, _connector=rows.connector)
            parts.append({*Book._base_manager.filter(together).values_list('pk', flat=True)})
        return set.union(*parts) if rows.connector == Q.OR else set.intersection(*parts)
    inner = Q(*rows.children, _connector=rows.connector)
    if rows.negated:
        return every - _covered(inner)
    parts = [_covered(Q(each)) for each in rows.children]
    return {key for key in every if sum(key in part for part in parts) % 2}


def _ids(found: list[dict[str, Any]]) -> set[int]:
    return {each['id'] for each in found}


def _listed(library: Library) -> set[int]:
    return _ids(objects(ask(library.book, GUEST, 'id')))


def _counted(library: Library) -> set[int]:
    rows = ask(library.book, GUEST, 'id', count='exact')
    assert rows.count == len(library.expected)
    return _ids(objects(rows))


def _by_cursor(library: Library) -> set[int]:
    return _ids(objects(ask(library.book, GUEST, 'id', sort='-pages', cursor=True)))


def _filtered(library: Library) -> set[int]:
    spec = {'not': [{'field': 'id', 'op': '<', 'value': 0}]}
    return _ids(objects(ask(library.book, GUEST, 'id', filter=spec, count='exact')))


def _in_one(library: Library) -> set[int]:
    found = objects(ask(library.edition, GUEST, 'id,book'))
    return _ids([each['book'] for each in found if each['book']])


def _in_one_of_one(library: Library) -> set[int]:
    found = objects(ask(library.review, GUEST, 'edition{book}'))
    return _ids([each['edition']['book'] for each in found if each['edition']['book']])


def _in_many(library: Library) -> set[int]:
    found = objects(ask(library.publisher, GUEST, 'id,books{id}'))
    homeless = {*Book.objects.filter(publisher=None).values_list('pk', flat=True)}
    return _ids([book for each in found for book in each['books']]) | (homeless & library.expected)


def _in_many_to_many(library: Library) -> set[int]:
    (found,) = objects(ask(library.author, GUEST, 'books{id}'))
    return _ids(found['books'])


def _asked_through_one(library: Library) -> set[int]:
    name = library.book.options.name
    spec = {'field': 'id', 'op': '>', 'value': 0, 'model': name}
    return _books_of(ask(library.edition, GUEST, 'id', filter=spec))


def _asked_as_some(library: Library) -> set[int]:
    spec = {'some': {'model': library.book.options.name, 'where': []}}
    return _books_of(ask(library.edition, GUEST, 'id', filter=spec))


def _asked_as_none(library: Library) -> set[int]:
    spec = {'none': {'model': library.book.options.name, 'where': []}}
    every = {*Book.objects.values_list('pk', flat=True)}
    return every - _books_of(ask(library.edition, GUEST, 'id', filter=spec))


def _sorted_through_one(library: Library) -> set[int]:
    """A key is NULL, and so last, where the row is hidden."""
    found = [each['id'] for each in objects(ask(library.edition, GUEST, 'id', sort='book.id'))]
    book_of = dict(Edition.objects.values_list('id', 'book_id'))
    shown = [book_of[each] for each in found[: len(library.expected)]]
    assert shown == sorted(shown)
    return {*shown}


def _asked_two_relations_away(library: Library) -> set[int]:
    spec = {'field': 'id', 'op': '>', 'value': 0, 'model': 'again'}
    return _ids(objects(ask(library.far, GUEST, 'id', filter=spec)))


def _fields_of_rows(library: Library) -> set[int]:
    return _ids(
        [each for each in objects(ask(library.mixed, GUEST, 'id,title')) if 'title' in each]
    )


def _fields_of_many(library: Library) -> set[int]:
    found = objects(ask(library.house, GUEST, 'books{id,title}'))
    homeless = {*Book.objects.filter(publisher=None).values_list('pk', flat=True)}
    return _ids([book for each in found for book in each['books'] if 'title' in book]) | (
        homeless & library.expected
    )


def _fields_of_one(library: Library) -> set[int]:
    found = [each['book'] for each in objects(ask(library.holder, GUEST, 'book{id,title}'))]
    return _ids([each for each in found if 'title' in each])


def _asked_of_a_field_of_some_rows(library: Library) -> set[int]:
    spec = {'field': 'title', 'op': 'is_not_null'}
    return _ids(objects(ask(library.mixed, GUEST, 'id', filter=spec)))


def _asked_of_a_field_through_one(library: Library) -> set[int]:
    spec = {'field': 'title', 'op': 'is_not_null', 'model': library.mixed.options.name}
    return _books_of(ask(library.holder, GUEST, 'id', filter=spec))


def _sorted_by_a_field_of_some_rows(library: Library) -> set[int]:
    found = [each['id'] for each in objects(ask(library.mixed, GUEST, 'id', sort='title'))]
    return {*found[: len(library.expected)]}


def _books_of(rows: Any) -> set[int]:
    book_of = dict(Edition.objects.values_list('id', 'book_id'))
    return {book_of[each['id']] for each in objects(rows)}


POSITIONS: tuple[Callable[[Library], set[int]], ...] = (
    _listed,
    _counted,
    _by_cursor,
    _filtered,
    _in_one,
    _in_one_of_one,
    _in_many,
    _in_many_to_many,
    _asked_through_one,
    _asked_as_some,
    _asked_as_none,
    _sorted_through_one,
    _asked_two_relations_away,
    _fields_of_rows,
    _fields_of_many,
    _fields_of_one,
    _asked_of_a_field_of_some_rows,
    _asked_of_a_field_through_one,
    _sorted_by_a_field_of_some_rows,
)


@pytest.fixture
def books() -> None:
    """Rows on both sides of every condition, one edition each, with NULLs among them."""
    publishers = [Publisher.objects.create(name=name) for name in ('p1', 'p2', 'x')]
    author = Author.objects.create(name='a')
    values: list[dict[str, Any]] = [
        {'pages': 0, 'rating': 2.0, 'title': 'x', 'slug': 'x', 'price': '2.00'},
        {'pages': 4, 'rating': 2.0, 'title': 'p2', 'slug': 'P2', 'price': '9.00'},
        {'pages': None, 'rating': 3.0, 'status': 'draft'},
        {'pages': 7, 'rating': None, 'title': 'x', 'slug': 'x-x', 'price': '0.50'},
        {'pages': 900, 'rating': 4.5, 'released_on': date(2025, 3, 1), 'status': 'draft'},
        {'pages': 3, 'rating': 3.0, 'released_on': date(2026, 3, 1), 'title': 'y'},
        {'pages': 2, 'rating': 9.0, 'metadata': {'color': 'red'}, 'price': '4.00'},
    ]
    for number, given in enumerate(values):
        moment = NOON.replace(year=2025 + number % 2, day=1 + number)
        publisher = publishers[number % 3] if number != 5 else None
        book = make_book(created_at=moment, publisher=publisher, **given)
        book.authors.add(author)
        make_reviews(make_edition(book, stock=number, position=number // 2), 3)
        if number % 2:
            make_tags(book, 'x', 'p2')


@pytest.mark.parametrize('name', CONDITIONS)
@pytest.mark.usefixtures('books')
def test_a_condition_means_the_own_row_in_every_position(name: str, declare: Declare) -> None:
    library = Library(declare, CONDITIONS[name])

    found = {position.__name__: position(library) for position in POSITIONS}

    assert found == dict.fromkeys(found, library.expected)
    every = Book.objects.count()
    assert name in ('key', 'moment of the database') or 0 < len(library.expected) < every
