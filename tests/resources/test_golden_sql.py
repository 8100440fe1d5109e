"""The exact SQL of each feature, on both engines; no database is asked.

    REWRITE_GOLDEN_SQL=1 python -m pytest tests/resources/test_golden_sql.py

writes the files anew. Review what changed in them like code.
"""

import os
import re
from pathlib import Path
from typing import Any

import django
import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import DatabaseWrapper as PostgreSQL
from django.db.backends.sqlite3.base import DatabaseWrapper as SQLite

from backstay.engine.slots import Parameter
from backstay.resources import Resource
from tests.bookshop.resources import (
    AuthorResource,
    BillResource,
    BookResource,
    CountryResource,
    EditionResource,
    PublisherResource,
    SpecimenResource,
    VolumeResource,
)
from tests.resources.asking import plan_of, query_of

#: Another version of Django sets other brackets and aliases.
pytestmark = LOCKED = pytest.mark.skipif(
    django.VERSION >= (6,), reason='the golden text is that of the Django in the lock'
)

_GOLDEN = Path(__file__).parent / 'golden'
_SETTINGS = {'NAME': 'nowhere', 'TIME_ZONE': None, 'OPTIONS': {}}
ENGINES: dict[str, BaseDatabaseWrapper] = {
    'postgresql': PostgreSQL(_SETTINGS, 'golden'),
    'sqlite': SQLite(_SETTINGS, 'golden'),
}


def _leaf(field: str, op: str = '==', value: Any = None, **more: str) -> dict[str, Any]:
    return {'field': field, 'op': op, 'value': value, **more}


_SOME = {'some': {'model': 'Edition', 'where': [_leaf('stock', '>', 5)]}}
_NONE = {'none': {'model': 'Edition', 'where': [_leaf('stock', '>', 5)]}}
_NESTED = {
    'some': {
        'model': 'Edition',
        'where': [{'none': {'model': 'Review', 'where': [_leaf('stars', '<', 3)]}}],
    }
}
_OF_EDITION = {'model': 'Edition'}
_OF_PUBLISHER = {'model': 'Publisher'}

