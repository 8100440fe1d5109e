"""Every read is one statement, at any depth, and reads only what the mask names."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backstay.resources import Many, Resource
from backstay.resources.execute import run, stream
from tests.bookshop.factories import make_book, make_edition, make_reviews, make_tags
from tests.bookshop.models import Author, Biography, Book, Country, Edition, Publisher, Review
from tests.bookshop.resources import (
    AuthorResource,
    BookResource,
    PublisherResource,
    SpecimenResource,
    TagResource,
    VolumeResource,
)
from tests.resources.asking import FACTS, answer_to, plan_of, query_of
from tests.resources.conftest import Declare

_BY_DEPTH = {
    0: 'name',
    1: 'name,publishers{name}',
    2: 'name,publishers{name,books{title}}',
    3: 'name,publishers{name,books{title,editions{isbn}}}',
    4: 'name,publishers{name,books{title,editions{isbn,reviews{stars}}}}',
}
_KINDS: dict[str, dict[str, Any]] = {
    'a page': {},
    'a page with its count': {'count': 'exact'},
    'a page with an estimate': {'count': 'estimate'},
    'an empty page with its count': {'count': 'exact', 'offset': 9},
    'a first page by cursor': {'cursor': True},
    'a page after another': {'after': ['de']},
    'a page before another': {'before': ['fr']},
    'every row': {'limit': None},
    'one object': {'one': 'de'},
}


@pytest.fixture
def countries(declare: Declare) -> type[Resource]:
    """Countries, with four levels of children below them."""
    reviews = declare(Review, 'edition_id', 'stars')
    editions = declare(Edition, 'book_id', 'isbn', reviews=Many(reviews, fan_out=1))
    books = declare(Book, 'publisher_id', 'title', editions=Many(editions, fan_out=1))
    publishers = declare(
        Publisher, 'country_id', 'name', books=Many(books, source='book_set', fan_out=1)
    )
    return declare(
        Country, 'code', 'name', publishers=Many(publishers, source='publisher_set', fan_out=1)
    )


@pytest.fixture
def rows(db: None) -> None:
    """A few rows of everything."""
    for code in ('de', 'fr'):
        country = Country._base_manager.create(code=code, name=code)
        for _ in range(2):
            publisher = Publisher._base_manager.create(name='P', country=country)
            book = make_book(publisher=publisher)
            make_tags(book, 'x', 'y')
            make_reviews(make_edition(book), 1, 2)
            author = Author._base_manager.create(name='A')
            Biography._base_manager.create(author=author)
            book.authors.add(author)


@pytest.mark.usefixtures('rows')
@pytest.mark.parametrize('depth', _BY_DEPTH)
@pytest.mark.parametrize('kind', _KINDS)
def test_a_read_is_one_statement_at_any_depth(
    kind: str, depth: int, countries: type[Resource]
) -> None:
    query = query_of(countries, _BY_DEPTH[depth], **_KINDS[kind])

    with CaptureQueriesContext(connection) as captured:
        answer_to(countries, query)

    assert len(captured) == 1


@pytest.mark.usefixtures('rows')
@pytest.mark.parametrize(
    ('resource', 'options'),
    [
        (BookResource, {'mask': '*,publisher{*,country},editions{*},authors{*},tags'}),
        (BookResource, {'mask': '*', 'one': 1}),
        (BookResource, {'mask': 'shouted,url,labels,metadata{a}'}),
        (BookResource, {'sort': 'publisher.name,-double_price'}),
        (BookResource, {'filter': {'model': 'Edition', 'field': 'stock', 'op': 'is_null'}}),
        (BookResource, {'filter': {'none': {'model': 'Tag', 'where': []}}, 'count': 'exact'}),
        (AuthorResource, {'mask': '*,biography{*}'}),
        (VolumeResource, {'mask': '*,book{*}', 'sort': 'book.third', 'count': 'exact'}),
    ],
)
def test_whatever_is_asked_is_one_statement(
    resource: type[Resource], options: dict[str, Any]
) -> None:
    query = query_of(resource, **options)

    with CaptureQueriesContext(connection) as captured:
        answer_to(resource, query)

    assert len(captured) == 1


@pytest.mark.usefixtures('rows')
def test_every_row_is_streamed_by_one_statement() -> None:
    query = query_of(BookResource, '*,editions{*,reviews}', limit=None)
    plan = plan_of(BookResource, query)

    with CaptureQueriesContext(connection) as captured:
        streamed = [row for row, _ in stream(plan, query, FACTS, timeout=60)]

    assert streamed == run(plan, query, FACTS).objects
    assert len(captured) == 1


@pytest.mark.parametrize(
    'resource', [BookResource, PublisherResource, AuthorResource, TagResource, SpecimenResource]
)
def test_a_mask_of_the_key_reads_no_other_column(resource: type[Resource]) -> None:
    plan = plan_of(resource, query_of(resource, 'id', sort='id', count='exact'))

    assert _columns(plan.sql) == {'id'}
    assert _tables(plan.sql) == {resource.options.model._meta.db_table}


@pytest.mark.parametrize('name', SpecimenResource.fields())
def test_a_mask_of_a_field_reads_its_column_and_the_key(name: str) -> None:
    plan = plan_of(SpecimenResource, query_of(SpecimenResource, name, sort='id'))

    assert _columns(plan.sql) == {'id', name}
    assert 'JOIN' not in plan.sql


def test_only_what_the_mask_names_is_joined() -> None:
    plan = plan_of(BookResource, query_of(BookResource, 'id,publisher{id}', sort='id'))
    assert _columns(plan.sql) == {'id', 'publisher_id'}

    plan = plan_of(BookResource, query_of(BookResource, 'publisher{name}', sort='id'))
    assert _columns(plan.sql) == {'id', 'publisher_id', 'name'}
    assert 'bookshop_country' not in plan.sql


def test_the_boundary_of_a_page_reads_only_the_keys_of_the_order() -> None:
    query = query_of(BookResource, 'id', sort='pages', after=[3, 7])

    assert _columns(plan_of(BookResource, query).sql) == {'id', 'pages'}


def _columns(sql: str) -> set[str]:
    return set(re.findall(r'(?:"\w+"|\b[A-Z]\d+)\."(\w+)"', sql)) - {'count_'}


def _tables(sql: str) -> set[str]:
    return set(re.findall(r'(?:FROM|JOIN) "(\w+)"', sql))
