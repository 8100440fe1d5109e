"""Filters: the cases, the limits and the trees (rules F1 to F8)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import FilterError
from backstay.resources.kinds.operators import WITH_LIST, WITHOUT_VALUE
from backstay.resources.query.filters import parse_filter
from backstay.resources.query.nodes import And, Condition, Leaf, Not, Op, Or, Related
from tests.catalogue.resources import ProductResource
from tests.resources.contract import cases


def refused(spec: object, readable: Readable) -> FilterError:
    """The error that a filter is refused with."""
    with pytest.raises(FilterError) as raised:
        parse_filter(spec, readable, [])
    assert raised.value.answer_status == 400
    assert raised.value.answer_code == 'filter-invalid'
    return raised.value


def leaf(field: str, op: Op, slot: int | None = None, relation: str = '') -> Leaf:
    """A comparison of a field."""
    return Leaf(field=field, op=op, slot=slot, relation=relation)


A = {'field': 'id', 'value': 1}
B = {'field': 'price', 'op': 'lt', 'value': 2}


class TestCases:
    @pytest.mark.parametrize('case', cases('filter_cases', 'F', 'E'))
    def test_good_ones_are_read(self, products: Readable, case: dict[str, Any]) -> None:
        values: list[Any] = []

        hash(parse_filter(case['spec'], products, values))

    @pytest.mark.parametrize('case', cases('filter_cases', 'G'))
    def test_bad_ones_have_the_texts_of_the_library(
        self, products: Readable, case: dict[str, Any]
    ) -> None:
        error = refused(case['spec'], products)

        assert (error.reason, error.detail) == (case['error'], case['message'])

    @pytest.mark.parametrize('case', cases('filter_cases', 'H'))
    def test_what_the_library_guesses_is_refused(
        self, products: Readable, case: dict[str, Any]
    ) -> None:
        error = refused(case['spec'], products)

        reason, _, text = case['ours'].removeprefix('400 ').partition(' ')
        if reason.startswith('Bad'):
            assert error.reason == reason
            assert text in error.detail
        else:
            assert error.reason == 'BadValue'
            assert case['ours'].removeprefix('400 ') in error.detail


class TestTrees:
    @pytest.mark.parametrize(
        ('spec', 'tree', 'values'),
        [
            ([], And(()), []),
            ([[], [[]]], And(()), []),
            (
                {'field': 'status', 'value': 'active'},
                leaf('status', Op.EQ, 0),
                ['active'],
            ),
            (
                [
                    [{'field': 'id', 'op': '>', 'value': 1}],
                    {'field': 'id', 'op': '<', 'value': '4'},
                ],
                And((leaf('id', Op.GT, 0), leaf('id', Op.LT, 1))),
                [1, 4],
            ),
            (
                {'field': 'price', 'op': '==', 'value': None},
                leaf('price', Op.IS_NULL),
                [],
            ),
            (
                {'field': 'price', 'op': '!=', 'value': None},
                leaf('price', Op.IS_NOT_NULL),
                [],
            ),
            (
                {'field': 'price', 'op': 'is_null', 'value': 'ignored'},
                leaf('price', Op.IS_NULL),
                [],
            ),
            (
                {'field': 'price', 'op': 'not_in', 'value': [9, '9.50']},
                leaf('price', Op.NOT_IN, 0),
                [(Decimal(9), Decimal('9.50'))],
            ),
            ({'field': 'id', 'op': 'in', 'value': []}, leaf('id', Op.IN, 0), [()]),
            (
                {'field': 'released_on', 'op': 'ge', 'value': '2026-02-01'},
                leaf('released_on', Op.GE, 0),
                [date(2026, 2, 1)],
            ),
            (
                {'not': [{'or': [{'field': 'id', 'value': 1}, {'field': 'id', 'value': 2}]}]},
                Not(Or((leaf('id', Op.EQ, 0), leaf('id', Op.EQ, 1)))),
                [1, 2],
            ),
            ({'model': 'Product', 'field': 'id', 'value': 2}, leaf('id', Op.EQ, 0), [2]),
            (
                {'model': 'Category', 'field': 'name', 'value': 'Mugs'},
                leaf('name', Op.EQ, 0, 'category'),
                ['Mugs'],
            ),
            (
                {'none': {'model': 'Variant', 'where': []}},
                Related(relation='variants', where=And(()), negated=True),
                [],
            ),
            (
                {
                    'some': {
                        'model': 'Variant',
                        'where': [
                            {'field': 'qty', 'op': '>', 'value': 5},
                            {'model': 'Price', 'field': 'currency', 'value': 'EUR'},
                        ],
                    }
                },
                Related(
                    relation='variants',
                    where=And((leaf('qty', Op.GT, 0), leaf('currency', Op.EQ, 1, 'prices'))),
                ),
                [5, 'EUR'],
            ),
            (
                {'field': 'metadata.color', 'value': 'blue'},
                Leaf(field='metadata', member='color', op=Op.EQ, slot=0),
                ['blue'],
            ),
            (
                {'field': 'metadata.size', 'op': 'in', 'value': [1, 'L', True]},
                Leaf(field='metadata', member='size', op=Op.IN, slot=0),
                [(1, 'L', True)],
            ),
            (
                {'field': 'metadata.color', 'value': None},
                Leaf(field='metadata', member='color', op=Op.IS_NULL),
                [],
            ),
            ({'field': 'metadata', 'op': 'is_null'}, leaf('metadata', Op.IS_NULL), []),
            (
                {'field': 'labels', 'op': 'any', 'value': 'sale'},
                leaf('labels', Op.ANY, 0),
                ['sale'],
            ),
        ],
    )
    def test_spec_to_tree(
        self, products: Readable, spec: object, tree: Condition, values: list[Any]
    ) -> None:
        found: list[Any] = []

        assert parse_filter(spec, products, found) == tree
        assert found == values

    @pytest.mark.parametrize(
        ('one', 'other'),
        [
            ([A, B], {'and': [A, B]}),
            ([A, B], [[A], [[B]]]),
            ([A, B], {'and': [{'and': [A]}, {'or': [B]}]}),
            ({'or': [A, B]}, {'or': [{'or': [A]}, B]}),
            (A, {'or': [A]}),
        ],
    )
    def test_spellings_of_one_filter_make_one_tree(
        self, products: Readable, one: object, other: object
    ) -> None:
        assert parse_filter(one, products, []) == parse_filter(other, products, [])

    def test_values_are_appended_to_what_is_there(self, products: Readable) -> None:
        values: list[Any] = ['first']

        tree = parse_filter({'field': 'id', 'value': 1}, products, values)

        assert tree == leaf('id', Op.EQ, 1)
        assert values == ['first', 1]

    @pytest.mark.parametrize(
        ('spelled', 'op'), [('eq', '=='), ('ne', '!='), ('gt', '>'), ('le', '<=')]
    )
    def test_operators_have_two_names(self, products: Readable, spelled: str, op: str) -> None:
        assert parse_filter(
            {'field': 'id', 'op': spelled, 'value': 1}, products, []
        ) == parse_filter({'field': 'id', 'op': op, 'value': 1}, products, [])


class TestFormat:
    @pytest.mark.parametrize(
        ('spec', 'detail'),
        [
            ({}, '`field` is a mandatory filter attribute.'),
            ({'op': '==', 'value': 1}, '`field` is a mandatory filter attribute.'),
            (True, 'Filter spec `True` should be a dictionary.'),
            (Decimal('1.5'), 'Filter spec `1.5` should be a dictionary.'),
            ({'or': {'field': 'id', 'value': 1}}, '`or` value must be an iterable'),
            ({'not': [[]]}, '`not` must have one argument'),
            (
                {'not': [[{'field': 'id', 'value': 1}, {'field': 'id', 'value': 2}]]},
                '`not` must have one argument',
            ),
            ({'and': [[], []]}, '`and` must have one or more arguments'),
            ({'some': []}, '`some` value must be a dictionary.'),
            ({'some': {'where': []}}, '`model` is a mandatory attribute of `some`.'),
            ({'none': {'model': 'Variant', 'where': {}}}, '`where` must be a list.'),
            ({'none': {'model': 'Variant', 'junk': 1}}, 'unknown key `junk`'),
            ({'some': {'model': 'Variant'}, 'none': {}}, 'more than one boolean function'),
            ({'not': [], 'model': 'Variant'}, 'boolean function mixed with `model`'),
            ({'field': 'id', 'op': 0, 'value': 1}, '`op` must be a string.'),
            ({'field': 'id', 'op': 'like', 'value': '1'}, 'Operator `like` not valid for `id`'),
            ({'field': 'status', 'op': '>', 'value': 'a'}, 'Operator `>` not valid for `status`'),
            ({'field': 'labels', 'value': 'a'}, 'Operator `==` not valid for `labels`'),
            ({'field': 'metadata', 'value': 'a'}, 'Operator `==` not valid for `metadata`'),
            (
                {'field': 'metadata.a', 'op': '>', 'value': 1},
                'it takes `is_null`, `is_not_null`, `==`, `!=`, `in`.',
            ),
            ({'field': 'id', 'op': 'in', 'value': None}, '`in` needs a list'),
            ({'field': 'id', 'op': 'in', 'value': {}}, '`in` needs a list'),
        ],
    )
    def test_bad_formats(self, products: Readable, spec: object, detail: str) -> None:
        error = refused(spec, products)

        assert error.reason == 'BadFilterFormat'
        assert detail in error.detail

    @pytest.mark.parametrize(
        ('spec', 'pointer'),
        [
            (7, ''),
            ([{'field': 'id', 'value': 1}, 7], '/1'),
            ([[{'field': 'nope', 'value': 1}]], '/0/0/field'),
            ({'or': [{'field': 'id', 'value': 'x'}]}, '/or/0/value'),
            ({'not': [{'field': 'id', 'op': 'in', 'value': [1, 'x']}]}, '/not/0/value/1'),
            ({'field': 'id', 'op': 'in', 'value': [1, None]}, '/value/1'),
            ({'field': 'id', 'op': '~', 'value': 1}, '/op'),
            ({'field': 'id', 'model': 'X', 'value': 1}, '/model'),
            (
                {'some': {'model': 'Variant', 'where': [{'field': 'nope', 'value': 1}]}},
                '/some/where/0/field',
            ),
        ],
    )
    def test_the_pointer_says_where(self, products: Readable, spec: object, pointer: str) -> None:
        error = refused(spec, products)

        assert error.pointer == pointer
        assert error.body('')['pointer'] == pointer

    @pytest.mark.parametrize(
        ('field', 'op', 'value'),
        [
            ('id', '==', 2**63),
            ('id', '==', [1]),
            ('price', '>', True),
            ('name', 'like', 5),
            ('name', '==', 'a\0b'),
            ('name', 'ilike', 'x' * 257),
            ('name', 'like', 'x\\'),
            ('name', 'like', 'x\\\\\\'),
            ('status', '==', 'lost'),
            ('status', 'in', ['active', 'lost']),
            ('released_on', '>=', '2026-02-30'),
            ('labels', 'any', ['sale']),
            ('metadata.a', '==', {}),
        ],
    )
    def test_bad_values(self, products: Readable, field: str, op: str, value: object) -> None:
        error = refused({'field': field, 'op': op, 'value': value}, products)

        assert error.reason == 'BadValue'
        assert error.pointer.startswith('/value')

    @pytest.mark.parametrize('field', ['price', 'name', 'labels', 'id', 'released_on'])
    def test_null_is_no_value_to_compare_with(self, products: Readable, field: str) -> None:
        for op in products.fields[field].kind.operators - WITHOUT_VALUE - WITH_LIST:
            if op in (Op.EQ, Op.NE):
                continue  # which ask whether there is a value
            error = refused([{'field': field, 'op': op.value, 'value': None}], products)

            assert error.reason == 'BadFilterFormat'
            assert error.detail == f'`{op.value}` needs a value, and null is none.'
            assert error.pointer == '/0/value'

    @pytest.mark.parametrize('op', ['any', 'not_any'])
    @pytest.mark.parametrize('field', ['name', 'price', 'status', 'metadata', 'metadata.color'])
    def test_an_element_is_asked_of_arrays_alone(
        self, products: Readable, field: str, op: str
    ) -> None:
        error = refused({'field': field, 'op': op, 'value': 'x'}, products)

        assert error.reason == 'BadFilterFormat'
        assert f'`{op}` needs a field that holds an array' in error.detail

    def test_a_pattern_may_end_in_an_escaped_backslash(self, products: Readable) -> None:
        parse_filter({'field': 'name', 'op': 'like', 'value': 'x\\\\'}, products, [])


class TestNames:
    @pytest.mark.parametrize(
        'field',
        ['cost', 'nope', 'variants', 'category', 'category.name', 'metadata.', 'metadata.a b', ''],
    )
    def test_what_is_not_readable_does_not_exist(self, products: Readable, field: str) -> None:
        error = refused({'field': field, 'value': 1}, products)

        assert error.reason == 'FieldNotFound'
        assert error.detail == f'Model Product has no column `{field}`.'

    def test_long_text_does_not_exist_for_filters(self, gauges: Readable) -> None:
        assert refused({'field': 'note', 'value': 'x'}, gauges).reason == 'FieldNotFound'

    def test_the_related_resource_is_named(self, products: Readable) -> None:
        error = refused({'model': 'Variant', 'field': 'weight', 'value': 1}, products)

        assert error.detail == 'Model Variant has no column `weight`.'

    @pytest.mark.parametrize('model', ['variants', 'category', 'VariantResource', 'Price', ''])
    def test_models_are_called_by_their_names_only(self, products: Readable, model: str) -> None:
        error = refused({'model': model, 'field': 'id', 'value': 1}, products)

        assert error.reason == 'BadSpec'
        assert error.detail == f'The query does not contain model `{model}`.'

    @pytest.mark.parametrize('model', [None, 1, [], {}])
    def test_models_are_strings(self, products: Readable, model: object) -> None:
        assert refused({'model': model, 'field': 'id', 'value': 1}, products).reason == 'BadSpec'
        assert refused({'some': {'model': model}}, products).reason == 'BadSpec'

    def test_a_model_with_two_ways_to_it_is_ambiguous(self, gauges: Readable) -> None:
        error = refused({'model': 'Product', 'field': 'id', 'value': 1}, gauges)

        assert error.reason == 'BadSpec'
        assert error.detail == (
            'Several relations lead to model `Product`: name `left` or `right`.'
        )

    @pytest.mark.parametrize('relation', ['left', 'right', 'children'])
    def test_its_ways_are_called_by_their_fields(self, gauges: Readable, relation: str) -> None:
        tree = parse_filter({'model': relation, 'field': 'id', 'value': 1}, gauges, [])

        assert tree == leaf('id', Op.EQ, 0, relation)

    def test_the_own_name_means_the_resource_itself(self, gauges: Readable) -> None:
        tree = parse_filter({'model': 'Gauge', 'field': 'id', 'value': 1}, gauges, [])

        assert tree == leaf('id', Op.EQ, 0)

    def test_groups_need_a_related_model(self, products: Readable) -> None:
        error = refused({'some': {'model': 'Product', 'where': []}}, products)

        assert error.reason == 'BadSpec'


def nested(function: str, depth: int) -> object:
    """A comparison inside this many functions."""
    spec: object = {'field': 'id', 'value': 1}
    for _ in range(depth):
        spec = {function: [spec]}
    return spec


def grouped(*models: str) -> object:
    """Groups inside one another."""
    spec: list[object] = [{'field': 'id', 'value': 1}]
    for model in reversed(models):
        spec = [{'some': {'model': model, 'where': spec}}]
    return spec


class TestLimits:
    @pytest.mark.parametrize('function', ['and', 'or', 'not'])
    def test_functions_nest_ten_deep(self, products: Readable, function: str) -> None:
        parse_filter(nested(function, 10), products, [])

        assert refused(nested(function, 11), products).reason == 'TooComplex'

    @pytest.mark.parametrize('depth', [12, 500, 100_000])
    def test_lists_nest_as_deep(self, products: Readable, depth: int) -> None:
        spec: list[object] = []
        for _ in range(depth):
            spec = [spec]

        assert refused(spec, products).reason == 'TooComplex'

    def test_a_bomb_of_functions_is_refused(self, products: Readable) -> None:
        assert refused(nested('not', 100_000), products).reason == 'TooComplex'

    def test_a_hundred_comparisons(self, products: Readable) -> None:
        one = {'field': 'id', 'value': 1}
        parse_filter([one] * 100, products, [])

        assert refused([one] * 101, products).reason == 'TooComplex'

    def test_five_hundred_values_in_a_list(self, products: Readable) -> None:
        parse_filter({'field': 'id', 'op': 'in', 'value': [1] * 500}, products, [])

        spec = {'field': 'id', 'op': 'in', 'value': [1] * 501}
        assert refused(spec, products).reason == 'TooComplex'

    def test_three_models(self, gauges: Readable) -> None:
        def spec(*models: str) -> list[object]:
            return [
                {'model': model, 'field': 'product_id' if model == 'Seo' else 'id', 'value': 1}
                for model in models
            ]

        parse_filter(spec('left', 'right', 'children', 'left', 'Gauge'), gauges, [])

        error = refused(spec('left', 'right', 'children', 'Seo'), gauges)
        assert error.reason == 'TooComplex'

    def test_four_groups(self, gauges: Readable) -> None:
        group = {'some': {'model': 'children', 'where': []}}
        parse_filter([group] * 4, gauges, [])

        assert refused([group] * 5, gauges).reason == 'TooComplex'

    def test_groups_nest_two_deep(self, gauges: Readable) -> None:
        parse_filter(grouped('left', 'Variant'), gauges, [])

        assert refused(grouped('left', 'Variant', 'Price'), gauges).reason == 'TooComplex'


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(['id', 'price', 'name', 'Variant', 'metadata.a', 'like', 'in', '==']),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ['field', 'op', 'value', 'model', 'or', 'and', 'not', 'some', 'none', 'where', 'x']
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_a_filter_or_a_filter_error(spec: Any) -> None:
    values: list[Any] = []
    try:
        tree = parse_filter(spec, Readable(ProductResource), values)
    except FilterError as error:
        reason = error.reason
    else:
        hash(tree)
        return
    assert reason in {'BadFilterFormat', 'BadSpec', 'FieldNotFound', 'BadValue', 'TooComplex'}
