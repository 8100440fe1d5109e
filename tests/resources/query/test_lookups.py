"""Django's habit of filtering by parameters makes the trees that filters make."""

from typing import Any

import pytest

from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import FilterError, ParameterError
from backstay.resources.kinds.operators import OF_MEMBERS
from backstay.resources.query.filters import FilterReader, Tally, all_of, parse_filter
from backstay.resources.query.lookups import lookups_of, parse_lookup
from backstay.resources.query.nodes import Condition


def looked_up(readable: Readable, parameter: str, value: object) -> tuple[Condition, list[Any]]:
    """The tree and values of one parameter."""
    values: list[Any] = []
    reader = FilterReader(readable, values, Tally())
    return all_of(parse_lookup(parameter, value, reader)), values


def filtered(readable: Readable, spec: object) -> tuple[Condition, list[Any]]:
    """The tree and values of a filter."""
    values: list[Any] = []
    return parse_filter(spec, readable, values), values


def leaf(field: str, op: str = '==', **rest: object) -> dict[str, object]:
    """A comparison, as a filter has it."""
    return {'field': field, 'op': op, **rest}


@pytest.mark.parametrize(
    ('parameter', 'text', 'spec'),
    [
        ('status', 'active', leaf('status', value='active')),
        ('status__exact', 'active', leaf('status', value='active')),
        ('status__ne', 'active', leaf('status', '!=', value='active')),
        ('price__gt', '10', leaf('price', '>', value=10)),
        ('price__gte', '10.50', leaf('price', '>=', value='10.50')),
        ('price__lt', '10', leaf('price', '<', value=10)),
        ('price__lte', '10', leaf('price', '<=', value=10)),
        ('status__in', 'active,draft', leaf('status', 'in', value=['active', 'draft'])),
        ('id__in', '', leaf('id', 'in', value=[])),
        ('id__not_in', '1,2', leaf('id', 'not_in', value=[1, 2])),
        ('status__not_in', 'draft', leaf('status', 'not_in', value=['draft'])),
        ('released_on__not_in', '', leaf('released_on', 'not_in', value=[])),
        (
            'category.name__not_in',
            'a,b',
            leaf('name', 'not_in', value=['a', 'b'], model='Category'),
        ),
        ('released_on__isnull', 'true', leaf('released_on', 'is_null')),
        ('released_on__isnull', 'false', leaf('released_on', 'is_not_null')),
        ('price__range', '5,10', [leaf('price', '>=', value=5), leaf('price', '<=', value=10)]),
        ('name', '', leaf('name', value='')),
        ('name__contains', 'mug', leaf('name', 'like', value='%mug%')),
        ('name__startswith', 'mug', leaf('name', 'like', value='mug%')),
        ('name__endswith', 'mug', leaf('name', 'like', value='%mug')),
        ('name__icontains', 'mug', leaf('name', 'ilike', value='%mug%')),
        ('name__istartswith', 'mug', leaf('name', 'ilike', value='mug%')),
        ('name__iendswith', 'mug', leaf('name', 'ilike', value='%mug')),
        ('name__iexact', 'mug', leaf('name', 'ilike', value='mug')),
        ('name__contains', '100%_\\', leaf('name', 'like', value='%100\\%\\_\\\\%')),
        ('name__iexact', '{0}', leaf('name', 'ilike', value='{0}')),
        ('labels__any', 'sale', leaf('labels', 'any', value='sale')),
        ('category.name', 'Mugs', leaf('name', model='Category', value='Mugs')),
        (
            'category.name__startswith',
            'M',
            leaf('name', 'like', model='Category', value='M%'),
        ),
        ('variants.qty__gte', '7', leaf('qty', '>=', model='Variant', value=7)),
        ('metadata.color', 'blue', leaf('metadata.color', value='blue')),
        ('metadata.color__in', 'a,b', leaf('metadata.color', 'in', value=['a', 'b'])),
        ('metadata.color__isnull', 'true', leaf('metadata.color', 'is_null')),
        ('double_price__gte', '30', leaf('double_price', '>=', value=30)),
    ],
)
def test_a_parameter_makes_the_tree_of_its_filter(
    products: Readable, parameter: str, text: str, spec: object
) -> None:
    assert looked_up(products, parameter, text) == filtered(products, spec)