CASES: dict[str, tuple[type[Resource], dict[str, Any]]] = {
    # Masks.
    'mask_id': (BookResource, {'mask': 'id'}),
    'mask_empty': (BookResource, {'mask': '{}'}),
    'mask_default': (BookResource, {}),
    'mask_of_every_type': (SpecimenResource, {'mask': '*'}),
    'mask_of_a_new_kind': (BillResource, {'mask': 'fee'}),
    'mask_json_members': (BookResource, {'mask': 'id,metadata{color}'}),
    'mask_array': (BookResource, {'mask': 'labels'}),
    'mask_computed': (BookResource, {'mask': 'double_price'}),
    'mask_url': (BookResource, {'mask': 'url'}),
    'mask_in_python': (BookResource, {'mask': 'shouted'}),
    'mask_one_nullable': (BookResource, {'mask': 'id,publisher'}),
    'mask_one_required': (VolumeResource, {'mask': 'id,book{title}'}),
    'mask_one_in_one': (BookResource, {'mask': 'publisher{country{name}}'}),
    'mask_one_reverse': (AuthorResource, {'mask': 'name,biography'}),
    'mask_computed_in_one': (VolumeResource, {'mask': 'book{third}'}),
    'mask_children': (BookResource, {'mask': 'id,editions{isbn}'}),
    'mask_children_of_children': (BookResource, {'mask': 'editions{reviews{stars}}'}),
    'mask_many_to_many': (BookResource, {'mask': 'tags'}),
    'mask_one_in_many': (BookResource, {'mask': 'authors{biography{words}}'}),
    'mask_everything': (BookResource, {'mask': '*'}),
    # Filters.
    'filter_equal': (BookResource, {'filter': _leaf('status', '==', 'active')}),
    'filter_unequal': (BookResource, {'filter': _leaf('pages', '!=', 3)}),
    'filter_null': (BookResource, {'filter': _leaf('price', 'is_null')}),
    'filter_not_null': (BookResource, {'filter': _leaf('price', 'is_not_null')}),
    'filter_decimal': (BookResource, {'filter': _leaf('price', '>=', '9.99')}),
    'filter_text_order': (BookResource, {'filter': _leaf('title', '<', 'M')}),
    'filter_datetime': (BookResource, {'filter': _leaf('created_at', '<', '2026-01-01')}),
    'filter_by_a_new_kind': (BillResource, {'filter': _leaf('fee', '>=', '9.99'), 'sort': 'fee'}),
    'filter_datetime_equal': (BookResource, {'filter': _leaf('created_at', '==', '2026-01-01')}),
    'filter_in': (BookResource, {'filter': _leaf('pages', 'in', [1, 2])}),
    'filter_not_in': (BookResource, {'filter': _leaf('price', 'not_in', ['1.00'])}),
    'filter_like': (BookResource, {'filter': _leaf('title', 'like', 'A%')}),
    'filter_ilike': (BookResource, {'filter': _leaf('title', 'ilike', '%a%')}),
    'filter_not_ilike': (BookResource, {'filter': _leaf('title', 'not_ilike', '%a%')}),
    'filter_any': (BookResource, {'filter': _leaf('labels', 'any', 'new')}),
    'filter_not_any': (BookResource, {'filter': _leaf('labels', 'not_any', 'new')}),
    'filter_json_member': (BookResource, {'filter': _leaf('metadata.color', '==', 'red')}),
    'filter_json_member_in': (BookResource, {'filter': _leaf('metadata.color', 'in', ['red'])}),
    'filter_json_member_null': (BookResource, {'filter': _leaf('metadata.color', 'is_null')}),
    'filter_computed': (BookResource, {'filter': _leaf('double_price', '>', 30)}),
    'filter_or_not': (
        BookResource,
        {'filter': {'or': [_leaf('pages', '>', 9), {'not': [_leaf('status', '==', 'draft')]}]}},
    ),
    'filter_model_children': (
        BookResource,
        {'filter': [_leaf('stock', '>', 5, **_OF_EDITION), _leaf('pages', '>', 9)]},
    ),
    'filter_two_models': (
        BookResource,
        {
            'filter': {
                'or': [
                    _leaf('stock', '>', 5, **_OF_EDITION),
                    _leaf('name', '==', 'x', **_OF_PUBLISHER),
                    _leaf('pages', '>', 9),
                ]
            }
        },
    ),
    'filter_model_many_to_many': (
        BookResource,
        {'filter': _leaf('label', '==', 'x', model='Tag')},
    ),
    'filter_model_computed': (VolumeResource, {'filter': _leaf('third', '>', 1, model='Card')}),
    'filter_some': (BookResource, {'filter': _SOME}),
    'filter_none': (BookResource, {'filter': _NONE}),
    'filter_none_in_some': (BookResource, {'filter': _NESTED}),
    # Orders.
    'order_default': (EditionResource, {'mask': 'id'}),
    'order_nulls': (
        BookResource,
        {'sort': [{'field': 'price', 'direction': 'desc', 'nullslast': True}]},
    ),
    'order_text': (BookResource, {'sort': '-title'}),
    'order_related': (BookResource, {'sort': 'publisher.name,-pages'}),
    'order_computed': (BookResource, {'sort': 'double_price'}),
    # Pages and counts.
    'page_offset': (BookResource, {'limit': 2, 'offset': 4}),
    'page_one_row': (BookResource, {'one': 7}),
    'page_one_row_by_text': (CountryResource, {'mask': 'name', 'one': 'de'}),
    'page_every_row': (PublisherResource, {'limit': None}),
    'page_first_by_cursor': (BookResource, {'cursor': True}),
    'page_after': (EditionResource, {'after': [1, 7]}),
    'page_before': (EditionResource, {'before': [1, 7]}),
    'page_after_mixed': (BookResource, {'sort': 'slug,-pages', 'after': ['x', 3, 7]}),
    'page_after_null': (BookResource, {'sort': 'price', 'after': [None, 7]}),
    'count_exact': (BookResource, {'count': 'exact'}),
    'count_estimate': (BookResource, {'count': 'estimate'}),
    'count_filtered': (
        BookResource,
        {'count': 'exact', 'filter': _SOME, 'mask': 'id,publisher{name},editions{isbn}'},
    ),
}


@pytest.mark.parametrize('engine', ENGINES)
@pytest.mark.parametrize('name', CASES)
def test_the_sql_is_what_was_reviewed(name: str, engine: str) -> None:
    resource, options = CASES[name]
    options = {'mask': 'id', **options} if not name.startswith('mask') else options
    plan = plan_of(resource, query_of(resource, **options), ENGINES[engine])
    text = f'{broken(plan.sql)}\n-- {shown(plan.parameters)}\n'
    path = _GOLDEN / engine / f'{name}.sql'
    if os.environ.get('REWRITE_GOLDEN_SQL'):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def test_every_golden_file_belongs_to_a_case() -> None:
    files = {(path.parent.name, path.stem) for path in _GOLDEN.rglob('*.sql')}

    assert files == {(engine, name) for engine in ENGINES for name in CASES}


#: A text or name as a whole, a bracket, or the space before a clause.
_PARTS = re.compile(
    r"""(?P<text>E?'(?:[^']|'')*'|"[^"]*")|(?P<bracket>[()])"""
    r'|(?P<space> (?=(?:FROM|WHERE|LEFT|INNER|ORDER BY|LIMIT|AND|OR|WHEN|ELSE) ))'
)


def broken(sql: str) -> str:
    """The SQL over several lines: a clause or a member of an object on each, indented."""
    depth = 0

    def replaced(part: re.Match[str]) -> str:
        nonlocal depth
        if part['bracket']:
            depth += 1 if part['bracket'] == '(' else -1
        elif part['space']:
            return '\n' + '  ' * depth
        elif part['text'].startswith('\',"') and not part['text'].startswith('\',"\\'):
            return '\n' + '  ' * depth + part['text']
        return part[0]

    return _PARTS.sub(replaced, sql).replace(' \n', '\n')


def shown(parameters: tuple[Any, ...]) -> str:
    """Slots by their keys, and what is no slot as it is."""
    return ' '.join(
        f'{{{each.key}}}' if isinstance(each, Parameter) else str(each) for each in parameters
    )
