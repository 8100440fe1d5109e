"""Columns that the database computes: each is as the field of its output, everywhere."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import models
from django.db.models import F
from django.db.models.functions import TruncDate
from django.utils import timezone

from backstay.resources import Computed, Resource, kinds
from backstay.resources.errors import DeclarationError
from backstay.resources.kinds.registered import own_conversions
from tests.bookshop.models import Bill, Book, Specimen
from tests.resources.asking import ask
from tests.resources.conftest import Declare

pytestmark = pytest.mark.django_db

MONEY = models.DecimalField(max_digits=12, decimal_places=2)
FIELDS = ('id', 'total', 'half', 'is_dear', 'same_day', 'made_at', 'made_on')


@pytest.fixture
def bills(declare: Declare) -> type[Resource]:
    """Bills whose totals binary arithmetic gets wrong."""
    for price, amount in (('0.10', 3), ('0.70', 3), ('19.99', 3), ('1.15', 100), ('10.00', 7)):
        Bill._base_manager.create(price=Decimal(price), amount=amount, day='2026-01-02')
    return declare(
        Bill,
        *FIELDS,
        again=Computed(
            F('price') * F('amount'), models.DecimalField(max_digits=12, decimal_places=2)
        ),
        since=Computed(TruncDate('made_at'), models.DateField()),
    )


def test_a_generated_column_has_the_kind_and_the_form_of_its_output(
    bills: type[Resource],
) -> None:
    found = [bills.fields()[name].kind for name in FIELDS[1:]]
    assert found == [
        kinds.DECIMAL,
        kinds.FLOAT,
        kinds.BOOLEAN,
        kinds.DATE,
        kinds.DATETIME,
        kinds.DATE,
    ]
    first = ask(bills, 'total,half,is_dear,same_day', sort='id', limit=1)
    assert first.objects == [
        {'total': '0.30', 'half': 1.5, 'is_dear': False, 'same_day': '2026-01-02'}
    ]


@pytest.mark.parametrize('name', [*FIELDS[1:], 'again', 'since'])
def test_every_value_that_is_shown_is_found_and_walked(bills: type[Resource], name: str) -> None:
    shown = ask(bills, name).values(name)

    assert len(shown) == 5
    assert None not in shown
    for value in shown:
        for asked in ({'value': value}, {'op': 'in', 'value': [value]}):
            found = ask(bills, 'id', filter={'field': name, **asked}).objects
            assert len(found) == shown.count(value), (name, asked)
    met: list[Any] = []
    answer = ask(bills, 'id', sort=name, limit=2, cursor=True)
    while answer.objects:
        met += answer.values()
        key, pk = answer.keys[-1]
        kind = bills.fields()[name].kind
        answer = ask(bills, 'id', sort=name, limit=2, after=[kind.from_key(key), pk])
    assert len(met) == len({*met}) == 5


@pytest.mark.parametrize('name', ['total', 'again'])
def test_a_product_of_decimals_is_found_by_what_is_shown_of_it(
    bills: type[Resource], name: str
) -> None:
    for op, count in (('==', 1), ('>=', 5), ('<=', 1), ('!=', 4), ('>', 4), ('<', 0)):
        asked = {'field': name, 'op': op, 'value': '0.30'}
        assert len(ask(bills, 'id', filter=asked).objects) == count, op


def test_a_date_whose_default_is_a_moment_is_a_date(bills: type[Resource]) -> None:
    today = timezone.now().date().isoformat()

    for text in ask(bills, 'made_on').texts:
        assert len(json.loads(text)['made_on']) == 10
    asked = {'field': 'made_on', 'op': '<=', 'value': today}
    assert len(ask(bills, 'id', filter=asked).objects) == 5


# Columns that convert their values in Python.


class Reversed(models.CharField):
    """Text that is stored backwards."""

    def from_db_value(self, value: Any, *_: Any) -> Any:
        return value and value[::-1]

    def get_prep_value(self, value: Any) -> Any:
        return value and value[::-1]


class Shorter(Reversed):
    """One that says nothing of its own."""


class Labelled(models.CharField):
    """Text like any other."""

    description = 'text'


@pytest.mark.parametrize('column', [Reversed(), Shorter()])
def test_a_column_that_converts_in_python_is_refused(
    declare: Declare, column: models.Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    column.set_attributes_from_name('title')
    fields = [column if each.name == 'title' else each for each in Book._meta.concrete_fields]
    monkeypatch.setattr(Book._meta, 'concrete_fields', fields)
    made = declare(Book, 'id', 'title')

    with pytest.raises(DeclarationError, match='from_db_value, get_prep_value'):
        made.fields()


def test_columns_of_django_and_those_that_change_no_value_are_taken() -> None:
    assert own_conversions(Labelled()) == []
    assert not any(own_conversions(column) for column in Specimen._meta.concrete_fields)


def test_a_column_with_a_kind_of_its_own_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    from backstay.resources.kinds import registered

    monkeypatch.setitem(registered._BY_COLUMN, Reversed, kinds.TEXT)

    assert own_conversions(Reversed()) == own_conversions(Shorter()) == []
