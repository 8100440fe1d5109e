"""`read_rows`: a read in Python, with the caller's grants, as over HTTP."""

import json
from typing import Any

import pytest

from backstay.caller import GUEST, Caller, Held
from backstay.resources import FilterError, read_rows
from tests.lending.models import Branch, Item
from tests.lending.resources import ItemResource


@pytest.fixture
def items(db: None) -> Branch:
    branch = Branch.objects.create(name='North')
    for number, status in enumerate(('open', 'draft', 'open', 'open')):
        Item.objects.create(
            branch=branch, code=f'c{number}', title=f'Title {number}', status=status, price=number
        )
    return branch


def codes(caller: Caller = GUEST, **asked: Any) -> list[str]:
    rows = read_rows(ItemResource, caller, mask='code', **asked)
    return [json.loads(each)['code'] for each in rows.objects]


def test_it_gives_what_the_caller_may_see(items: Branch) -> None:
    keeper = Caller(kind='account', account_id=1, scopes=(Held(over='branches', level=3),))

    assert codes() == ['c0', 'c2', 'c3']
    assert codes(keeper) == ['c0', 'c1', 'c2', 'c3']


def test_it_takes_filter_order_and_page(items: Branch) -> None:
    dear = [{'field': 'price', 'op': '>=', 'value': 1}]

    assert codes(filter=dear, ordering='-price') == ['c3', 'c2']
    assert codes(filter={'field': 'code', 'value': 'c0'}) == ['c0']
    assert codes(limit=1, offset=1) == ['c2']
    assert codes(limit=10, offset=2**40) == []


def test_it_counts_when_asked(items: Branch, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        rows = read_rows(ItemResource, GUEST, limit=1, offset=9, count=True)

    assert (rows.objects, rows.count) == ([], 3)
    assert read_rows(ItemResource, GUEST, limit=1).count is None


def test_what_a_caller_may_not_see_cannot_be_asked(items: Branch) -> None:
    with pytest.raises(FilterError, match='no column `cost`'):
        codes(filter=[{'field': 'cost', 'value': 1}])
