"""Orders: the cases and the texts of rules F10 and F11."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import SortError
from backstay.resources.query.nodes import Key
from backstay.resources.query.order import declared_order, default_order, parse_order
from tests.catalogue.resources import ProductResource, SeoResource


def up(field: str, relation: str = '', **rest: bool) -> Key:
    """A key from the least to the greatest, NULL last."""
    return Key(field=field, relation=relation, **rest)


def down(field: str, relation: str = '', nulls_first: bool = True) -> Key:
    """A key from the greatest to the least, NULL first."""
    return Key(field=field, relation=relation, descending=True, nulls_first=nulls_first)


def refused(spec: object, readable: Readable) -> SortError:
    """The error that an order is refused with."""
    with pytest.raises(SortError) as raised:
        parse_order(spec, readable)
    assert raised.value.answer_status == 400
    assert raised.value.answer_code == 'sort-invalid'
    return raised.value


@pytest.mark.parametrize(
    ('spec', 'keys'),
    [
        # S01-S04, S06, S07, S13, S14
        ({'field': 'price', 'direction': 'asc'}, (up('price'), up('id'))),
        ([{'field': 'price', 'direction': 'desc'}], (down('price'), down('id'))),
        (
            {'field': 'price', 'direction': 'desc', 'nullslast': True},
            (down('price', nulls_first=False), down('id')),
        ),
        (
            {'field': 'price', 'direction': 'asc', 'nullsfirst': True},
            (up('price', nulls_first=True), up('id')),
        ),
        (
            [
                {'field': 'status', 'direction': 'asc'},
                {'field': 'price', 'direction': 'desc'},
            ],
            (up('status'), down('price'), down('id')),
        ),
        (
            {'model': 'Category', 'field': 'name', 'direction': 'asc'},
            (up('name', 'category'), up('id')),
        ),
        ('-price,id', (down('price'), up('id'))),
        (
            {'field': 'double_price', 'direction': 'desc', 'nullslast': True},
            (down('double_price', nulls_first=False), down('id')),
        ),
        # the shorthand and the defaults
        (
            '-price,name,category.name',
            (down('price'), up('name'), up('name', 'category'), up('id')),
        ),
        ('-id', (down('id'),)),
        (' -price , name ', (down('price'), up('name'), up('id'))),
        ('', (up('id'),)),
        ([], (up('id'),)),
        ('name,-name,price', (up('name'), up('price'), up('id'))),
        ('price,category.id', (up('price'), up('id', 'category'), up('id'))),
        (
            {'field': 'price', 'direction': 'asc', 'nullsfirst': False, 'nullslast': False},
            (up('price'), up('id')),
        ),
        ({'model': 'Product', 'field': 'price', 'direction': 'asc'}, (up('price'), up('id'))),
    ],
)
def test_spec_to_keys(products: Readable, spec: object, keys: tuple[Key, ...]) -> None:
    assert parse_order(spec, products) == keys


@pytest.mark.parametrize(
    ('spec', 'reason', 'detail'),
    [
        # S05, S08-S12
        (
            {'field': 'price', 'direction': 'asc', 'nullsfirst': True, 'nullslast': True},
            'BadSortFormat',
            '`nullsfirst` and `nullslast` exclude each other.',
        ),
        ({'model': 'Variant', 'field': 'qty', 'direction': 'asc'}, 'BadSpec', 'many rows'),
        ('variants.qty', 'BadSpec', 'many rows'),
        (
            [{'field': 'name'}],
            'BadSortFormat',
            '`field` and `direction` are mandatory attributes.',
        ),
        (
            [{'direction': 'asc'}],
            'BadSortFormat',
            '`field` and `direction` are mandatory attributes.',
        ),
        ({'field': 'name', 'direction': 'ASC'}, 'BadSortFormat', 'Direction `ASC` not valid.'),
        ({'field': 'name', 'direction': None}, 'BadSortFormat', 'Direction `None` not valid.'),
        ({'field': 'name', 'direction': ['asc']}, 'BadSortFormat', "Direction `['asc']` not"),
        (['x'], 'BadSortFormat', 'Sort spec `x` should be a dictionary.'),
        ([['x']], 'BadSortFormat', "Sort spec `['x']` should be a dictionary."),
        (None, 'BadSortFormat', 'Sort spec `None` should be a dictionary.'),
        (1, 'BadSortFormat', 'Sort spec `1` should be a dictionary.'),
        ('nope', 'FieldNotFound', 'Model Product has no column `nope`.'),
        ('cost', 'FieldNotFound', 'Model Product has no column `cost`.'),
        ('-', 'FieldNotFound', 'Model Product has no column ``.'),
        ('price,', 'FieldNotFound', 'Model Product has no column ``.'),
        ('category.nope', 'FieldNotFound', 'has no column `category.nope`.'),
        ('category', 'FieldNotFound', 'has no column `category`.'),
        ('labels', 'FieldNotFound', 'has no column `labels`.'),
        ('metadata.color', 'FieldNotFound', 'has no column `metadata.color`.'),
        ({'field': 'cost', 'direction': 'asc'}, 'FieldNotFound', 'has no column `cost`.'),
        (
            {'model': 'Category', 'field': 'path', 'direction': 'asc'},
            'FieldNotFound',
            'Model Category has no column `path`.',
        ),
        (
            {'model': 'category', 'field': 'name', 'direction': 'asc'},
            'BadSpec',
            'The query does not contain model `category`.',
        ),
        ({'model': None, 'field': 'name', 'direction': 'asc'}, 'BadSpec', 'must be a string'),
        ({'field': 1, 'direction': 'asc'}, 'BadSortFormat', '`field` must be a string.'),
        (
            {'field': 'name', 'direction': 'asc', 'nullsfirst': 1},
            'BadSortFormat',
            '`nullsfirst` must be true or false.',
        ),
        (
            {'field': 'name', 'direction': 'asc', 'junk': 1},
            'BadSortFormat',
            'unknown key `junk`',
        ),
        ('id,id,id,id,id,id', 'TooComplex', 'at most 5 keys'),
        (
            [{'field': 'id', 'direction': 'asc'}] * 6,
            'TooComplex',
            'at most 5 keys',
        ),
    ],
)
def test_what_is_no_order(products: Readable, spec: object, reason: str, detail: str) -> None:
    error = refused(spec, products)

    assert detail in error.detail
    assert error.members['reason'] == reason


def test_the_pointer_says_where(products: Readable) -> None:
    spec = [{'field': 'id', 'direction': 'asc'}, {'field': 'nope', 'direction': 'asc'}]

    assert refused(spec, products).members['pointer'] == '/1/field'


def test_long_text_does_not_exist_for_orders(gauges: Readable) -> None:
    assert refused('note', gauges).detail == 'Model Gauge has no column `note`.'


def test_an_ambiguous_model_is_called_by_its_field(gauges: Readable) -> None:
    spec = {'model': 'left', 'field': 'name', 'direction': 'asc'}

    assert parse_order(spec, gauges) == (up('name', 'left'), up('id'))
    assert refused({**spec, 'model': 'Product'}, gauges).members['reason'] == 'BadSpec'


class TestDefaultOrder:
    def test_is_the_resource_s_own(self, gauges: Readable) -> None:
        assert default_order(gauges) == (down('moment'), up('text'), up('id'))

    def test_ends_in_the_primary_key_whatever_it_is_called(self) -> None:
        assert default_order(Readable(SeoResource)) == (down('product_id'),)

    def test_leaves_out_what_the_caller_cannot_read(self, products: Readable) -> None:
        assert declared_order(('-cost', 'name'), products) == (up('name'), up('id'))
        assert declared_order(('-cost',), products) == (down('id'),)

    def test_knows_the_primary_key_as_pk(self, products: Readable) -> None:
        assert declared_order(('name', '-pk'), products) == (up('name'), down('id'))


SPECS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(
            st.sampled_from(['field', 'direction', 'model', 'nullsfirst', 'nullslast', 'x']),
            inner | st.sampled_from(['asc', 'desc', 'id', 'price', 'Category']),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(SPECS)
def test_anything_is_an_order_or_a_sort_error(spec: Any) -> None:
    try:
        keys = parse_order(spec, Readable(ProductResource))
    except SortError as error:
        error.detail.encode()
        return
    assert ('', 'id') in {(key.relation, key.field) for key in keys}
