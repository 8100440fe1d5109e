"""What a request asks, from query string, header and body."""

from decimal import Decimal
from typing import Any

import pytest

from backstay.caller import Caller
from backstay.errors import Problem
from backstay.resources import Resource
from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import (
    CursorError,
    FilterError,
    MaskParseError,
    MaskTooLarge,
    PageError,
    PageTooDeep,
    ParameterError,
    SortError,
)
from backstay.resources.query import cursor
from backstay.resources.query.asked import Asked, Parameters
from backstay.resources.query.nodes import (
    AllRows,
    And,
    CursorPage,
    Key,
    Leaf,
    OffsetPage,
    OneRow,
    Op,
    Query,
    Shape,
)
from backstay.resources.query.parameters import read_all, read_one, read_query
from tests.bookshop.resources import OPEN
from tests.depot.models import Keeper

ANN = Caller(kind='account', name='ann')


class NamesResource(Resource):
    """Rows that do not show their primary key."""

    grants = OPEN

    class Meta:
        model = Keeper
        name = 'Name'
        fields = ('name',)
        lookup = 'name'
        ordering = ('name',)


def asked(readable: Readable, header: str | None = None, **parameters: str) -> Query:
    """A list, asked for by a query string."""
    return listed(readable, {name: [text] for name, text in parameters.items()}, mask=header)


def listed(readable: Readable, parameters: Parameters, **more: Any) -> Query:
    """A list, with every value of each parameter."""
    asked = Asked(resource=readable.resource, caller=ANN, parameters=parameters, **more)
    return read_query(asked, 'key')


def one(readable: Readable, lookup: str, parameters: Parameters, **more: Any) -> Query:
    """One object."""
    return read_one(Asked(resource=readable.resource, lookup=lookup, parameters=parameters, **more))


def posted(readable: Readable, **body: Any) -> Query:
    """A list, asked for by a body."""
    return listed(readable, {}, body=body)


def refused(readable: Readable, kind: type[Problem], **parameters: str) -> str:
    """The text with which a query string is refused."""
    with pytest.raises(kind) as raised:
        asked(readable, **parameters)
    assert raised.value.answer_status == 400
    return raised.value.detail


class TestLists:
    def test_nothing_asked_is_the_first_page(self, products: Readable) -> None:
        assert asked(products) == Query(
            shape=Shape(
                order=(Key(field='id'),),
                page=OffsetPage(limit_slot=0, offset_slot=1),
                count='exact',
            ),
            values=(21, 0),
        )

    def test_the_resource_decides_size_and_count(self, gauges: Readable) -> None:
        query = asked(gauges)

        assert query.values == (11, 0)
        assert query.shape.count == 'none'

    def test_three_spellings_are_one_query(self, products: Readable) -> None:
        spec = [
            {'field': 'price', 'op': '>=', 'value': 10},
            {'field': 'name', 'op': 'ilike', 'value': '%mug%'},
        ]
        sort = [
            {'field': 'price', 'direction': 'desc'},
            {'model': 'Category', 'field': 'name', 'direction': 'asc'},
        ]

        by_filter = asked(
            products,
            filter='[{"field":"price","op":">=","value":10},'
            '{"field":"name","op":"ilike","value":"%mug%"}]',
            sort='-price,category.name',
            limit='5',
            fields='id,name',
        )
        by_lookups = asked(
            products,
            price__gte='10',
            name__icontains='mug',
            ordering='-price,category.name',
            limit='5',
            fields='id,name',
        )
        by_body = posted(products, filter=spec, sort=sort, limit=5, fields='id,name')

        assert by_filter == by_lookups == by_body
        assert hash(by_filter.shape) == hash(by_lookups.shape) == hash(by_body.shape)
        assert by_filter.values == (Decimal(10), '%mug%', 6, 0)

    def test_the_shape_holds_no_value(self, products: Readable) -> None:
        one = asked(products, price__gte='10', limit='5', offset='40', **{'metadata.a': 'x'})
        other = asked(products, price__gte='11', limit='6', offset='60', **{'metadata.a': 'y'})
        text = repr(one.shape)

        assert one.shape == other.shape
        assert one.values != other.values
        assert not any(value in text for value in ("'10'", "'x'", '40'))

    def test_filter_and_lookups_add_up(self, products: Readable) -> None:
        query = asked(products, filter='{"field":"id","value":1}', status='active')

        assert query.shape.where == And(
            (Leaf(field='id', op=Op.EQ, slot=0), Leaf(field='status', op=Op.EQ, slot=1))
        )

    def test_their_limits_hold_for_both_together(self, gauges: Readable) -> None:
        by_model = '[{"model":"left","field":"id","value":1},' + (
            '{"model":"right","field":"id","value":1}]'
        )
        more = {'seo.product_id': '1', 'children.id': '1'}

        detail = refused(gauges, FilterError, filter=by_model, **more)

        assert 'more than 3 models' in detail

    def test_an_empty_filter_is_none(self, products: Readable) -> None:
        assert asked(products, filter='', sort='') == asked(products)

    def test_strictness_is_part_of_the_shape(self, products: Readable) -> None:
        assert listed(products, {}, strict=True).shape.strict is True


