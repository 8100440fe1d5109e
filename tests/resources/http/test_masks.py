"""Masks over HTTP: rules M1 to M13, and the cases of `tests/resources/contract`."""

from time import process_time
from typing import Any

import pytest

from tests.bookshop.models import Book, Tag
from tests.catalogue.models import Product, Variant
from tests.resources.contract import cases
from tests.resources.http.asking import Answer, get, post

pytestmark = pytest.mark.usefixtures('shown_products')

DEFAULT = ['id', 'company_id', 'type_id', 'name', 'status', 'seo']
P7 = '/shown/7/'


def ask(case: dict[str, Any], **options: Any) -> Answer:
    """What a case asks; its list is in the order of the rows' ids."""
    path = case['path'].replace('/products', '/shown') + '/'
    if path == '/shown/':
        options['ordering'] = 'id'
    return get(path, case['mask'], **options)


def assert_answered(answer: Answer, case: dict[str, Any]) -> None:
    """The body of the case, in the case's order of members, or its error."""
    assert answer.status == case['status'], answer.body
    if answer.status == 400:
        assert answer.json['detail'] == case['body']['message']
        kind = case['body']['message'].split(':')[0]
        assert answer.json['code'] == kind.lower().replace(' ', '-')
        return
    body = answer.results if case['path'] == '/products' else answer.json
    assert body == case['body']
    assert members(body) == members(case['body'])


def members(body: Any) -> str:
    """The body with its members in order; those of `metadata` have the order of the database."""
    match body:
        case list():
            return f'[{",".join(members(each) for each in body)}]'
        case dict():
            listed = (f'{name}:{members(value)}' for name, value in body.items())
            return f'{{{",".join(sorted(listed) if "color" in body else listed)}}}'
    return repr(body)


@pytest.mark.parametrize('case', cases('mask_http_cases', 'K'))
def test_case_in_the_header(case: dict[str, Any]) -> None:
    assert_answered(ask(case), case)


@pytest.mark.parametrize('case', cases('mask_http_cases', 'K'))
def test_case_in_the_parameter(case: dict[str, Any]) -> None:
    parameter = {} if case['mask'] is None else {'fields': case['mask']}

    assert_answered(ask({**case, 'mask': None}, **parameter), case)


@pytest.mark.parametrize('case', cases('mask_http_cases', 'K66', 'K67', 'K69'))
def test_case_in_the_body_of_a_query(case: dict[str, Any]) -> None:
    answer = post('/shown/query/', {'fields': case['mask'], 'sort': 'id'})

    assert answer.results == case['body']


class TestWhereAMaskComesFrom:
    @pytest.mark.parametrize('blank', ['', '   ', '\t'])
    def test_x01_a_blank_header_is_none(self, blank: str) -> None:
        assert list(get(P7, blank).json) == DEFAULT

    def test_x12_the_header_wins_over_the_parameter(self) -> None:
        assert get(P7, 'id', fields='name').json == {'id': 7}

    def test_two_headers_are_one_list(self) -> None:
        """What HTTP makes of them, before any application sees it (RFC 9110 section 5.3)."""
        assert get(P7, 'id,name').json == {'id': 7, 'name': 'Mug'}

    def test_the_name_of_the_header_is_a_setting(self, settings: Any) -> None:
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'mask_header': 'X-Mask'})

        answer = get(P7, 'id', headers={'X-Mask': 'name'})

        assert answer.json == {'name': 'Mug'}
        assert 'X-Mask' in answer['Vary']

    def test_a_name_that_is_not_ascii_is_unknown(self) -> None:
        assert get(P7, 'id,n\xe4me').json == {'id': 7}


class TestWhatAMaskShows:
    def test_x02_a_mask_deeper_than_the_data_shows_the_scalar(self) -> None:
        assert get(P7, 'metadata{color{x}}').json == {'metadata': {'color': 'blue'}}

    def test_x17_a_child_does_not_know_its_parent(self) -> None:
        answer = get(P7, 'seo{title},variants{product{name}}')

        assert answer.json == {'seo': {'title': 'Mug!'}, 'variants': [{}, {}]}

    def test_x18_the_envelope_is_out_of_reach(self) -> None:
        answer = get('/shown/', 'results{id}')

        assert answer.results == [{}, {}]
        assert answer.json['count'] == 2

    def test_x11_another_mask_is_another_etag(self) -> None:
        one, other = get(P7, 'id'), get(P7, 'name')

        assert one['ETag'] != other['ETag']
        assert 'X-Fields' in one['Vary']


STRICT = {'Prefer': 'handling=strict'}


