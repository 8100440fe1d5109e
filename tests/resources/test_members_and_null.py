"""Members of JSON, elements of arrays, and what NULL does to a comparison, on both engines."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, models
from django.test.utils import isolate_apps

from backstay.resources import Resource
from backstay.resources.query.nodes import Leaf, Not, Op
from tests.bookshop.factories import make_book, make_specimen
from tests.bookshop.resources import BookResource, SpecimenResource
from tests.resources.asking import ask, ask_where
from tests.resources.conftest import Declare

pytestmark = pytest.mark.django_db

on_postgresql = connection.vendor == 'postgresql'


_DOCUMENTS: dict[str, Any] = {
    'true': {'a': True},
    'one': {'a': 1},
    'one_point': {'a': 1.0},
    'text_one': {'a': '1'},
    'text_true': {'a': 'true'},
    'null': {'a': None},
    'missing': {'b': 1},
    'object': {'a': {}},
    'array': {'a': []},
    'array_of_one': {'a': [1]},
    'list': ['a'],
    'scalar': 'a',
    'nothing': None,
}
_SCALARS = {'true', 'one', 'one_point', 'text_one', 'text_true'}
_KNOWN = _SCALARS | {'object', 'array', 'array_of_one'}


@pytest.mark.parametrize(
    ('op', 'value', 'matching'),
    [
        (Op.EQ, 1, {'one', 'one_point'}),
        (Op.EQ, True, {'true'}),
        (Op.EQ, '1', {'text_one'}),
        (Op.EQ, 'true', {'text_true'}),
        (Op.EQ, '{}', set()),
        (Op.EQ, '[]', set()),
        (Op.IN, [1, '1'], {'one', 'one_point', 'text_one'}),
        (Op.IN, [True], {'true'}),
        (Op.IN, ['{}', '[1]', '[]'], set()),
    ],
)
def test_members_of_documents_are_compared_by_type_and_value(
    op: Op, value: Any, matching: set[str]
) -> None:
    for title, document in _DOCUMENTS.items():
        make_book(title=title, metadata=document)
    leaf = Leaf(field='metadata', member='a', op=op, slot=0)

    for where, titles in ((leaf, matching), (Not(leaf), _KNOWN - matching)):
        found = ask_where(BookResource, where, value, mask='title')
        assert {each['title'] for each in found} == titles


def test_a_member_is_null_where_it_is_missing() -> None:
    for title, document in _DOCUMENTS.items():
        make_book(title=title, metadata=document)

    missing = {'field': 'metadata.a', 'op': 'is_null'}
    there = {'field': 'metadata.a', 'op': 'is_not_null'}

    assert set(ask(BookResource, filter=missing).values('title')) == set(_DOCUMENTS) - _KNOWN
    assert set(ask(BookResource, filter=there).values('title')) == _KNOWN


def test_members_with_letters_beyond_ascii_are_found() -> None:
    make_book(metadata={'größe': 'x'})

    for spec in ({'value': 'x'}, {'op': 'in', 'value': ['x']}, {'op': 'is_not_null'}):
        assert len(ask(BookResource, filter={'field': 'metadata.größe', **spec}).objects) == 1


@pytest.mark.parametrize(
    ('value', 'matching'),
    [
        (1, {'numbers'}),
        (True, {'truths'}),
        ('1', {'texts'}),
        ('true', {'texts'}),
        ('[1]', set()),
        (2, set()),
    ],
)
def test_elements_of_arrays_are_compared_by_type_and_value(value: Any, matching: set[str]) -> None:
    arrays = {
        'numbers': [1, 1.5],
        'truths': [True],
        'texts': ['1', 'true'],
        'nested': [[1]],
        'empty': [],
        'null': [None],
        'nothing': None,
    }
    for title, labels in arrays.items():
        make_book(title=title, labels=labels)

    for op, titles in (('any', matching), ('not_any', set(arrays) - matching - {'nothing'})):
        spec = {'field': 'labels', 'op': op, 'value': value}
        assert set(ask(BookResource, filter=spec).values('title')) == titles


@pytest.mark.parametrize(
    ('op', 'value', 'matching'),
    [
        ('in', [], []),
        ('in', [1], [1]),
        ('not_in', [], [None, 1, 2]),
        ('not_in', [1], [2]),
        ('!=', 1, [2]),
    ],
)
def test_null_is_in_no_list_and_out_of_none(
    op: str, value: Any, matching: list[int | None]
) -> None:
    for pages in (None, 1, 2):
        make_book(pages=pages)

    spec = {'field': 'pages', 'op': op, 'value': value}
    assert ask(BookResource, 'pages', filter=spec, sort='id').values('pages') == matching


def test_truths_are_found_as_truths() -> None:
    for truth in (None, True, False):
        make_specimen(truth=truth)

    for op, value, found in (('==', True, [True]), ('!=', True, [False]), ('in', [False], [False])):
        spec = {'field': 'truth', 'op': op, 'value': value}
        assert ask(SpecimenResource, 'truth', filter=spec).values('truth') == found


# Arrays of PostgreSQL.


@pytest.fixture
def arrays(declare: Declare) -> type[Resource]:
    """A resource with arrays of several types; SQLite has none."""
    if not on_postgresql:
        pytest.skip('SQLite has no arrays')
    from django.contrib.postgres.fields import ArrayField

    with isolate_apps('tests.bookshop'):

        class Shelf(models.Model):
            words = ArrayField(models.CharField(max_length=20, null=True), null=True)
            numbers = ArrayField(models.IntegerField(), default=list)
            reals = ArrayField(models.FloatField(), default=list)
            prices = ArrayField(
                models.DecimalField(max_digits=6, decimal_places=2, null=True), default=list
            )
            moments = ArrayField(models.DateTimeField(), default=list)
            spans = ArrayField(models.DurationField(), default=list)
            uuids = ArrayField(models.UUIDField(), default=list)

            class Meta:
                app_label = 'bookshop'

            def __str__(self) -> str:
                return f'shelf {self.pk}'

    with connection.schema_editor() as editor:
        editor.create_model(Shelf)
    return declare(Shelf, *(field.name for field in Shelf._meta.fields))


def test_elements_of_arrays_are_written_like_values(arrays: type[Resource]) -> None:
    shelves = arrays.options.model._base_manager
    shelves.create(
        words=['a"b', 'c,d', '{}', None, '\\', ''],
        numbers=[1, -2],
        reals=[0.1 + 0.2, float('inf')],
        prices=[Decimal('1.50'), None],
        moments=[dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)],
        spans=[dt.timedelta(hours=-36), dt.timedelta(0)],
        uuids=[UUID(int=1)],
    )
    empty = shelves.create()

    first, second = ask(arrays, '*', sort='id').objects

    del first['id']
    assert first == {
        'words': ['a"b', 'c,d', '{}', None, '\\', ''],
        'numbers': [1, -2],
        'reals': [0.1 + 0.2, None],
        'prices': ['1.50', None],
        'moments': ['2026-01-02T03:04:05Z'],
        'spans': ['-2 12:00:00', '00:00:00'],
        'uuids': ['00000000-0000-0000-0000-000000000001'],
    }
    assert second == {name: [] for name in first} | {'id': empty.pk, 'words': None}


def test_elements_of_arrays_are_asked_for_by_their_type(arrays: type[Resource]) -> None:
    shelves = arrays.options.model._base_manager
    one = shelves.create(words=['a', None], prices=[Decimal('1.50')])
    other = shelves.create(words=['b'], prices=[])
    shelves.create(words=None)

    for name, op, value, found in (
        ('words', 'any', 'a', [one.pk]),
        ('words', 'not_any', 'a', [other.pk]),
        ('prices', 'any', '1.5', [one.pk]),
    ):
        spec = {'field': name, 'op': op, 'value': value}
        assert ask(arrays, 'id', filter=spec, sort='id').values() == found