@pytest.mark.parametrize(
    ('parameter', 'value', 'text'),
    [
        ('price__gte', 10, '10'),
        ('status__in', ['active', 'draft'], 'active,draft'),
        ('price__range', [5, 10], '5,10'),
        ('released_on__isnull', True, 'true'),
        ('name__icontains', 'mug', 'mug'),
    ],
)
def test_a_body_may_have_json_values(
    products: Readable, parameter: str, value: object, text: str
) -> None:
    assert looked_up(products, parameter, value) == looked_up(products, parameter, text)


def test_null_in_a_body_asks_for_null(products: Readable) -> None:
    assert looked_up(products, 'price', None) == filtered(products, leaf('price', 'is_null'))


def test_true_and_false_are_words(gauges: Readable) -> None:
    assert looked_up(gauges, 'yes', 'true')[1] == [True]
    assert looked_up(gauges, 'yes', 'false')[1] == [False]


@pytest.mark.parametrize(
    'parameter',
    [
        'fitler',
        'filter[]',
        'cost',
        'cost__gte',
        'description',
        'variants',
        'category',
        'category__name',
        'category.nope',
        'category.cost',
        'variants.product.name',
        'metadata.',
        'name__regex',
        'name__',
        '__name',
        '__class__',
        'price__icontains',
        'status__gt',
        'labels',
        'metadata',
        'metadata.a__gt',
        'price__gte__lte',
        '',
    ],
)
def test_parameters_that_do_not_exist(products: Readable, parameter: str) -> None:
    with pytest.raises(ParameterError) as raised:
        looked_up(products, parameter, 'x')

    assert raised.value.answer_status == 400
    assert f'Unknown parameter `{parameter}`.' in raised.value.detail


def test_the_error_tells_what_exists_and_is_readable(products: Readable) -> None:
    with pytest.raises(ParameterError) as raised:
        looked_up(products, 'cost', '1')

    detail = raised.value.detail
    assert 'Known parameters: id, name, price, status, ' in detail
    assert 'category.name' in detail
    assert detail.count('cost') == 1


def test_the_error_tells_what_a_field_takes(products: Readable) -> None:
    with pytest.raises(ParameterError, match='`status` takes exact, ne, in, not_in, isnull'):
        looked_up(products, 'status__gt', 'a')


@pytest.mark.parametrize(
    ('parameter', 'value'),
    [
        ('price__gte', 'ten'),
        ('price__gte', ''),
        ('id', '1.0'),
        ('id__in', '1,x'),
        ('id__in', '1,'),
        ('status', 'lost'),
        ('released_on__isnull', 'yes'),
        ('released_on__isnull', ''),
        ('released_on__isnull', 1),
        ('price__range', '5'),
        ('price__range', '1,2,3'),
        ('price__range', 5),
        ('name__contains', 'x' * 257),
        ('name__contains', 'a\0'),
        ('name__contains', 5),
        ('name', 5),
    ],
)
def test_values_that_do_not_fit(products: Readable, parameter: str, value: object) -> None:
    with pytest.raises(FilterError) as raised:
        looked_up(products, parameter, value)

    assert raised.value.reason == 'BadValue'
    assert raised.value.pointer.startswith(parameter)


def test_a_value_that_is_too_long_a_list_is_too_complex(products: Readable) -> None:
    with pytest.raises(FilterError) as raised:
        looked_up(products, 'id__in', ','.join(['1'] * 501))

    assert raised.value.reason == 'TooComplex'


def test_the_lookups_of_a_field(gauges: Readable) -> None:
    assert lookups_of(gauges.fields['yes'].kind.operators) == (
        'exact',
        'ne',
        'in',
        'not_in',
        'isnull',
    )
    assert 'icontains' in lookups_of(gauges.fields['text'].kind.operators)
    assert lookups_of(gauges.fields['tags'].kind.operators) == ('isnull', 'any', 'not_any')
    assert lookups_of(OF_MEMBERS) == ('exact', 'ne', 'in', 'isnull')