class TestParameters:
    @pytest.mark.parametrize(
        ('filter_text', 'code'),
        [('{', 'malformed-json'), ('[NaN]', 'malformed-json'), ('{"a":1,"a":2}', 'malformed-json')],
    )
    def test_malformed_json(self, products: Readable, filter_text: str, code: str) -> None:
        with pytest.raises(Problem) as raised:
            asked(products, filter=filter_text)

        assert raised.value.answer_code == code

    @pytest.mark.parametrize('name', ['filter', 'limit', 'fields', 'status', 'nope'])
    def test_a_parameter_twice(self, products: Readable, name: str) -> None:
        with pytest.raises(ParameterError, match=f'`{name}` is given twice'):
            listed(products, {name: ['1', '1']})

    @pytest.mark.parametrize('name', ['filter[]', 'fitler', 'page', 'page_size', 'Limit', ''])
    def test_a_parameter_that_does_not_exist(self, products: Readable, name: str) -> None:
        refused(products, ParameterError, **{name: ''})

    def test_the_error_tells_which_exist(self, products: Readable) -> None:
        detail = refused(products, ParameterError, fitler='x')

        assert (
            'Known parameters: fields, filter, sort, ordering, limit, offset, cursor, count, id,'
            in detail
        )

    def test_null_is_no_filter(self, products: Readable) -> None:
        detail = refused(products, FilterError, filter='null')

        assert detail == 'Filter spec `None` should be a dictionary.'

    def test_a_filter_has_4_kib(self, products: Readable) -> None:
        refused(products, FilterError, filter=f'[{" " * 4_095}]')
        refused(products, FilterError, filter='"' + 'é' * 2_048 + '"')
        asked(products, filter=f'[{" " * 4_094}]')

    def test_a_bomb_is_too_complex(self, products: Readable) -> None:
        assert 'too deeply' in refused(products, FilterError, filter='[' * 100 + ']' * 100)

    @pytest.mark.parametrize('sort', ['"x"', '["x"]', '[["id"]]'])
    def test_json_in_sort_is_no_shorthand(self, products: Readable, sort: str) -> None:
        assert 'should be a dictionary.' in refused(products, SortError, sort=sort)

    def test_json_in_sort_has_limits(self, products: Readable) -> None:
        refused(products, SortError, sort='[' * 100)
        refused(products, SortError, sort='[' + ' ' * 5_000)

    def test_sort_and_ordering_are_one(self, products: Readable) -> None:
        refused(products, ParameterError, sort='id', ordering='id')


class TestMasks:
    def test_the_header_wins(self, products: Readable) -> None:
        assert str(asked(products, 'id', fields='name').shape.mask) == '{id}'

    @pytest.mark.parametrize('header', [None, '', '  \t'])
    def test_a_blank_header_is_none(self, products: Readable, header: str | None) -> None:
        assert str(asked(products, header, fields='name').shape.mask) == '{name}'
        assert asked(products, header).shape.mask is None
        assert asked(products, header, fields=' ').shape.mask is None

    def test_only_the_mask_that_counts_is_read(self, products: Readable) -> None:
        assert asked(products, 'id', fields='id,,name').shape.mask is not None
        with pytest.raises(MaskParseError):
            asked(products, 'id,,name', fields='id')

    def test_a_mask_in_a_body(self, products: Readable) -> None:
        assert str(posted(products, fields='id').shape.mask) == '{id}'
        with pytest.raises(MaskTooLarge):
            posted(products, fields='{' * 100_000)
        with pytest.raises(ParameterError):
            posted(products, fields=['id'])


