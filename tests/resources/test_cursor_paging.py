"""Pages by cursor, compared with a sort of everything, while rows come and go between pages."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from backstay.resources import Resource
from backstay.resources.execute import run
from backstay.resources.plan.plan import make_plan
from backstay.resources.query.asked import Asked
from backstay.resources.query.cursor import binding_of, encrypt
from backstay.resources.query.parameters import read_query
from tests.bookshop.factories import make_book, make_specimen
from tests.bookshop.resources import (
    BookResource,
    CardResource,
    SpecimenResource,
    VolumeResource,
)
from tests.proofs import size
from tests.resources import oracle, shop
from tests.resources.asking import FACTS
from tests.resources.oracle import SortKey
from tests.resources.questions import sort_key, sort_spec

Draw = Callable[[st.SearchStrategy[Any]], Any]

_SECRET = 'a secret'
_STORES = {
    BookResource: shop.shops(),
    VolumeResource: shop.shops(),
    SpecimenResource: shop.specimens(),
}
_per_data_set = settings(
    max_examples=size(33, 1_600),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, slots=True)
class _Page:
    """One page, and the cursors of the rows at its ends."""

    ids: list[int]
    more: bool
    #: Leads on, in the direction of the walk.
    on: str
    #: Leads back to where the walk came from.
    back: str


@dataclass(frozen=True, slots=True)
class _Walk:
    """A client that follows cursors through a list."""

    resource: type[Resource]
    keys: tuple[SortKey, ...]
    limit: int

    def page(self, cursor: str) -> _Page:
        """The page that a cursor leads to; '' leads to the first."""
        sort = json.dumps([sort_spec(key, self.resource) for key in self.keys])
        parameters = {'sort': [sort], 'limit': [str(self.limit)], 'cursor': [cursor]}
        asked = Asked(resource=self.resource, parameters=parameters, mask='id')
        readable, query = asked.readable, read_query(asked, _SECRET)
        rows = run(make_plan(readable, query.shape, connection), query, FACTS)
        ids = [json.loads(each)['id'] for each in rows.objects]
        keys = [json.loads(each) for each in rows.keys][: self.limit]
        binding, backwards = (
            binding_of(readable, query, asked.caller.key),
            query.shape.page.backwards,
        )
        return _Page(
            ids=ids[: self.limit],
            more=len(ids) > self.limit,
            on=encrypt(keys[-1], backwards, binding, _SECRET) if keys else '',
            back=encrypt(keys[0], not backwards, binding, _SECRET) if keys else '',
        )

    def through(self, cursor: str = '') -> list[_Page]:
        """Every page from a cursor on."""
        pages = [self.page(cursor)]
        while pages[-1].more:
            pages.append(self.page(pages[-1].on))
        return pages

    def sorted(self, rows: Sequence[Any]) -> list[Any]:
        """All rows in the order of the walk."""
        keys = self.keys or oracle.declared_keys(self.resource.options.ordering)
        return oracle.in_order(rows, keys, self.resource)


@st.composite
def _walks(draw: Draw, most: int = 3) -> _Walk:
    """Walks through a list, whose rows are stored by drawing."""
    resource = draw(st.sampled_from(tuple(_STORES)))
    draw(_STORES[resource])
    if draw(st.booleans()):
        _copy_every_row(resource)
    keys = tuple(sort_key(draw, resource) for _ in range(draw(st.integers(0, 3))))
    return _Walk(resource, keys, draw(st.integers(1, most)))


def _copy_every_row(resource: type[Resource]) -> None:
    """Ties in every key but the last."""
    for row in resource.options.model._base_manager.all():
        _copy(row)


def _copy(row: Any) -> None:
    row.pk = None
    row._state.adding = True
    row.save()


@pytest.mark.django_db
@_per_data_set
@given(st.data())
def test_pages_together_are_the_whole_list_in_both_directions(data: st.DataObject) -> None:
    with transaction.atomic():
        walk = data.draw(_walks())
        expected = [row.pk for row in walk.sorted(shop.read(walk.resource))]

        forwards = walk.through()
        backwards = walk.through(forwards[-1].back) if expected else []

        assert [pk for page in forwards for pk in page.ids] == expected
        before_last = expected[: len(expected) - len(forwards[-1].ids)]
        assert [pk for page in backwards for pk in page.ids] == before_last[::-1]
        transaction.set_rollback(True)


@pytest.mark.django_db
@_per_data_set
@given(st.data())
def test_a_page_is_what_lies_behind_the_last_row_while_rows_come_and_go(
    data: st.DataObject,
) -> None:
    with transaction.atomic():
        walk = data.draw(_walks(most=2))
        last, cursor, turned = None, '', False
        for _ in range(8):
            expected = _behind(last, walk, turned=turned)
            page = walk.page(cursor)
            assert page.ids == [row.pk for row in expected[: walk.limit]]
            assert page.more == (len(expected) > walk.limit)
            if not page.ids:
                break
            on = data.draw(st.sampled_from((True, True, False)))
            last = expected[: walk.limit][-1 if on else 0]
            cursor, turned = (page.on, turned) if on else (page.back, not turned)
            data.draw(_changes(walk.resource))
            note(f'{"on" if on else "back"} from {last.pk}')
        transaction.set_rollback(True)


def _behind(last: Any, walk: _Walk, *, turned: bool) -> list[Any]:
    """The rows behind one that may be gone by now, nearest first."""
    rows = [row for row in shop.read(walk.resource) if last is None or row.pk != last.pk]
    if last is None:
        return walk.sorted(rows)
    ordered = walk.sorted([*rows, last])
    ordered = ordered[::-1] if turned else ordered
    return ordered[ordered.index(last) + 1 :]


@st.composite
def _changes(draw: Draw, resource: type[Resource]) -> None:
    """Deletes a row or not, and stores a copy of another or not."""
    model = resource.options.model
    for change in (lambda row: row.delete(), _copy):
        ids = list(model._base_manager.order_by('pk').values_list('pk', flat=True))
        if ids and draw(st.booleans()):
            change(model._base_manager.get(pk=draw(st.sampled_from(ids))))


@pytest.mark.django_db
@pytest.mark.parametrize('descending', [False, True])
def test_floats_that_json_cannot_say_are_keys_like_others(*, descending: bool) -> None:
    strange = [float('inf'), float('-inf'), 0.0, 1e308, 5e-324]
    if connection.vendor == 'postgresql':  # SQLite stores NULL
        strange.append(float('nan'))
    for value in strange * 2:
        make_specimen(required_real=value)
    keys = (SortKey('required_real', descending=descending),)

    pages = _Walk(SpecimenResource, keys, 1).through()

    whole = _Walk(SpecimenResource, keys, 100).through()
    assert [pk for page in pages for pk in page.ids] == whole[0].ids
    assert len(whole[0].ids) == len(strange) * 2


@pytest.mark.django_db
def test_computed_keys_are_compared_with_all_their_digits() -> None:
    for price in ('0.01', '0.02', '0.03', '0.03', '0.07', '0.10', '99.99', '99.98'):
        make_book(price=Decimal(price))
    keys = (SortKey('sixteenth'),)

    pages = _Walk(CardResource, keys, 1).through()

    whole = _Walk(CardResource, keys, 100).through()
    assert [pk for page in pages for pk in page.ids] == whole[0].ids


@pytest.mark.django_db
def test_an_empty_list_has_one_empty_page() -> None:
    (page,) = _Walk(BookResource, (SortKey('price'),), 2).through()

    assert (page.ids, page.more) == ([], False)
