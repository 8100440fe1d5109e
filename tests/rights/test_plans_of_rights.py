"""What rights cost: grants that cannot apply are not in the plan, and no id ever is."""

from random import Random
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q

from backstay.caller import GUEST, Caller, Facts, Held
from backstay.resources import ALL, Grant, level_somewhere
from backstay.resources.declaration.conditions import settle
from backstay.resources.declaration.readable import Readable
from backstay.resources.plan.plan import make_plan
from tests.bookshop.models import Book
from tests.resources.conftest import Declare
from tests.rights.asking import ask, plan_of, query_of
from tests.rights.callers import CALLERS, any_caller
from tests.rights.questions import mask_text, whole_mask
from tests.rights.resources import (
    HOUSES_2,
    HOUSES_3,
    SERVED,
    IssueResource,
    LabelResource,
    OpinionResource,
    RegionResource,
    WorkResource,
)

pytestmark = pytest.mark.django_db


def sql_of(resource: type, caller: Caller, mask: str = '*', **options: Any) -> str:
    """The statement, compiled anew."""
    query = query_of(resource, caller, mask, **options)
    return make_plan(Readable(resource, caller.standing()), query.shape, connection).sql


def test_who_may_read_all_pays_for_no_rights() -> None:
    """A scope over everything is no comparison, and one grant over all rows is no CASE."""
    for caller in (CALLERS['command'], CALLERS['root']):
        sql = sql_of(WorkResource, caller, 'id,title,pages')

        assert 'CASE' not in sql
        assert 'EXISTS' not in sql
        assert 'publisher_id' not in sql


def test_a_grant_of_other_callers_is_not_there() -> None:
    guest, customer = sql_of(WorkResource, GUEST), sql_of(WorkResource, CALLERS['customer'])

    assert 'authors' not in guest
    assert 'authors' in customer


def test_grants_below_one_over_every_row_are_not_there() -> None:
    readable = Readable(LabelResource, CALLERS['root'].standing())

    assert len(readable.grants) == 1
    assert 'CASE' not in sql_of(LabelResource, CALLERS['root'])


def test_equal_shapes_are_one() -> None:
    """Two grants that show the same of what is asked need no CASE."""
    assert 'CASE' not in sql_of(OpinionResource, CALLERS['operator'], 'id,stars', sort='id')
    assert 'CASE' in sql_of(OpinionResource, CALLERS['operator'], 'id,text', sort='id')


@pytest.mark.parametrize(
    ('lower', 'higher', 'asked'),
    [
        (Q(publisher_id__in=HOUSES_2), Q(publisher_id__in=HOUSES_3), ['2']),
        (Q(publisher_id__in=HOUSES_3), Q(publisher_id__in=HOUSES_2), ['3', '2']),
        (Q(publisher_id__in=HOUSES_2), ~Q(publisher_id__in=HOUSES_3), ['2', '3']),
        (Q(publisher_id__in=HOUSES_2), Q(publisher_id__in=HOUSES_3, pages=1), ['2', '3']),
        (
            Q(publisher_id__in=HOUSES_2) | Q(pages=1),
            Q(publisher_id__in=HOUSES_3) | Q(pages=1),
            ['2'],
        ),
    ],
    ids=str,
)
def test_rows_that_a_lower_grant_holds_for_certain_are_not_asked_for_again(
    declare: Declare, lower: Q, higher: Q, asked: list[str]
) -> None:
    grants = (
        Grant(level_somewhere(2), read=ALL, rows=lower),
        Grant(level_somewhere(3), read=ALL, rows=higher),
    )
    resource = declare(Book, 'id', grants=grants)
    caller = CALLERS['manager']

    query = query_of(resource, caller, 'id')
    plan = make_plan(Readable(resource, caller.standing()), query.shape, connection)

    keys = [str(getattr(each, 'key', '')) for each in plan.parameters]
    assert [key[-1] for key in keys if key.startswith('scope:')] == asked


def test_nested_rows_are_written_once_however_many_grants_there_are() -> None:
    """An object for each shape would make the statement grow with the power of its depth."""
    mask = mask_text(whole_mask(RegionResource))
    sql = sql_of(RegionResource, CALLERS['operator'], mask)

    assert sql.count('FROM "bookshop_review"') == 1
    assert len(sql) < 25_000


def test_no_id_is_in_a_statement_or_in_the_key_of_a_plan() -> None:
    texts = set()
    for house in (4_711, 8_123):
        scopes = (Held(over='houses', id=house, level=3),)
        caller = Caller(kind='account', account_id=house + 1, scopes=scopes)
        query = query_of(WorkResource, caller, '*')
        plan = plan_of(WorkResource, caller, query)
        texts.add(plan.sql)

        assert str(house) not in plan.sql + repr(caller.standing()) + repr(query.shape)
        bound = plan.bind(query, Facts(caller, ''))
        assert any(str(house) in str(each) for each in bound)
    assert len(texts) == 1


def test_callers_of_one_standing_share_a_plan() -> None:
    first, second = (
        Caller(kind='account', account_id=key, scopes=(Held(over='houses', id=key, level=2),))
        for key in (1, 2)
    )
    assert plan_of(WorkResource, first, query_of(WorkResource, first)) is plan_of(
        WorkResource, second, query_of(WorkResource, second)
    )


def test_there_are_few_standings() -> None:
    random = Random(1)
    callers = [any_caller(random) for _ in range(2_000)]

    assert len({caller.standing() for caller in callers}) < 200


@pytest.mark.parametrize('name', CALLERS)
def test_a_read_with_rights_is_one_statement(name: str, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        ask(IssueResource, CALLERS[name], '*,printings{*,opinions{*}}', count='exact')


def test_a_complement_of_everything_is_nothing_and_answers() -> None:
    """It once could not be written, and was a server error."""
    root = CALLERS['root']
    (lower,) = (g for g in SERVED['lands'].grants if getattr(g.rows, 'negated', False))

    assert settle(lower.covers(SERVED['lands'].options.model), root.standing()) is False
    assert ask(SERVED['lands'], root, '*').objects == []
