"""The OpenAPI document: valid, and true of what the endpoints take and answer."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from backstay.caller import GUEST
from backstay.resources import Resource, read_rows, schema_of
from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import MaskError
from tests.bookshop.models import Specimen
from tests.inlined import inlined
from tests.resources.http.asking import Answer, get, post
from tests.resources.http.rows import FIRST, store_books, store_products, store_shown_products
from tests.resources.http.site import SERVED

pytestmark = pytest.mark.django_db

JSON, CSV, PROBLEM = 'application/json', 'text/csv', 'application/problem+json'


@pytest.fixture(scope='module')
def document(django_db_blocker: Any) -> dict[str, Any]:
    """The document of the whole site; making it reads no row."""
    from django.test import override_settings

    with override_settings(ROOT_URLCONF='tests.resources.http.site'):
        return inlined(get('/openapi.json').json)


def operation(document: dict[str, Any], name: str, action: str) -> dict[str, Any]:
    """One operation of a resource."""
    lookup = SERVED[name].options.lookup
    path, method = {
        'list': (f'/{name}/', 'get'),
        'query': (f'/{name}/query/', 'post'),
        'retrieve': (f'/{name}/{{{lookup}}}/', 'get'),
    }[action]
    found: dict[str, Any] = document['paths'][path][method]
    return found


def parameters(document: dict[str, Any], name: str, action: str) -> dict[str, Any]:
    """The parameters of an operation by their names."""
    return {each['name']: each for each in operation(document, name, action)['parameters']}


def assert_valid(document: dict[str, Any], schema: dict[str, Any], body: Any) -> None:
    """A body is as its schema says, formats included."""
    whole = {**schema, 'components': document['components']}
    checker = OAS31Validator.FORMAT_CHECKER
    errors = list(OAS31Validator(whole, format_checker=checker).iter_errors(body))
    assert errors == []


class TestDocument:
    @pytest.mark.engine_free
    def test_is_openapi_3_1_and_valid(self, document: dict[str, Any]) -> None:
        assert document['openapi'].startswith('3.1.')
        validate(document, cls=OpenAPIV31SpecValidator)

    @pytest.mark.engine_free
    def test_is_made_without_a_warning(self, settings: Any, tmp_path: Any) -> None:
        settings.ROOT_URLCONF = 'tests.resources.http.site'

        written = {'format': 'openapi-json', 'file': tmp_path / 'openapi.json'}
        call_command('spectacular', '--fail-on-warn', **written)

    @pytest.mark.parametrize('name', SERVED)
    def test_has_three_operations_of_every_resource(
        self, document: dict[str, Any], name: str
    ) -> None:
        base = SERVED[name].options.name.lower()

        ids = [
            operation(document, name, action)['operationId']
            for action in ('list', 'query', 'retrieve')
        ]

        assert ids == [f'{base}_list', f'{base}_query', f'{base}_retrieve']

    @pytest.mark.parametrize('name', SERVED)
    def test_describes_every_member_and_requires_none(
        self, document: dict[str, Any], name: str
    ) -> None:
        resource = SERVED[name]
        schema = document['components']['schemas'][resource.options.name]

        assert list(schema['properties']) == [*Readable(resource).names]
        assert 'required' not in schema
        assert schema['additionalProperties'] is False

    def test_tells_the_default_mask(self, document: dict[str, Any]) -> None:
        mask = '{id,title,status,price,publisher_id}'
        header = parameters(document, 'books', 'list')['X-Fields']

        assert document['components']['schemas']['Book']['x-mask'] == mask
        assert header['in'] == 'header'
        assert header['schema'] == {
            'type': 'string',
            'format': 'mask',
            'maxLength': 4096,
            'default': mask,
        }

    def test_names_the_header_as_the_setting_does(self, settings: Any) -> None:
        settings.ROOT_URLCONF = 'tests.resources.http.site'
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'mask_header': 'X-Mask'})

        assert 'X-Mask' in parameters(inlined(get('/few.json').json), 'books', 'retrieve')

    @pytest.mark.parametrize(
        ('member', 'schema'),
        [
            ('id', {'type': 'integer'}),
            ('title', {'type': 'string'}),
            ('status', {'$ref': '#/components/schemas/BookStatus'}),
            (
                'price',
                {
                    'type': ['string', 'null'],
                    'format': 'decimal',
                    'pattern': r'^-?\d+\.\d{2}$',
                },
            ),
            ('rating', {'type': ['number', 'null']}),
            ('released_on', {'type': ['string', 'null'], 'format': 'date'}),
            ('created_at', {'type': 'string', 'format': 'date-time'}),
            ('metadata', {}),
            ('labels', {'type': ['array', 'null'], 'items': {}}),
            ('url', {'type': 'string', 'format': 'uri'}),
            ('shouted', {'type': 'string'}),
            (
                'publisher',
                {'oneOf': [{'$ref': '#/components/schemas/Publisher'}, {'type': 'null'}]},
            ),
            (
                'tags',
                {'type': 'array', 'items': {'$ref': '#/components/schemas/Tag'}, 'maxItems': 5},
            ),
        ],
    )
    def test_describes_values_by_their_kind(
        self, document: dict[str, Any], member: str, schema: dict[str, Any]
    ) -> None:
        assert document['components']['schemas']['Book']['properties'][member] == schema

    def test_names_the_choices(self, document: dict[str, Any]) -> None:
        status = document['components']['schemas']['BookStatus']

        assert status == {'type': 'string', 'enum': ['draft', 'active', 'archived']}

    def test_says_what_each_field_can_be_asked(self, document: dict[str, Any]) -> None:
        described = parameters(document, 'books', 'list')

        assert described['price']['x-lookups'] == [
            'exact', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'not_in', 'isnull', 'range',
        ]  # fmt: skip
        assert {'price__gte', 'price__lte', 'title__icontains', 'status__in'} <= set(described)
        assert 'x-lookups' not in described['price__gte']
        of_members = described['metadata__isnull']['x-member-lookups']
        assert of_members == ['exact', 'ne', 'in', 'isnull']

    def test_goes_through_relations_once(self, document: dict[str, Any]) -> None:
        described = parameters(document, 'books', 'list')

        assert {'publisher.name', 'editions.isbn', 'tags.label'} <= set(described)
        assert not any(name.count('.') > 1 for name in described)

    def test_offers_nothing_that_is_not_filterable(self, document: dict[str, Any]) -> None:
        described = parameters(document, 'books', 'list')

        assert not [name for name in described if name.startswith(('blurb', 'url', 'shouted'))]

    def test_a_query_takes_the_grammars(self, document: dict[str, Any]) -> None:
        body = operation(document, 'books', 'query')['requestBody']['content'][JSON]['schema']
        query = document['components']['schemas']['BookQuery']

        assert body == {'$ref': '#/components/schemas/BookQuery'}
        assert query['properties']['filter'] == {'$ref': '#/components/schemas/FilterSpec'}
        assert query['properties']['limit']['maximum'] == 100

    def test_tells_the_codes_of_its_problems(self, document: dict[str, Any]) -> None:
        for action, status, code in (
            ('list', '400', 'filter-invalid'),
            ('list', '422', 'query-too-slow'),
            ('query', '415', 'unsupported-media-type'),
            ('retrieve', '404', 'not-found'),
            ('retrieve', '422', 'mask-too-expensive'),
        ):
            content = operation(document, 'books', action)['responses'][status]['content']
            assert code in content[PROBLEM]['schema']['allOf'][1]['properties']['code']['enum']

    def test_tells_who_may_be_turned_away(self, settings: Any) -> None:
        settings.ROOT_URLCONF = 'tests.resources.http.guarded_site'
        from drf_spectacular.generators import SchemaGenerator

        paths = SchemaGenerator().get_schema(public=True)['paths']

        assert '403' in paths['/products/']['get']['responses']
        assert '403' not in paths['/pages/']['get']['responses']
        assert '429' in paths['/countries/']['get']['responses']

    def test_csv_is_an_answer_of_lists_only(self, document: dict[str, Any]) -> None:
        for action, formats in (
            ('list', {JSON, CSV}),
            ('query', {JSON, CSV}),
            ('retrieve', {JSON}),
        ):
            responses = operation(document, 'books', action)['responses']
            assert set(responses['200']['content']) == formats


class TestAnswers:
    """Every answer is as the document says, for rows with every kind of value."""

    @pytest.fixture(autouse=True)
    def _rows(self) -> None:
        store_books()
        store_products()
        store_shown_products()
        Specimen.objects.create(**EMPTY)
        Specimen.objects.create(**FULL, **EMPTY)

    @pytest.mark.parametrize('name', sorted({*SERVED} - {'shelves'}))  # it costs too much
    @pytest.mark.parametrize('mask', [None, '*', '{}'])
    def test_of_lists_and_objects(
        self, document: dict[str, Any], name: str, mask: str | None
    ) -> None:
        options = SERVED[name].options
        answer = get(f'/{name}/', mask, limit=100)
        assert_valid(document, ref(f'{options.name}List'), answer.json)
        for row in get(f'/{name}/', options.lookup, limit=2).results:
            one = get(f'/{name}/{row[options.lookup]}/', mask)
            assert_valid(document, ref(options.name), one.json)

    @pytest.mark.parametrize(
        'query', ['cursor=&limit=2', 'count=none', 'count=estimate', 'limit=0']
    )
    def test_of_every_page(self, document: dict[str, Any], query: str) -> None:
        assert_valid(document, ref('BookList'), get(f'/books/?{query}&fields=*').json)

    @pytest.mark.parametrize(
        'query', ['fields=,', 'filter={', 'filter=1', 'sort=x', 'limit=x', 'offset=10001', 'x=1']
    )
    def test_of_problems(self, document: dict[str, Any], query: str) -> None:
        answer = get(f'/books/?{query}')
        responses = operation(document, 'books', 'list')['responses']

        described = responses[str(answer.status)]['content'][PROBLEM]['schema']
        assert_valid(document, described, answer.json)


def ref(component: str) -> dict[str, Any]:
    """A reference to a component."""
    return {'$ref': f'#/components/schemas/{component}'}


EMPTY: dict[str, Any] = {
    'required_text': '',
    'required_integer': 0,
    'required_real': 0.0,
    'required_money': 0,
    'required_truth': True,
    'required_day': '2026-01-01',
    'required_clock': '00:00',
    'required_moment': FIRST,
    'required_span': FIRST - FIRST,
    'required_uuid': '00000000-0000-0000-0000-000000000000',
    'required_document': {},
}
FULL: dict[str, Any] = {
    'text': 'ü"\\\n',
    'choice': 'a',
    'small': -1,
    'big': 2**63 - 1,
    'real': 1e300,
    'money': '-1234567890.12',
    'exact': '0.0000000001',
    'truth': False,
    'day': '0001-01-01',
    'clock': '23:59:59.999999',
    'moment': '9999-12-31T23:59:59.999999Z',
    'span': FIRST - FIRST.replace(year=2028, microsecond=1),
    'uuid': '01234567-89ab-cdef-0123-456789abcdef',
    'ip': '2001:db8::1',
    'file': 'a/b.txt',
    'binary': b'\x00\xff',
    'document': [1, {'a': None}],
}


def sample(document: dict[str, Any], schema: dict[str, Any]) -> str:
    """A text that the schema of a parameter allows."""
    if '$ref' in schema:
        return sample(document, document['components']['schemas'][schema['$ref'].split('/')[-1]])
    if 'enum' in schema:
        return str(schema['enum'][0])
    if 'default' in schema:
        return str(schema['default'])
    match schema.get('type'):
        case 'integer':
            return str(schema['maximum'])
        case 'number':
            return '-1.5e3'
        case 'boolean':
            return 'true'
        case 'array':
            return ','.join([sample(document, schema['items'])] * 2)
    return SAMPLES[schema.get('format') or schema.get('pattern', '')]


SAMPLES = {
    'date': '2026-01-31',
    'date-time': '2026-01-31T14:05:00.5+02:00',
    'time-local': '14:05:00',
    'uuid': '01234567-89ab-cdef-0123-456789abcdef',
    'decimal': '-12.5',
    'mask': 'id',
    r'^(-?\d+ )?\d{2}:\d{2}:\d{2}(\.\d{1,6})?$': '-1 00:00:01',
    '': '127.0.0.1',  # a text, and for the field that holds one, an address
}


class TestParameters:
    """Every parameter that is described is taken, with a value as it is described."""

    @staticmethod
    def asked(document: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
        """Every parameter of a list that stands for itself, with a value."""
        for parameter, described in parameters(document, name, 'list').items():
            if described['in'] != 'query' or parameter in ('cursor', 'filter', 'sort', 'format'):
                continue
            yield parameter, sample(document, described['schema'])

    @pytest.mark.parametrize('name', SERVED)
    def test_is_taken(self, document: dict[str, Any], name: str) -> None:
        for parameter, value in self.asked(document, name):
            answer = get(f'/{name}/', '{}', **{parameter: value})
            assert answer.status == 200, (parameter, value, answer.body)

    @pytest.mark.parametrize('name', ['books', 'specimens'])
    def test_lookups_are_taken(self, document: dict[str, Any], name: str) -> None:
        for parameter, described in parameters(document, name, 'list').items():
            value = sample(document, described['schema']) if 'x-lookups' in described else ''
            for lookup in described.get('x-lookups', ()):
                answer = self.ask(name, parameter.partition('__')[0], lookup, value)
                assert answer.status == 200, (parameter, lookup, answer.body)

    @staticmethod
    def ask(name: str, field: str, lookup: str, value: str) -> Answer:
        """A list, asked with a lookup."""
        value = {'isnull': 'true', 'range': f'{value},{value}'}.get(lookup, value)
        return get(f'/{name}/', '{}', **{f'{field}__{lookup}': value})

    def test_orders_are_taken(self, document: dict[str, Any]) -> None:
        pattern = parameters(document, 'books', 'list')['ordering']['schema']['pattern']
        names = pattern.split('(')[2].split(')')[0].replace('\\', '').split('|')

        assert {'id', 'title', 'publisher.name'} <= set(names)
        for name in names:
            assert get('/books/', '{}', ordering=f'-{name}').status == 200

    @pytest.mark.parametrize(
        'spec',
        [
            [],
            {'field': 'id', 'value': 1},
            {'field': 'id', 'op': None, 'value': 1},
            {
                'or': [
                    {'field': 'id', 'op': 'in', 'value': [1]},
                    {'not': [{'field': 'id', 'value': 2}]},
                ]
            },
            {'some': {'model': 'Edition', 'where': [{'field': 'stock', 'op': 'is_null'}]}},
            {'none': {'model': 'Edition'}},
        ],
        ids=json.dumps,
    )
    def test_the_grammar_holds_what_is_taken(self, document: dict[str, Any], spec: Any) -> None:
        assert post('/books/query/', {'filter': spec}).status == 200
        assert_valid(document, ref('FilterSpec'), spec)

    @pytest.mark.parametrize(
        'spec',
        [
            1,
            'x',
            {},
            {'field': 1},
            {'field': 'id', 'op': 'regexp', 'value': 1},
            {'field': 'id', 'value': 1, 'junk': 1},
            {'or': []},
            {'not': [[], []]},
            {'some': {}},
        ],
        ids=json.dumps,
    )
    def test_the_grammar_holds_nothing_else(self, document: dict[str, Any], spec: Any) -> None:
        assert post('/books/query/', {'filter': spec}).status == 400
        with pytest.raises(AssertionError):
            assert_valid(document, ref('FilterSpec'), spec)


def test_a_hidden_field_is_not_described() -> None:
    from drf_spectacular.plumbing import ComponentRegistry

    from backstay.resources.declaration.grants import Grant, anyone
    from backstay.resources.declaration.readable import Readable
    from backstay.resources.openapi.components import Components
    from tests.bookshop.models import Publisher

    class SignResource(Resource):
        class Meta:
            model = Publisher
            name = 'Sign'
            fields = ('id', 'name', 'country_id')
            default_mask = '{id,country_id}'

        grants = (Grant(anyone, read=('id', 'name')),)

    registry = ComponentRegistry()
    Components(registry).resource(Readable(SignResource))

    (schema,) = registry.build({})['schemas'].values()
    assert list(schema['properties']) == ['id', 'name']
    assert schema['x-mask'] == '{id}'
    assert 'country' not in json.dumps(schema)


class TestSchemaOfAResource:
    """What a service puts into its own description of an answer."""

    @pytest.mark.parametrize(
        ('name', 'mask'),
        [
            *((name, '') for name in SERVED),
            *((name, '*') for name in SERVED if name != 'shelves'),
            ('books', 'title,publisher{name,country},editions{isbn},metadata{color}'),
            ('shown', 'categories{name},variants{sku,prices}'),
        ],
    )
    def test_is_what_its_rows_are(self, name: str, mask: str) -> None:
        store_books()
        store_products()
        store_shown_products()
        Specimen.objects.create(**EMPTY)
        Specimen.objects.create(**FULL, **EMPTY)
        rows = read_rows(SERVED[name], GUEST, mask=mask, origin='https://example.com').objects

        schema = schema_of(SERVED[name], mask)

        OAS31Validator.check_schema(schema)
        for row in rows:
            assert_valid({'components': {}}, schema, json.loads(row))
            assert list(json.loads(row)) == schema['required'] == list(schema['properties'])
        assert '$ref' not in json.dumps(schema)

    def test_refuses_a_name_that_is_not_there(self) -> None:
        with pytest.raises(MaskError, match='nope'):
            schema_of(SERVED['books'], 'title,nope')

    def test_an_object_that_must_be_there_is_not_null(self) -> None:
        properties = schema_of(SERVED['volumes'], 'id,book')['properties']

        assert properties['book']['type'] == 'object'
