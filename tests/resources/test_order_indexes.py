"""Declared orders that no index serves are told, and those that one serves are not."""

from typing import Any

import pytest
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Collate

from backstay.engine import Bytewise, engine_of
from backstay.resources import ALL, Computed, Grant, Resource, anyone
from backstay.resources.declaration import registry
from backstay.resources.order_indexes import check_order

pytestmark = pytest.mark.django_db


class Sorted(models.Model):
    """Columns with indexes of every kind."""

    id = models.AutoField(primary_key=True)
    rank = models.IntegerField()
    size = models.IntegerField()
    code = models.CharField(max_length=10, unique=True)
    number = models.IntegerField(unique=True)
    name = models.CharField(max_length=10)
    raw = models.CharField(max_length=10, db_index=True)
    some = models.IntegerField()
    title = models.CharField(max_length=10)
    last = models.IntegerField()

    class Meta:
        app_label = 'unmade'
        indexes = (
            models.Index(fields=('rank', '-size', 'id'), name='sorted_rank'),
            models.Index(Bytewise(F('name')), F('id').desc(), name='sorted_name'),
            models.Index(fields=('some',), condition=Q(rank=1), name='sorted_some'),
            models.Index(F('size') + 1, name='sorted_computed'),
            models.Index(Collate(F('title'), 'C'), F('id').asc(), name='sorted_title'),
            models.Index(F('last'), F('size') + 1, name='sorted_last'),
        )
        constraints = (models.UniqueConstraint(fields=('size', 'rank'), name='sorted_size'),)

    def __str__(self) -> str:
        return self.name


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, '_registry', {})


def found(*ordering: str, **options: Any) -> list[str]:
    meta = {
        'model': Sorted,
        'fields': ('id', 'rank', 'size', 'code', 'number', 'name', 'raw', 'some', 'title', 'last'),
        'ordering': ordering,
        **options,
    }
    declared = {
        'alias': Computed(F('rank'), models.IntegerField()),
        'more': Computed(F('rank') + 1, models.IntegerField()),
    }
    members = {'Meta': type('Meta', (), meta), 'grants': (Grant(anyone, read=ALL),), **declared}
    return [each.id or '' for each in check_order(type('SortedResource', (Resource,), members))]


@pytest.mark.parametrize(
    'ordering',
    [
        ('id',),
        ('-pk',),
        ('rank',),
        ('-rank', 'size', '-id'),
        ('alias', '-size'),
        ('size', 'rank', 'id'),  # no two rows are equal in the first two
        ('-number', 'some'),
        ('name', '-id'),
        ('-name', 'id'),
        ('title', 'id'),
        ('-last',),  # the index goes on with an expression
    ],
)
def test_orders_that_an_index_has(ordering: tuple[str, ...]) -> None:
    assert found(*ordering) == []


@pytest.mark.parametrize(
    'ordering',
    [
        ('rank', 'size'),
        ('-rank', '-size'),
        ('rank', 'id'),
        ('some',),
        ('more',),
        ('name', 'id'),
        ('size', '-rank'),
        ('last', 'size'),
    ],
)
def test_orders_that_none_has(ordering: tuple[str, ...]) -> None:
    assert found(*ordering) == ['backstay.W054']
    assert found(*ordering, short_lists=True) == []


@pytest.mark.parametrize('ordering', [('code',), ('raw',)])
def test_texts_need_an_index_of_their_bytes_where_the_engine_has_another_order(
    ordering: tuple[str, ...],
) -> None:
    is_served = engine_of(connection).sorts_text_bytewise
    assert found(*ordering) == ([] if is_served else ['backstay.W054'])