class TestOffsetPages:
    def test_limit_and_offset(self, products: Readable) -> None:
        assert asked(products, limit='0', offset='10000').values == (1, 10_000)
        assert asked(products, limit='100').values == (101, 0)
        assert posted(products, limit=2, offset=4).values == (3, 4)

    @pytest.mark.parametrize(
        ('limit', 'detail'),
        [
            ('101', 'Limit should be at most 100: 101'),
            ('-1', 'Limit should not be negative: -1'),
            ('1.5', 'Limit should be an integer: 1.5'),
            ('abc', 'Limit should be an integer: abc'),
            ('', 'Limit should be an integer: '),
            ('1e1', 'Limit should be an integer: 1e1'),
            ('\uff11', 'Limit should be an integer: \uff11'),
            ('9' * 5_000, 'Limit should be an integer: 9999'),
        ],
    )
    def test_bad_limits(self, products: Readable, limit: str, detail: str) -> None:
        assert detail in refused(products, PageError, limit=limit)

    @pytest.mark.parametrize(
        ('offset', 'detail'),
        [
            ('-1', 'Offset should not be negative: -1'),
            ('x', 'Offset should be an integer: x'),
            ('9' * 30, 'Offset should be an integer'),
        ],
    )
    def test_bad_offsets(self, products: Readable, offset: str, detail: str) -> None:
        assert detail in refused(products, PageError, offset=offset)

    def test_deep_pages_point_at_cursors(self, products: Readable) -> None:
        assert '`cursor`' in refused(products, PageTooDeep, offset='10001')

    @pytest.mark.parametrize('value', [None, True, 1.0, Decimal(1), [], {}, 10**400])
    def test_bad_pages_of_bodies(self, products: Readable, value: object) -> None:
        with pytest.raises(PageError):
            posted(products, limit=value)
        with pytest.raises(PageError):
            posted(products, offset=value)

    @pytest.mark.parametrize('count', ['exact', 'estimate', 'none'])
    def test_counts(self, products: Readable, count: str) -> None:
        assert asked(products, count=count).shape.count == count
        assert asked(products, count=count, cursor='').shape.count == count

    def test_other_counts(self, products: Readable) -> None:
        detail = refused(products, PageError, count='all')

        assert detail == 'Count should be one of exact, estimate, none: all'


class TestCursorPages:
    def test_an_empty_cursor_is_the_first_page(self, products: Readable) -> None:
        query = asked(products, cursor='', limit='2', status='active')

        assert query.shape.page == CursorPage(limit_slot=1)
        assert query.shape.count == 'none'
        assert query.values == ('active', 3)
        assert query == posted(products, cursor=None, limit=2, status='active')

    def test_a_cursor_leads_on(self, products: Readable) -> None:
        first = asked(products, cursor='', sort='price', limit='2', id__gt='0')
        bound = cursor.binding_of(products, first, ANN.key)
        text = cursor.encrypt(['12.50', 1], False, bound, 'key')

        query = asked(products, cursor=text, sort='price', limit='3', id__gt='0', fields='id')

        assert query.shape.page == CursorPage(limit_slot=1, key_slots=(2, 3))
        assert query.values == (0, 4, Decimal('12.50'), 1)
        assert cursor.binding_of(products, query, ANN.key) == bound

    def test_a_null_key_has_no_slot(self, products: Readable) -> None:
        bound = cursor.binding_of(products, asked(products, cursor='', sort='price'), ANN.key)
        text = cursor.encrypt([None, 5], True, bound, 'key')

        query = asked(products, cursor=text, sort='price')

        assert query.shape.page == CursorPage(limit_slot=0, key_slots=(None, 1), backwards=True)
        assert query.values == (21, 5)

    def test_keys_through_relations_are_typed(self, products: Readable) -> None:
        bound = cursor.binding_of(products, asked(products, cursor='', sort='category.id'), ANN.key)

        query = asked(
            products, cursor=cursor.encrypt([4, 5], False, bound, 'key'), sort='category.id'
        )

        assert query.values == (21, 4, 5)

    def test_a_primary_key_that_is_not_shown_is_typed(self) -> None:
        names = Readable(NamesResource)
        bound = cursor.binding_of(names, asked(names, cursor='', sort='name'), ANN.key)

        query = asked(names, cursor=cursor.encrypt(['x', 5], False, bound, 'key'), sort='name')

        assert query.shape.order[-1] == Key(field='pk')
        assert query.values == (21, 'x', 5)

    def test_another_question_is_refused(self, products: Readable) -> None:
        bound = cursor.binding_of(products, asked(products, cursor='', status='active'), ANN.key)
        text = cursor.encrypt([5], False, bound, 'key')
        asked(products, cursor=text, status='active')

        for other in (
            {'status': 'draft'},
            {'sort': '-id', 'status': 'active'},
            {},
            {'status__ne': 'active'},
        ):
            refused(products, CursorError, cursor=text, **other)
        bob = Caller(kind='account', name='bob')
        for caller, key in ((bob, 'key'), (ANN, 'other')):
            parameters = {'cursor': [text], 'status': ['active']}
            again = Asked(resource=products.resource, caller=caller, parameters=parameters)
            with pytest.raises(CursorError):
                read_query(again, key)

    def test_pages_are_either_by_offset_or_by_cursor(self, products: Readable) -> None:
        refused(products, PageError, cursor='', offset='0')
        refused(products, PageError, cursor='', limit='0')
        refused(products, PageError, cursor='', limit='101')

    @pytest.mark.parametrize('value', [1, True, [], {}])
    def test_cursors_are_texts(self, products: Readable, value: object) -> None:
        with pytest.raises(PageError):
            posted(products, cursor=value)

    def test_one_object_has_no_cursors(self, products: Readable) -> None:
        with pytest.raises(TypeError):
            cursor.binding_of(products, one(products, '1', {}), ANN.key)

    def test_a_page_by_offset_leads_on_by_a_cursor_of_the_same_binding(
        self, products: Readable
    ) -> None:
        offset = asked(products, id='1', offset='9990', limit='20')
        by_cursor = asked(products, id='1', cursor='', limit='5')

        assert cursor.binding_of(products, offset, ANN.key) == cursor.binding_of(
            products, by_cursor, ANN.key
        )
        assert offset.shape.page == OffsetPage(limit_slot=1, offset_slot=2, is_last=True)
        assert asked(products, offset='9980', limit='20').shape.page.is_last is False


