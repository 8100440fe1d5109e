"""Moments: one answer, however the database spells what it stores, computes and compares."""

import datetime as dt
import json
import operator
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, models
from django.db.models import Case, Exists, ExpressionWrapper, F, OuterRef, Q, Subquery, When
from django.db.models.functions import Cast, Coalesce, Now, TruncDate

from backstay.caller import Caller
from backstay.resources import ALL, CallerValue, Computed, Grant, Resource, anyone
from backstay.resources.reading import read_rows
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


#: Ways in which a declaration compares a moment of its row with that of another row, as a
#: condition: each takes the name of the column, the lookup, the other row, and its value.
SAID: dict[str, Callable[[str, str, int, Any], Any]] = {
    'with a constant': lambda name, lookup, _, value: Q(**{f'{name}__{lookup}': value}),
    'with an expression': lambda name, lookup, pk, _: Q(
        **{f'{name}__{lookup}': Subquery(Specimen.objects.filter(pk=pk).values(name))}
    ),
    'with the caller': lambda name, lookup, *_: Q(**{f'{name}__{lookup}': CallerValue('moment')}),
    'in a subquery': lambda name, lookup, pk, _: Exists(
        Specimen.objects.filter(pk=OuterRef('pk')).filter(
            **{f'{name}__{lookup}': Subquery(Specimen.objects.filter(pk=pk).values(name))}
        )
    ),
    'in a CASE': lambda name, lookup, _, value: ExpressionWrapper(
        Q(Case(When(**{f'{name}__{lookup}': value}, then=True), default=False)),
        models.BooleanField(),
    ),
    'in a list': lambda name, _lookup, _pk, value: Q(**{f'{name}__in': [value]}),
    'among rows': lambda name, _lookup, pk, _value: Q(
        **{f'{name}__in': Specimen.objects.filter(pk=pk).values(name)}
    ),
    'in a range': lambda name, _lookup, _pk, value: Q(**{f'{name}__range': (value, value)}),
}
LOOKUPS = {'exact': '==', 'lt': '<', 'lte': '<=', 'gt': '>', 'gte': '>='}


@pytest.mark.parametrize('name', ['moment', 'clock'])
@pytest.mark.parametrize('way', SAID)
def test_a_declaration_compares_moments_and_not_their_spellings(
    stored: list[dt.datetime], declare: Declare, name: str, way: str
) -> None:
    keys = list(Specimen.objects.order_by('pk').values_list('pk', flat=True))
    values = stored if name == 'moment' else [each.time() for each in stored]
    for at in range(0, len(stored), 4):
        for lookup, op in LOOKUPS.items():
            if lookup != 'exact' and way in ('in a list', 'among rows', 'in a range'):
                continue
            condition = SAID[way](name, lookup, keys[at], values[at])
            rows = condition if isinstance(condition, Q) else Q(condition)
            made = declare(Specimen, 'id', grants=(Grant(anyone, read=ALL, rows=rows),))
            caller = Caller(facts={'moment': values[at]})
            expected = [
                key
                for key, each in zip(keys, values, strict=True)
                if OPERATORS[op](each, values[at])
            ]
            found = read_rows(made, caller, ordering='id', mask='id').objects
            assert [json.loads(each)['id'] for each in found] == expected, (lookup, values[at])


def test_now_is_no_earlier_than_what_was_written_at_it(declare: Declare) -> None:
    """SQLite's `Now()` has three decimals, where Django writes six."""
    row = make_specimen()
    Specimen._base_manager.filter(pk=row.pk).update(moment=Now())
    before = declare(Specimen, 'id', grants=(Grant(anyone, read=ALL, rows=Q(moment__lte=Now())),))
    same = declare(
        Specimen,
        'id',
        was=Computed(Q(moment__gte=F('moment'), moment__lte=F('moment')), models.BooleanField()),
    )
    assert ask(before, 'id').values() == [row.pk]
    assert ask(same, 'was').values('was') == [True]


def test_a_comparison_with_a_moment_uses_an_index() -> None:
    if connection.vendor != 'sqlite':
        pytest.skip('PostgreSQL compares moments itself')
    table = Specimen._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE INDEX moments_of_a_test ON {table} (moment)')
    for value in (SECOND, Now()):
        plan = Specimen.objects.filter(moment__lt=value).values('pk').explain()
        assert 'moments_of_a_test' in plan, plan
