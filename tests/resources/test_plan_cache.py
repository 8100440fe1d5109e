"""The plan cache: found by shape alone, bounded, safe under threads; no value is in SQL or key."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from backstay.engine.slots import Parameter
from backstay.resources.declaration.readable import Readable
from backstay.resources.plan.cache import PlanCache
from backstay.resources.plan.plan import Plan
from backstay.resources.query.nodes import Query
from tests.bookshop.resources import AuthorResource, BookResource, EditionResource
from tests.resources.asking import query_of

_BOOKS = Readable(BookResource)


@pytest.fixture
def cache() -> Iterator[PlanCache]:
    cache = PlanCache()
    yield cache
    cache.clear()


def _plan(cache: PlanCache, query: Query, readable: Readable = _BOOKS) -> Plan:
    return cache.plan(readable, query.shape, connection)


def _lookups(result: str) -> float:
    return REGISTRY.get_sample_value('backstay_plan_cache_lookups_total', {'result': result}) or 0


@pytest.mark.parametrize(
    ('first', 'second'),
    [
        ({'limit': 1, 'offset': 2}, {'limit': 100, 'offset': 0}),
        ({'one': 1}, {'one': 2}),
        (
            {'filter': {'field': 'title', 'value': 'a'}},
            {'filter': {'field': 'title', 'value': "'; --"}},
        ),
        (
            {'filter': {'field': 'id', 'op': 'in', 'value': []}},
            {'filter': {'field': 'id', 'op': 'in', 'value': [*range(100)]}},
        ),
        (
            {'filter': {'field': 'title', 'op': 'like', 'value': 'a%'}},
            {'filter': {'field': 'title', 'op': 'like', 'value': '[*]\\\\'}},
        ),
        ({'after': [1]}, {'after': [99]}),
        ({'mask': 'id,title'}, {'mask': '{ id; title, }'}),
        ({'sort': '-price'}, {'sort': [{'field': 'price', 'direction': 'desc'}]}),
        (
            {'filter': [[{'field': 'id', 'value': 1}], {'field': 'pages', 'value': 2}]},
            {'filter': {'and': [{'field': 'id', 'value': '3'}, {'field': 'pages', 'value': 4}]}},
        ),
    ],
)
def test_queries_of_one_shape_share_a_plan(
    cache: PlanCache, first: dict[str, Any], second: dict[str, Any]
) -> None:
    hits, misses = _lookups('hit'), _lookups('miss')

    plans = [_plan(cache, query_of(BookResource, **options)) for options in (first, second)]

    assert plans[0] is plans[1]
    assert (_lookups('hit') - hits, _lookups('miss') - misses) == (1, 1)
    assert len(cache) == 1


@pytest.mark.parametrize(
    ('first', 'second'),
    [
        ({'mask': 'id'}, {'mask': 'title'}),
        ({'mask': 'id,title'}, {'mask': 'title,id'}),
        ({'sort': 'price'}, {'sort': '-price'}),
        ({'count': 'none'}, {'count': 'exact'}),
        ({'after': [1]}, {'before': [1]}),
        ({'after': [1, 2], 'sort': 'pages'}, {'after': [None, 2], 'sort': 'pages'}),
        (
            {'filter': {'field': 'id', 'value': 1}},
            {'filter': {'field': 'id', 'op': '>', 'value': 1}},
        ),
        (
            {'filter': {'field': 'metadata.a', 'value': 1}},
            {'filter': {'field': 'metadata.b', 'value': 1}},
        ),
    ],
)
def test_queries_of_different_shapes_have_plans_of_their_own(
    cache: PlanCache, first: dict[str, Any], second: dict[str, Any]
) -> None:
    plans = [_plan(cache, query_of(BookResource, **options)) for options in (first, second)]

    assert plans[0] is not plans[1]
    assert (plans[0].sql, plans[0].parameters) != (plans[1].sql, plans[1].parameters)


def test_resources_have_plans_of_their_own(cache: PlanCache) -> None:
    query = query_of(BookResource, 'id', sort='id')

    plans = [
        _plan(cache, query, Readable(resource)) for resource in (BookResource, EditionResource)
    ]

    assert plans[0].sql != plans[1].sql


def _cache_for(count: int, *queries: Query) -> PlanCache:
    """A cache with room for so many of the plans, whichever they are."""
    sizes = sorted(len(PlanCache().plan(_BOOKS, query.shape, connection).sql) for query in queries)
    assert sum(sizes[: count + 1]) > sum(sizes[-count:])
    return PlanCache(sum(sizes[-count:]))


def test_the_plan_used_longest_ago_is_forgotten() -> None:
    queries = [query_of(BookResource, mask) for mask in ('id', 'title', 'slug', 'price')]
    cache = _cache_for(3, *queries)
    first, second, third = [_plan(cache, query) for query in queries[:3]]
    assert _plan(cache, queries[0]) is first

    _plan(cache, queries[3])

    assert len(cache) == 3
    assert _plan(cache, queries[0]) is first
    assert _plan(cache, queries[2]) is third
    assert _plan(cache, queries[1]) is not second
    assert REGISTRY.get_sample_value('backstay_plan_cache_plans') == 3


def test_large_plans_leave_less_room_than_small_ones() -> None:
    small = [query_of(BookResource, mask) for mask in ('id', 'title', 'slug', 'price')]
    large = query_of(BookResource, '*,publisher{*},editions{*,reviews{*}},authors{*},tags{*}')
    size = len(PlanCache().plan(_BOOKS, large.shape, connection).sql)
    cache = PlanCache(size + 1)
    for query in small:
        _plan(cache, query)
    assert len(cache) == 4

    _plan(cache, large)

    assert len(cache) == 1


def test_threads_get_the_plans_of_their_own_shapes() -> None:
    masks = ('id', 'title', 'slug', 'price', 'pages', 'rating')
    queries = {mask: query_of(AuthorResource, 'id', sort='id') for mask in masks[:1]}
    queries |= {mask: query_of(BookResource, mask) for mask in masks[1:]}
    books = [query for mask, query in queries.items() if mask != 'id']
    cache = _cache_for(3, *books)
    start = threading.Barrier(6)

    def work(shift: int) -> bool:
        start.wait()
        for round_ in range(60):
            mask = masks[(round_ * (shift + 1) + shift) % len(masks)]
            readable = Readable(AuthorResource) if mask == 'id' else _BOOKS
            if f'"{mask}"' not in _plan(cache, queries[mask], readable).sql or len(cache) > 4:
                return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(6)))


#: Texts and numbers that stand in no SQL by chance.
_WORDS = st.text('qzxj', min_size=8, max_size=12)
_NUMBERS = st.integers(10**8, 10**9)


@given(word=_WORDS, number=_NUMBERS, limit=_NUMBERS, offset=_NUMBERS)
def test_no_value_is_in_the_sql_the_parameters_or_the_key(
    word: str, number: int, limit: int, offset: int
) -> None:
    filters = [
        {'field': 'title', 'op': 'in', 'value': [word]},
        {'field': 'title', 'op': 'ilike', 'value': f'%{word}'},
        {'not': [{'field': 'title', 'op': 'like', 'value': word}]},
        {'or': [{'field': 'price', 'value': f'{number}.5'}, {'field': 'pages', 'value': number}]},
        {'field': 'labels', 'op': 'any', 'value': word},
        {'field': 'metadata.a', 'value': word},
        {'field': 'metadata.a', 'op': 'in', 'value': [number]},
        {'field': 'name', 'model': 'Publisher', 'value': word},
        {'some': {'model': 'Edition', 'where': [{'field': 'isbn', 'op': '>', 'value': word}]}},
    ]
    for page in ({'limit': limit, 'offset': offset}, {'after': [word, number], 'limit': limit}):
        query = query_of(BookResource, filter=filters, sort='title', count='exact', **page)
        plan = PlanCache().plan(_BOOKS, query.shape, connection)

        constants = [each for each in plan.parameters if not isinstance(each, Parameter)]
        for text in (plan.sql, repr(constants), repr(query.shape)):
            for value in (word, number, limit, offset):
                assert str(value) not in text