class TestBodies:
    def test_members_that_do_not_exist(self, products: Readable) -> None:
        with pytest.raises(ParameterError):
            posted(products, fitler=[])

    def test_the_same_in_query_string_and_body(self, products: Readable) -> None:
        with pytest.raises(ParameterError, match='`limit` is given twice'):
            listed(products, {'limit': ['1']}, body={'limit': 1})
        with pytest.raises(ParameterError, match='`status` is given twice'):
            listed(products, {'status': ['x']}, body={'status': 'x'})

    def test_they_add_up(self, products: Readable) -> None:
        query = listed(products, {'limit': ['1']}, body={'offset': 2})

        assert query.values == (2, 2)

    @pytest.mark.parametrize('body', [[], 'x', 1])
    def test_a_body_is_an_object(self, products: Readable, body: Any) -> None:
        with pytest.raises(ParameterError):
            listed(products, {}, body=body)

    def test_a_text_in_filter_is_no_filter(self, products: Readable) -> None:
        with pytest.raises(FilterError, match='Filter spec `x` should be a dictionary'):
            posted(products, filter='x')
        with pytest.raises(FilterError, match='Filter spec `None`'):
            posted(products, filter=None)

    def test_sort_may_be_the_shorthand(self, products: Readable) -> None:
        assert posted(products, sort='-price') == asked(products, sort='-price')


class TestOneObject:
    def test_the_lookup_is_the_value(self, products: Readable) -> None:
        query = one(products, '7', {'fields': ['id']}, mask='name')

        assert query.shape.page == OneRow(lookup_slot=0)
        assert query.values == (7,)
        assert str(query.shape.mask) == '{name}'
        assert query.shape.count == 'none'

    @pytest.mark.parametrize('text', ['', 'x', '1.0', str(2**63), '7\0', '\ud800'])
    def test_what_cannot_be_an_id_is_not_there(self, products: Readable, text: str) -> None:
        with pytest.raises(Problem) as raised:
            one(products, text, {})

        assert raised.value.answer_status == 404
        assert raised.value.detail == 'There is nothing at this address.'

    def test_a_bad_mask_comes_first(self, products: Readable) -> None:
        with pytest.raises(MaskParseError):
            one(products, 'x', {}, mask='id,,x')

    @pytest.mark.parametrize('name', ['filter', 'limit', 'status', 'nope'])
    def test_it_takes_a_mask_only(self, products: Readable, name: str) -> None:
        with pytest.raises(ParameterError, match=f'Unknown parameter `{name}`'):
            one(products, '7', {name: ['x']})


class TestAllRows:
    def test_it_is_a_list_without_a_page(self, products: Readable) -> None:
        query = read_all(
            Asked(resource=products.resource, parameters={'status': ['active'], 'sort': ['-id']})
        )

        assert query == Query(
            shape=Shape(
                where=Leaf(field='status', op=Op.EQ, slot=0),
                order=(Key(field='id', descending=True, nulls_first=True),),
                page=AllRows(),
            ),
            values=('active',),
        )

    @pytest.mark.parametrize('name', ['limit', 'offset', 'cursor', 'count'])
    def test_pages_do_not_exist(self, products: Readable, name: str) -> None:
        with pytest.raises(ParameterError):
            read_all(Asked(resource=products.resource, parameters={name: ['1']}))
