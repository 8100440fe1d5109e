"""Moments: one answer, however the database spells what it stores, computes and compares."""

import datetime as dt
import operator
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, models
from django.db.models import F
from django.db.models.functions import Cast, Coalesce, Now, TruncDate

from backstay.resources import Computed, Resource
from tests.bookshop.factories import make_specimen
from tests.bookshop.models import Specimen
from tests.bookshop.resources import SpecimenResource
from tests.resources.asking import ask
from tests.resources.conftest import Declare

pytestmark = pytest.mark.django_db

SECOND = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
#: Moments around one second, some with decimals that end in zeros.
MOMENTS = [
    SECOND + dt.timedelta(microseconds=each)
    for each in (-1_000_000, -1, 0, 1, 999, 1_000, 1_001, 120_000, 123_000, 123_456, 999_000)
]
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    '==': operator.eq,
    '!=': operator.ne,
    '<': operator.lt,
    '<=': operator.le,
    '>': operator.gt,
    '>=': operator.ge,
}


@pytest.fixture
def stored() -> list[dt.datetime]:
    """The moments, each in every spelling that SQLite or Django may have written."""
    found = []
    for moment in MOMENTS:
        digits = f'{moment.microsecond:06d}'
        for decimals in (0, 3, 6):
            if digits[decimals:].strip('0') or (decimals == 6 and not moment.microsecond):
                continue  # digits would be lost; and Django never writes six zeros
            row = make_specimen(moment=moment, clock=moment.time())
            found.append(moment)
            if connection.vendor == 'sqlite':
                spelled = f'{moment:%H:%M:%S}' + (f'.{digits[:decimals]}' if decimals else '')
                table = Specimen._meta.db_table
                with connection.cursor() as cursor:
                    cursor.execute(
                        f'UPDATE {table} SET moment = %s, clock = %s WHERE id = %s',
                        [f'2026-01-02 {spelled}', spelled, row.pk],
                    )
    return found


def _text(moment: dt.datetime) -> str:
    return moment.isoformat().replace('+00:00', 'Z')


@pytest.mark.parametrize('name', ['moment', 'clock'])
@pytest.mark.parametrize('op', OPERATORS)
def test_a_moment_is_compared_whatever_its_spelling(
    stored: list[dt.datetime], name: str, op: str
) -> None:
    for value in MOMENTS:
        asked = _text(value) if name == 'moment' else value.time().isoformat()
        found = ask(
            SpecimenResource, 'id', filter={'field': name, 'op': op, 'value': asked}, count='exact'
        )
        expected = [OPERATORS[op](each, value) for each in stored]
        assert found.count == sum(expected), value


@pytest.mark.parametrize('op', ['in', 'not_in'])
@pytest.mark.parametrize('name', ['moment', 'clock'])
def test_a_moment_is_found_in_a_list_whatever_its_spelling(
    stored: list[dt.datetime], name: str, op: str
) -> None:
    listed = MOMENTS[2:9:2]
    asked = [_text(each) if name == 'moment' else each.time().isoformat() for each in listed]

    found = ask(SpecimenResource, 'id', filter={'field': name, 'op': op, 'value': asked}).objects

    assert len(found) == sum((each in listed) is (op == 'in') for each in stored)


@pytest.mark.parametrize('name', ['moment', 'clock'])
def test_a_moment_is_shown_alike_and_found_by_what_is_shown(
    stored: list[dt.datetime], name: str
) -> None:
    shown = ask(SpecimenResource, name, sort='id').values(name)

    texts = [_text(each) if name == 'moment' else each.time().isoformat() for each in stored]
    assert shown == texts
    for text in {*shown}:
        asked = {'field': name, 'value': text}
        assert len(ask(SpecimenResource, 'id', filter=asked).objects) == shown.count(text)


@pytest.mark.parametrize('name', ['moment', 'clock'])
@pytest.mark.parametrize('sign', ['', '-'])
def test_a_walk_by_a_moment_meets_every_row_once(
    stored: list[dt.datetime], name: str, sign: str
) -> None:
    assert sorted(_walked(SpecimenResource, f'{sign}{name}')) == sorted(
        Specimen._base_manager.values_list('pk', flat=True)
    )


def _walked(resource: type[Resource], sort: str) -> list[int]:
    """The keys of all rows, met one page of one row after the other."""
    found: list[int] = []
    kind = resource.fields()[sort.lstrip('-')].kind
    answer = ask(resource, 'id', sort=sort, limit=1, cursor=True)
    for _ in range(100):
        if not answer.objects:
            return found
        found += answer.values()
        key, pk = answer.keys[-1]
        answer = ask(resource, 'id', sort=sort, limit=1, after=[kind.from_key(key), pk])
    raise AssertionError('the walk does not end')


def test_what_the_database_writes_is_walked_and_found() -> None:
    for _ in range(5):
        make_specimen()
    for row in Specimen._base_manager.all():
        Specimen._base_manager.filter(pk=row.pk).update(moment=Now())

    for sign in ('', '-'):
        assert len(_walked(SpecimenResource, f'{sign}moment')) == 5
    for text in ask(SpecimenResource, 'moment').values('moment'):
        assert ask(SpecimenResource, 'id', filter={'field': 'moment', 'value': text}).objects


def test_what_is_computed_is_shown_found_and_walked_alike(
    declare: Declare, stored: list[dt.datetime]
) -> None:
    either = Coalesce('moment', Now())
    made = declare(
        Specimen,
        'id',
        either=Computed(either, models.DateTimeField()),
        later=Computed(F('moment') + dt.timedelta(days=1), models.DateTimeField()),
        clock_of=Computed(Cast('moment', models.TimeField()), models.TimeField()),
        day_of=Computed(TruncDate('moment'), models.DateField()),
    )
    for name in ('either', 'later', 'day_of', 'clock_of'):
        shown = ask(made, name).values(name)
        for text in {*shown}:
            asked = {'field': name, 'value': text}
            assert len(ask(made, 'id', filter=asked).objects) == shown.count(text), (name, text)
        assert len(_walked(made, f'-{name}')) == len(stored)


@pytest.mark.parametrize('op', ['==', '>=', '<='])
def test_a_duration_that_is_computed_is_found_by_what_is_shown(declare: Declare, op: str) -> None:
    for microseconds in (7, 9, 10):
        make_specimen(span=dt.timedelta(microseconds=microseconds))
    made = declare(
        Specimen,
        'id',
        longer=Computed(F('span') * 1.5, models.DurationField()),
    )
    shown = ask(made, 'longer', sort='longer').values('longer')
    asked = {'field': 'longer', 'op': op, 'value': shown[1]}

    assert shown == ['00:00:00.000010', '00:00:00.000014', '00:00:00.000015']
    assert len(ask(made, 'id', filter=asked).objects) == {'==': 1, '>=': 2, '<=': 2}[op]
    assert len(_walked(made, 'longer')) == 3
