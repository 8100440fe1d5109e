"""Conditions of grants, made at random: every way in which a developer may say which rows."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Length
from django.db.models.lookups import GreaterThan

from backstay.resources import CallerValue, Scope
from tests.cabinet.models import Case, Keyword, Room, Seal, Slip

Condition = Callable[[Random, type[models.Model]], Q]

#: Few values for each column, so that rows share them and conditions tell them apart.
VALUES: dict[str, tuple[Any, ...]] = {
    'owner': (None, 1, 2, 3),
    'name': ('alpha', 'Beta', 'gamma'),
    'notes': ('', 'long', 'secret'),
    'code': ('a', 'b', 'c', 'd', 'e'),
    'mail': ('', 'a@example.com', 'b@example.com'),
    'status': ('open', 'shut', 'lost'),
    'count': (None, 0, 1, 2, 7),
    'grade': (0, 1, 2, 3),
    'ratio': (None, 0.5, 1.5),
    'price': (None, Decimal('1.00'), Decimal('2.50')),
    'is_open': (None, True, False),
    'day': (None, date(2025, 3, 1), date(2026, 3, 1)),
    'opens': (None, time(8), time(13, 30)),
    'closes': (None, time(9), time(18)),
    'begins': (None, datetime(2025, 1, 2, 12, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)),
    'ends': (None, datetime(2025, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, 1, tzinfo=UTC)),
    'span': (None, timedelta(hours=1), timedelta(days=2)),
    'token': (None, UUID(int=1), UUID(int=2)),
    'address': (None, '10.0.0.1', '::1'),
    'blob': (None, b'', b'x'),
    'plan': (None, 'a.txt', 'b.txt'),
    'details': (None, {'color': 'red'}, {'color': 'blue', 'size': 3}, {}),
    'labels': (None, [], ['new'], ['new', 'old']),
    'version': (1, 2, 3),
    'deleted_at': (None, None, None, datetime(2026, 1, 1, tzinfo=UTC)),
}
_COMPARED = ('owner', 'count', 'grade', 'ratio', 'price', 'day', 'opens', 'begins', 'span')
_PAIRS = (('opens', 'closes'), ('begins', 'ends'), ('count', 'grade'), ('grade', 'owner'))


def any_condition(random: Random, model: type[models.Model], depth: int = 2) -> Q:
    """A condition on the rows of a model."""
    kind = random.random()
    if depth and kind < 0.3:
        parts = [any_condition(random, model, depth - 1) for _ in range(2)]
        return parts[0] | parts[1] if kind < 0.15 else parts[0] & parts[1]
    if depth and kind < 0.45:
        return ~any_condition(random, model, depth - 1)
    return random.choice(CONDITIONS)(random, model)


def every_row(_random: Random, _model: type[models.Model]) -> Q:
    return Q()


def value(random: Random, _model: type[models.Model]) -> Q:
    """A column and a constant, of every kind that can be compared."""
    name = random.choice([name for name in VALUES if name not in _NOT_COMPARED])
    known = [each for each in VALUES[name] if each is not None]
    if random.random() < 0.2:
        return Q(**{f'{name}__isnull': random.random() < 0.5})
    if name in _COMPARED and random.random() < 0.5:
        return Q(**{f'{name}__{random.choice(("lt", "lte", "gt", "gte"))}': random.choice(known)})
    if random.random() < 0.3:
        return Q(**{f'{name}__in': random.sample(known, min(2, len(known)))})
    return Q(**{name: random.choice(known)})


_NOT_COMPARED = ('blob', 'details', 'labels', 'version', 'deleted_at', 'plan')


def text(random: Random, _model: type[models.Model]) -> Q:
    return random.choice(
        (Q(name__istartswith='B'), Q(name__contains='a'), Q(notes__endswith='t'), Q(plan='a.txt'))
    )


def part_of_time(random: Random, _model: type[models.Model]) -> Q:
    return random.choice(
        (Q(day__year=2026), Q(begins__year__lt=2026), Q(begins__date=date(2026, 1, 2)))
    )


def member(random: Random, _model: type[models.Model]) -> Q:
    """A member of JSON."""
    return random.choice(
        (Q(details__color='red'), Q(details__has_key='size'), Q(details__size__gt=2))
    )


def scope(random: Random, model: type[models.Model]) -> Q:
    path = {Room: 'id', Case: 'room_id', Keyword: 'owner'}.get(model, 'case__room_id')
    return Q(**{f'{path}__in': Scope('rooms', random.randint(1, 3))})


def own(random: Random, _model: type[models.Model]) -> Q:
    """A value of the caller."""
    return Q(owner=CallerValue('account_id'))


def path_to_one(random: Random, model: type[models.Model]) -> Q:
    if model in (Seal, Slip):
        return random.choice((Q(case__status='open'), Q(case__room__grade__gt=0)))
    return Q(room__is_open=True) if model is Case else value(random, model)


def path_to_many(random: Random, model: type[models.Model]) -> Q:
    paths: dict[type[models.Model], Sequence[Q]] = {
        Room: (Q(cases__status='open'), Q(cases__slips__grade=1)),
        Case: (Q(slips__count__gt=0), Q(keywords__name='alpha'), Q(keywords__isnull=True)),
        Keyword: (Q(cases__status='shut'),),
    }
    return random.choice(paths.get(model, (Q(case__slips__grade=2), Q(case__keywords__grade=1))))


def own_columns(random: Random, model: type[models.Model]) -> Q:
    """Two columns of one row."""
    first, second = random.choice(_PAIRS)
    return random.choice((Q(**{f'{first}__lt': F(second)}), Q(**{f'{second}__gte': F(first)})))


def sum_of_columns(random: Random, _model: type[models.Model]) -> Q:
    return random.choice(
        (Q(count__gt=F('grade') + 1), Q(begins__lt=F('ends') - timedelta(days=30)))
    )


def expression(random: Random, _model: type[models.Model]) -> Q:
    return random.choice(
        (
            Q(GreaterThan(Coalesce(F('count'), Value(0)) + F('grade'), 2)),
            Q(GreaterThan(Length('name'), 4)),
        )
    )


def exists(random: Random, model: type[models.Model]) -> Q:
    """A question about rows of another table."""
    inner = {
        Room: Case._base_manager.filter(room=OuterRef('pk'), status='open'),
        Case: Slip._base_manager.filter(case=OuterRef('pk'), grade__gt=OuterRef('grade')),
        Keyword: Case._base_manager.filter(keywords=OuterRef('pk'), grade=OuterRef('grade')),
        Seal: Slip._base_manager.filter(case=OuterRef('case_id'), is_open=True),
        Slip: Seal._base_manager.filter(case=OuterRef('case_id'), count__gt=OuterRef('grade')),
    }
    return Q(Exists(inner[model]))


def subquery(random: Random, model: type[models.Model]) -> Q:
    inner: dict[type[models.Model], Q] = {
        Room: Q(pk__in=Case._base_manager.filter(is_open=True).values('room_id')),
        Case: Q(pk__in=Slip._base_manager.filter(is_open=True).values('case_id')),
        Keyword: Q(grade__in=Room._base_manager.filter(is_open=True).values('grade')),
    }
    return inner.get(model, Q(case__in=Case._base_manager.filter(status='open').values('pk')))


CONDITIONS: tuple[Condition, ...] = (
    every_row,
    value,
    value,
    text,
    part_of_time,
    member,
    scope,
    scope,
    own,
    path_to_one,
    path_to_many,
    own_columns,
    sum_of_columns,
    expression,
    exists,
    subquery,
)
