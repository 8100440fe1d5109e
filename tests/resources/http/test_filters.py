"""Filters over HTTP: rules F1 to F12, in every way that they are spelled."""

import json
from typing import Any

import pytest

from tests.catalogue.models import Product
from tests.resources.contract import cases
from tests.resources.http.asking import Answer, get, post

pytestmark = pytest.mark.usefixtures('products')

#: Operators that parameters spell as a suffix.
SUFFIXES = {
    '==': '',
    'eq': '',
    '': '',
    None: '',
    '!=': '__ne',
    'ne': '__ne',
    '>': '__gt',
    'gt': '__gt',
    '>=': '__gte',
    '<': '__lt',
    'lt': '__lt',
    '<=': '__lte',
    'in': '__in',
    'any': '__any',
}
#: Models of the cases, as the parameters name them.
PATHS = {'Product': '', 'Category': 'category.', 'Variant': 'variants.'}


def as_parameters(spec: Any) -> dict[str, str] | None:
    """The parameters that ask the same; None where they cannot say it."""
    if isinstance(spec, list):
        parts = [as_parameters(each) for each in spec]
        merged: dict[str, str] = {}
        for part in parts:
            if part is None or set(part) & set(merged):
                return None
            merged |= part
        return merged
    if 'and' in spec:
        return as_parameters(spec['and'])
    if 'field' not in spec:
        return None
    name = PATHS[spec.get('model', 'Product')] + spec['field']
    op, value = spec.get('op'), spec.get('value')
    if op in ('is_null', 'is_not_null'):
        return {f'{name}__isnull': json.dumps(op == 'is_null')}
    if value is None:
        return {f'{name}__isnull': json.dumps(op == '==')}
    if op in ('like', 'ilike'):
        return _as_pattern(name, op, value)
    if op not in SUFFIXES:
        return None
    listed = isinstance(value, list)
    return {name + SUFFIXES[op]: ','.join(map(str, value)) if listed else str(value)}


def _as_pattern(name: str, op: str, pattern: str) -> dict[str, str] | None:
    """Parameters have no wildcards of their own, only places where a text may stand."""
    bare = pattern.strip('%')
    if set(bare) & set('%_\\'):
        return None
    places = {(1, 1): 'contains', (0, 1): 'startswith', (1, 0): 'endswith'}
    place = places.get((pattern.startswith('%'), pattern.endswith('%')))
    return {f'{name}__{"i" if op == "ilike" else ""}{place}': bare} if place else None


GOOD = cases('filter_cases', 'F', 'E')
AS_PARAMETERS = [case for case in GOOD if as_parameters(case.values[0]['spec']) is not None]


@pytest.mark.parametrize('case', GOOD)
class TestGoodCases:
    def test_as_a_parameter(self, case: dict[str, Any]) -> None:
        answer = get('/products/', filter=json.dumps(case['spec']), sort='id')

        assert answer.ids == case['ids']
        assert answer.json['count'] == len(case['ids'])

    def test_as_a_body(self, case: dict[str, Any]) -> None:
        answer = post('/products/query/', {'filter': case['spec'], 'sort': 'id'})

        assert answer.ids == case['ids']
        assert answer.json['count'] == len(case['ids'])


@pytest.mark.parametrize('case', AS_PARAMETERS)
class TestTheSameInDjangosHabit:
    def test_as_parameters(self, case: dict[str, Any]) -> None:
        answer = get('/products/', ordering='id', **as_parameters(case['spec']))

        assert answer.ids == case['ids']

    def test_as_members_of_a_body(self, case: dict[str, Any]) -> None:
        answer = post('/products/query/', {'ordering': 'id', **as_parameters(case['spec'])})

        assert answer.ids == case['ids']


def test_most_cases_can_be_said_with_parameters() -> None:
    assert len(AS_PARAMETERS) >= 30


@pytest.mark.parametrize('case', cases('filter_cases', 'G', 'H'))
class TestBadCases:
    def test_as_a_parameter(self, case: dict[str, Any]) -> None:
        assert_refused(get('/products/', filter=json.dumps(case['spec'])), case)

    def test_as_a_body(self, case: dict[str, Any]) -> None:
        assert_refused(post('/products/query/', {'filter': case['spec']}), case)


def assert_refused(answer: Answer, case: dict[str, Any]) -> None:
    """The error of a case."""
    assert (answer.status, answer.json['code']) == (400, 'filter-invalid'), answer.body
    assert isinstance(answer.json['pointer'], str)
    if 'error' in case:
        assert answer.json['reason'] == case['error']
        assert answer.json['detail'] == case['message']
    else:
        assert answer.json['reason'] in ('BadFilterFormat', 'BadSpec', 'BadValue')