class TestStrictClients:
    @pytest.mark.parametrize('mask', ['id,nope,cost', 'variants{nope},cost'])
    def test_x03_unknown_and_hidden_names_are_refused_alike(self, mask: str) -> None:
        answer = get(P7, mask, headers=STRICT)

        assert (answer.status, answer.json['code']) == (400, 'mask-error')
        assert '`nope`, `cost`' in answer.json['detail']

    @pytest.mark.parametrize(
        'header',
        [
            'handling=strict',
            'Handling="strict"',
            'respond-async, HANDLING = Strict; foo=1',
            'handling=strict,wait=10',
        ],
    )
    def test_the_preference_is_heeded_and_said_so(self, header: str) -> None:
        answer = get(P7, 'id', headers={'Prefer': header})

        assert answer['Preference-Applied'] == 'handling=strict'
        assert 'Prefer' in answer['Vary']

    @pytest.mark.parametrize(
        'header', ['', 'handling=lenient', 'nothandling=strict', 'handling=strictly']
    )
    def test_any_other_preference_is_not(self, header: str) -> None:
        answer = get(P7, 'id,nope', headers={'Prefer': header})

        assert answer.json == {'id': 7}
        assert not answer.has('Preference-Applied')


class TestLimits:
    def test_x05_the_mask_is_read_before_the_row(self) -> None:
        assert get('/shown/999999/', 'id,,x').status == 400

    @pytest.mark.parametrize(
        'mask',
        ['a' * 4097, ','.join(f'a{at}' for at in range(257)), 'a{' * 9 + 'b' + '}' * 9],
        ids=['bytes', 'names', 'depth'],
    )
    def test_x06_a_mask_that_is_too_large(self, mask: str) -> None:
        answer = get(P7, mask)

        assert (answer.status, answer.json['code']) == (400, 'mask-too-large')

    def test_x07_a_hundred_thousand_brackets(self) -> None:
        took = []
        for _ in range(3):
            before = process_time()
            assert post('/shown/query/', {'fields': '{' * 100_000}).status == 400
            took.append(process_time() - before)

        assert min(took) < 0.05

    def test_x08_a_mask_that_costs_too_much(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            answer = get('/shelves/', 'variants{id}')

        assert (answer.status, answer.json['code']) == (422, 'mask-too-expensive')
        assert (answer.json['cost'], answer.json['limit']) == (100 * 600, 50_000)

    def test_what_a_list_may_not_read_one_object_may(self) -> None:
        assert len(get('/shelves/7/', 'variants{id}').json['variants']) == 2

    def test_x09_a_list_is_cut_at_its_cap(self) -> None:
        Variant.objects.bulk_create(
            Variant(pk=at, product_id=8, sku=f's{at}') for at in range(1000, 1130)
        )

        answer = get('/shown/8/', 'variants{id}')

        assert answer.json == {'variants': [{'id': at} for at in range(1000, 1100)]}
        assert answer['X-Truncated'] == '/variants'

    def test_lists_that_were_cut_are_named_in_the_envelope(self) -> None:
        tags = [Tag.objects.create(label=f'{at}') for at in range(6)]
        for pk in (1, 2, 3):
            book = Book.objects.create(pk=pk, title='t', created_at='2026-01-01T00:00Z')
            book.tags.set(tags if pk != 2 else tags[:5])

        answer = get('/books/', 'id,tags{label}', ordering='id')

        assert answer.json['truncated'] == ['/results/0/tags', '/results/2/tags']
        assert [len(each['tags']) for each in answer.results] == [5, 5, 5]
        backwards = get('/books/', 'id,tags{label}', ordering='-id', cursor='', limit=3)
        assert backwards.json['truncated'] == ['/results/0/tags', '/results/2/tags']

    def test_a_list_at_its_cap_is_whole(self) -> None:
        Variant.objects.bulk_create(
            Variant(pk=at, product_id=8, sku=f's{at}') for at in range(1000, 1100)
        )

        answer = get('/shown/8/', 'variants{id}')

        assert len(answer.json['variants']) == 100
        assert not answer.has('X-Truncated')


class TestStatements:
    @pytest.mark.parametrize(
        'mask', [None, '*', 'id', 'id,variants{sku,prices{amount}},categories{name}', '{}']
    )
    @pytest.mark.parametrize('path', [P7, '/shown/'])
    def test_x10_every_read_is_one_statement(
        self, path: str, mask: str | None, django_assert_num_queries: Any
    ) -> None:
        for pk in range(100, 120):
            Product.objects.create(pk=pk, name='p', status='active')

        with django_assert_num_queries(1):
            assert get(path, mask).status == 200