class TestOtherCases:
    def test_r07_half_a_text(self) -> None:
        answer = get('/products/', filter='{')

        assert (answer.status, answer.json['code']) == (400, 'malformed-json')

    @pytest.mark.parametrize(
        'query', ['filter=[]&filter=[]', 'filter[]=', 'fitler=', 'status=active&status=draft']
    )
    def test_r08_parameters_that_do_not_exist_or_come_twice(self, query: str) -> None:
        answer = get(f'/products/?{query}')

        assert (answer.status, answer.json['code']) == (400, 'parameter-unknown')

    @pytest.mark.parametrize(
        'spec',
        [
            [{'field': 'id', 'value': 1}] * 101,
            {'field': 'id', 'op': 'in', 'value': [1] * 501},
            json.loads('{"not":[' * 11 + '{"field":"id","value":1}' + ']}' * 11),
        ],
        ids=['leaves', 'values', 'depth'],
    )
    def test_r09_filters_that_are_too_complex(self, spec: Any) -> None:
        answer = post('/products/query/', {'filter': spec})

        assert (answer.status, answer.json['reason']) == (400, 'TooComplex')

    def test_r10_a_member_twice(self) -> None:
        answer = get('/products/', filter='{"field":"id","value":1,"field":"cost_price"}')

        assert (answer.status, answer.json['code']) == (400, 'malformed-json')

    def test_r11_a_body_that_is_too_large(self) -> None:
        answer = post('/products/query/', {'filter': [], 'x': 'x' * 2_000_000})

        assert (answer.status, answer.json['code']) == (413, 'payload-too-large')

    def test_r12_sql_is_a_text_like_any_other(self) -> None:
        spec = {'field': 'name', 'op': 'ilike', 'value': "%'; DROP TABLE catalogue_product;--%"}

        assert get('/products/', filter=json.dumps(spec)).ids == []
        assert Product.objects.count() == 5

    @pytest.mark.parametrize(
        ('field', 'op', 'value'),
        [
            ('name', '==', 'a\0b'),
            ('id', '==', 2**63),
            ('released_on', '>=', '2026-02-30'),
            ('status', '==', 'gone'),
            ('price', '==', '12,5'),
            ('price', '>', '1e999999'),
            ('price', '>', 'NaN'),
            ('name', '==', 'x' * 257),
        ],
        ids=['r13', 'r14', 'r15', 'choice', 'comma', 'exponent', 'nan', 'length'],
    )
    def test_values_that_a_field_cannot_hold(self, field: str, op: str, value: Any) -> None:
        answer = post('/products/query/', {'filter': {'field': field, 'op': op, 'value': value}})

        assert (answer.status, answer.json['reason']) == (400, 'BadValue')

    def test_hidden_columns_answer_like_columns_that_do_not_exist(self) -> None:
        hidden, unknown = (
            get('/products/', filter=json.dumps({'field': name, 'value': 1}))
            for name in ('cost', 'tsoc')
        )

        assert hidden.status == unknown.status == 400
        assert without_request(hidden).replace('cost', 'tsoc') == without_request(unknown)

    def test_hidden_parameters_answer_like_those_that_do_not_exist(self) -> None:
        hidden, unknown = get('/products/?cost=1'), get('/products/?tsoc=1')

        assert without_request(hidden).replace('cost', 'tsoc') == without_request(unknown)


def without_request(answer: Answer) -> str:
    """The body, without what tells requests apart."""
    return json.dumps({**answer.json, 'instance': '', 'request_id': ''})


class TestTogether:
    def test_all_spellings_of_a_filter_add_up(self) -> None:
        answer = get(
            '/products/', filter='{"field":"status","value":"active"}', price__lt=10, ordering='id'
        )

        assert answer.ids == [2]

    def test_parameters_of_a_query_add_to_its_body(self) -> None:
        answer = post('/products/query/?status=active', {'price__lt': 10})

        assert answer.ids == [2]

    def test_a_parameter_may_not_be_in_both(self) -> None:
        answer = post('/products/query/?status=active', {'status': 'active'})

        assert (answer.status, answer.json['code']) == (400, 'parameter-unknown')

    def test_t100_a_filter_needs_no_field_of_the_mask(self) -> None:
        answer = get('/products/', 'name', price=9)

        assert answer.results == [{'name': 'Red mug'}]

    def test_t102_a_filter_on_children_leaves_their_lists_whole(self) -> None:
        answer = get('/products/', 'id,variants{sku}', **{'variants.sku': 'MUG-B-L'})

        assert answer.results == [{'id': 1, 'variants': [{'sku': 'MUG-B-L'}, {'sku': 'MUG-B-S'}]}]

    def test_t103_an_empty_mask_still_counts(self) -> None:
        answer = get('/products/', '{}')

        assert (answer.results, answer.json['count']) == ([{}] * 5, 5)

    def test_t112_a_to_many_filter_does_not_multiply_rows(self) -> None:
        spec = {'model': 'Variant', 'field': 'qty', 'op': 'is_not_null'}

        answer = get('/products/', filter=json.dumps(spec), sort='-price', limit=2)

        assert answer.ids == [3, 1]
        assert answer.json['count'] == 3

    def test_members_of_json(self) -> None:
        Product.objects.filter(pk=2).update(metadata={'colour': 'red', 'size': 3})

        assert get('/products/', **{'metadata.colour': 'red'}).ids == [2]
        assert post('/products/query/', {'metadata.size': 3}).ids == [2]


class TestStatements:
    @pytest.mark.parametrize('case', cases('filter_cases', 'F41', 'F50', 'F55', 'E03', 'E04'))
    def test_every_filter_is_one_statement(
        self, case: dict[str, Any], django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(1):
            get('/products/', filter=json.dumps(case['spec']))

    def test_what_is_malformed_costs_no_statement(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            get('/products/', filter='{"field":"nope","value":1}')
            get('/products/', sort='nope')
            get('/products/', limit=101)
            get('/products/', cursor='x')
            get('/products/?nope=1')
