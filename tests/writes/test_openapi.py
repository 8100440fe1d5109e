"""The OpenAPI document of writes: valid, and for each role what it may do and give, no more."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.plumbing import ComponentRegistry
from drf_spectacular.utils import extend_schema
from hypothesis import HealthCheck, given, settings
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from backstay.docs import JsonDocumentView, caller_in
from backstay.resources import Resource, ResourceRouter, ResourceViewSet, kinds, view_set_of
from backstay.resources.http.asking import DELETED
from backstay.resources.openapi.components import Components
from backstay.resources.openapi.written_values import value
from backstay.resources.write import granting
from backstay.resources.write.members import writable, writable_relations
from tests.inlined import inlined
from tests.lending.models import Branch, Item, Note
from tests.lending.resources import SERVED, BranchResource, StampResource
from tests.rights.site import AT_ITS_WORD
from tests.writes.conftest import Ask
from tests.writes.json_values import MEMBERS, VALUES

ROLES = ('guest', 'account', 'level:1', 'level:2', 'level:3')
PROBLEM = 'application/problem+json'
Document = dict[str, Any]


def document_of(role: str, patterns: Any = None) -> Document:
    """What a role is told; no database is asked."""
    staff = get_user_model()(username='staff', is_staff=True)
    request = APIRequestFactory().get('/docs.json', {'as': role})
    force_authenticate(request, staff)
    GENERATOR_STATS.reset()
    with override_settings(ROOT_URLCONF='tests.lending.site'):
        answer = JsonDocumentView.as_view(patterns=patterns)(request)
    assert not GENERATOR_STATS, (GENERATOR_STATS._warn_cache, GENERATOR_STATS._error_cache)
    return inlined(json.loads(answer.content))


DOCUMENTS = {role: document_of(role) for role in ROLES}
HELPER, MANAGER = DOCUMENTS['level:2'], DOCUMENTS['level:3']


def operation(document: Document, method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = document['paths'][path][method]
    return found


def schema_of(document: Document, name: str) -> dict[str, Any]:
    found: dict[str, Any] = document['components']['schemas'][name]
    return found


def body_of(document: Document, method: str, path: str) -> dict[str, Any]:
    content = operation(document, method, path)['requestBody']['content']
    found: dict[str, Any] = content['application/json']['schema']
    return found


def parameters(document: Document, method: str, path: str) -> dict[str, Any]:
    described = operation(document, method, path).get('parameters', ())
    return {each['name']: each for each in described}


def codes(document: Document, method: str, path: str, status: int) -> list[str]:
    """The codes that are told of a status; empty where any may come."""
    answer = operation(document, method, path)['responses'][str(status)]
    known = answer['content'][PROBLEM]['schema'].get('allOf', [{}, {}])[1]
    code = known.get('properties', {}).get('code', {})
    return [*code.get('enum', code.get('examples', ()))]


def is_valid(document: Document, schema: dict[str, Any], body: Any) -> bool:
    whole = {**schema, 'components': document['components']}
    return bool(OAS31Validator(whole, format_checker=OAS31Validator.FORMAT_CHECKER).is_valid(body))


@pytest.mark.parametrize('role', ROLES)
def test_the_document_of_a_role_is_valid(role: str) -> None:
    validate(DOCUMENTS[role], cls=OpenAPIV31SpecValidator)


def test_a_role_is_told_of_what_it_may_do_with_some_row() -> None:
    def told(role: str, prefix: str) -> set[str]:
        methods = {'post', 'put', 'patch', 'delete'}
        return {
            f'{method} {path.removeprefix(f"/{prefix}/")}'
            for path, found in DOCUMENTS[role]['paths'].items()
            for method in methods & found.keys()
            if path.startswith(f'/{prefix}/') and not path.endswith('/query/')
        }

    of_many = {'post bulk/', 'patch bulk/', 'delete bulk/'}
    assert told('guest', 'items') == told('account', 'items') == told('level:1', 'items') == set()
    assert told('level:2', 'items') == {
        'post ', 'put {id}/', 'patch {id}/', 'post bulk/', 'patch bulk/',
    }  # fmt: skip
    assert told('level:3', 'items') == {
        'post ', 'put {id}/', 'patch {id}/', 'delete {id}/', 'post {id}/restore/', *of_many,
    }  # fmt: skip
    assert told('level:3', 'branches') == {'patch {id}/', 'post bulk/', 'patch bulk/'}
    assert told('guest', 'stamps') == set()
    assert told('account', 'stamps') == {'post ', 'patch {code}/', 'delete {code}/', *of_many}
    # Nothing in a list of keys says which version is meant.
    assert told('level:2', 'loans') == {'post ', 'patch {id}/', 'delete {id}/', 'post bulk/'}


@pytest.mark.parametrize('role', ROLES)
@pytest.mark.parametrize('prefix', SERVED)
def test_a_body_has_the_members_that_the_role_may_give(prefix: str, role: str) -> None:
    resource, document = SERVED[prefix], DOCUMENTS[role]
    standing = caller_in(role).standing(writing=True)
    for verb, right in (('Create', 'create'), ('Patch', 'write'), ('Replace', 'write')):
        name = resource.options.name + verb
        if name not in document['components']['schemas']:
            put = verb == 'Replace' and not resource.options.put
            assert put or not granting.may(resource, standing, right)  # type: ignore[arg-type]
            continue
        schema = schema_of(document, name)
        allowed = granting.all_members(resource, standing, right)  # type: ignore[arg-type]
        assert schema['properties'].keys() == allowed, name
        assert schema['additionalProperties'] is False


def test_what_has_no_default_is_required_of_a_new_row() -> None:
    assert schema_of(HELPER, 'ItemCreate')['required'] == ['branch_id', 'code', 'title']
    assert 'required' not in schema_of(HELPER, 'ItemPatch')
    assert schema_of(HELPER, 'ItemReplace')['required'] == ['title']
    # A row that only the lower grant covers takes no code, so none can be asked for.
    assert schema_of(MANAGER, 'ItemReplace')['required'] == ['title']


def test_what_nobody_reads_is_told_to_who_may_write_it() -> None:
    assert 'secret' in schema_of(MANAGER, 'ItemPatch')['properties']
    assert 'secret' not in schema_of(HELPER, 'ItemPatch')['properties']
    assert 'secret' not in schema_of(MANAGER, 'Item')['properties']


@pytest.mark.parametrize(
    ('member', 'schema'),
    [
        ('title', {'type': 'string', 'minLength': 1, 'maxLength': 80, 'pattern': r'\S'}),
        ('status', {'$ref': '#/components/schemas/ItemStatus'}),
        (
            'price',
            {
                'type': ['string', 'null'],
                'format': 'decimal',
                'pattern': r'^-?\d{1,6}(\.\d{1,2})?$',
            },
        ),
        ('pages', {'type': 'integer', 'minimum': 0, 'maximum': 2147483647}),
        ('details', {}),
        (
            'code',
            {'type': 'string', 'minLength': 1, 'maxLength': 40, 'pattern': '^[-a-zA-Z0-9_]+$'},
        ),
        ('secret', {'type': 'string', 'maxLength': 40}),
    ],
)
def test_a_value_is_described_as_it_is_checked(member: str, schema: dict[str, Any]) -> None:
    assert schema_of(MANAGER, 'ItemPatch')['properties'][member] == schema


#: Texts that must be of some form, of which the framework takes more than one.
LENIENT = frozenset(
    {kinds.DATE, kinds.DATETIME, kinds.DECIMAL, kinds.DURATION, kinds.IP, kinds.TIME, kinds.UUIDS}
)
#: What `format` alone does not say exactly.
VAGUE = frozenset({'email', 'url', 'path'})


@settings(
    max_examples=400,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[*HealthCheck],
)
@given(raw=VALUES)
def test_a_value_is_accepted_where_its_schema_says_so(raw: object) -> None:
    for name, (schema, types) in SCHEMAS.items():
        member = MEMBERS[name]
        is_described = schema.is_valid(raw)
        is_taken = not member.clean(raw)[1]
        if is_described and not _is_beyond_schemas(raw):
            assert is_taken or member.name in VAGUE, name
        elif is_taken and member.field.kind not in LENIENT and json_type(raw) in types:
            # Blanks around a text are taken away.
            assert schema.is_valid(str(raw).strip()), name


def _schemas() -> Iterator[tuple[str, tuple[Any, set[str]]]]:
    registry = ComponentRegistry()
    components = Components(registry)
    checker = OAS31Validator.FORMAT_CHECKER
    for name, member in MEMBERS.items():
        owner = name.partition('.')[0]
        schema = value(member.check, member.field, owner, components)
        whole = {**schema, 'components': registry.build({})}
        types = schema.get('type', ['string'] if '$ref' in schema or 'oneOf' in schema else [])
        types = {types} if isinstance(types, str) else {*types}
        yield name, (OAS31Validator(whole, format_checker=checker), types)


SCHEMAS = dict(_schemas())


def json_type(raw: object) -> str:
    """What JSON calls a value."""
    match raw:
        case None:
            return 'null'
        case bool():
            return 'boolean'
        case str():
            return 'string'
        case int():
            return 'integer'
        case list():
            return 'array'
        case dict():
            return 'object'
    return 'number'


def _is_beyond_schemas(raw: object) -> bool:
    """Whether no schema says that it is refused: a NUL, endless numbers, moments without a year."""
    if isinstance(raw, int):
        return abs(raw) > 10**300
    text = repr(raw)
    return '\\x00' in text or 'E+4' in text or text[1:11] in ('0001-01-01', '9999-12-31')


class TestRelations:
    def test_children_are_nested_bodies_without_their_parent(self) -> None:
        notes = schema_of(HELPER, 'ItemPatch')['properties']['notes']
        assert [each['$ref'].split('/')[-1] for each in notes['items']['anyOf']] == [
            'ItemCreateNotes',
            'ItemPatchNotes',
        ]
        created = schema_of(HELPER, 'ItemCreateNotes')
        assert created['properties'].keys() == {'text', 'position', 'marks'}
        assert created['required'] == ['text']
        assert schema_of(HELPER, 'NoteCreate')['required'] == ['item_id', 'text']
        changed = schema_of(HELPER, 'ItemPatchNotes')
        assert changed['properties'].keys() == {'id', 'text', 'position', 'marks'}
        assert changed['required'] == ['id']

    def test_a_new_row_has_no_children_that_could_be_changed(self) -> None:
        notes = schema_of(HELPER, 'ItemCreate')['properties']['notes']
        assert notes['items'] == {'$ref': '#/components/schemas/ItemCreateNotes'}

    def test_the_one_child_may_be_null(self) -> None:
        cover = schema_of(HELPER, 'ItemPatch')['properties']['cover']
        assert {'type': 'null'} in cover['anyOf']

    @pytest.mark.django_db
    def test_a_child_is_named_as_its_address_names_it(self, ask: Ask, north: Branch) -> None:
        item = Item.objects.create(branch=north, code='a', title='A')
        note = Note.objects.create(item=item, text='note')
        body = {'notes': [{'id': str(note.pk), 'text': 'new'}]}
        assert ask('manager', 'patch', f'/items/{item.pk}/', body).status_code == 200
        note.refresh_from_db()
        assert note.text == 'new'

    def test_links_are_keys(self) -> None:
        keywords = schema_of(HELPER, 'ItemPatch')['properties']['keywords']
        assert keywords['items']['type'] == 'integer'

    def test_a_role_is_told_of_its_own_members_of_children(self) -> None:
        assert 'is_hidden' in schema_of(MANAGER, 'ItemPatchNotes')['properties']
        assert 'is_hidden' not in schema_of(HELPER, 'ItemPatchNotes')['properties']

    def test_every_writable_relation_is_described(self) -> None:
        for resource in SERVED.values():
            name = f'{resource.options.name}Patch'
            if name in MANAGER['components']['schemas']:
                properties = schema_of(MANAGER, name)['properties']
                assert {*writable_relations(resource)} <= properties.keys()


class TestBulk:
    def test_operations_are_told_apart_by_op(self) -> None:
        one = schema_of(MANAGER, 'ItemBulk')['properties']['operations']['items']
        assert one['discriminator']['propertyName'] == 'op'
        assert [*one['discriminator']['mapping']] == ['create', 'update', 'delete', 'upsert']
        assert len(one['oneOf']) == 4

    def test_a_role_is_told_of_its_own_operations(self) -> None:
        one = schema_of(HELPER, 'ItemBulk')['properties']['operations']['items']
        assert [*one['discriminator']['mapping']] == ['create', 'update', 'upsert']
        one = schema_of(MANAGER, 'BranchBulk')['properties']['operations']['items']
        assert [*one['discriminator']['mapping']] == ['update']

    @pytest.mark.parametrize(
        ('body', 'is_described'),
        [
            ({'operations': []}, False),
            ({'operations': [{'op': 'create', 'body': {'code': 'a', 'label': 'A'}}]}, True),
            ({'operations': [{'op': 'create', 'body': {'label': 'A'}}]}, False),
            ({'operations': [{'op': 'update', 'id': 'a', 'body': {}}], 'atomic': False}, True),
            ({'operations': [{'op': 'update', 'id': 'a', 'body': {}, 'if_version': 1}]}, False),
            ({'operations': [{'op': 'delete', 'id': 'a'}]}, True),
            ({'operations': [{'op': 'delete', 'id': 'a', 'body': {}}]}, False),
            ({'operations': [{'op': 'upsert', 'key': 'a', 'body': {'label': 'A'}}]}, True),
            ({'operations': [{'op': 'upsert', 'key': {'code': 'a'}, 'body': {}}]}, True),
            ({'operations': [{'op': 'drop', 'id': 'a'}]}, False),
            ({'operations': [], 'more': 1}, False),
            ([{'code': 'a', 'label': 'A'}], True),
            ([{'code': 'a'}], False),
            ({}, False),
        ],
        ids=json.dumps,
    )
    @pytest.mark.django_db
    def test_the_body_holds_what_is_taken(self, ask: Ask, body: Any, is_described: bool) -> None:
        described = body_of(DOCUMENTS['account'], 'post', '/stamps/bulk/')
        assert is_valid(DOCUMENTS['account'], described, body) is is_described
        StampResource.options.model._base_manager.create(code='a', label='Old')
        answer = ask('stranger', 'post', '/stamps/bulk/', body)
        codes = {fault['code'] for fault in answer.json().get('errors', ())}
        # What is described may collide with what is there.
        assert (answer.status_code == 200 or codes == {'duplicate'}) is is_described

    def test_patches_are_named_by_their_keys(self) -> None:
        schema = body_of(MANAGER, 'patch', '/items/bulk/')
        assert is_valid(MANAGER, schema, {'3': {'title': 'x'}, '10': {}})
        assert not is_valid(MANAGER, schema, {'x': {}})
        assert not is_valid(MANAGER, schema, {'3': {'version': 3}})

    def test_a_list_of_keys_is_deleted(self) -> None:
        assert body_of(MANAGER, 'delete', '/items/bulk/')['items']['type'] == 'integer'

    def test_an_operation_says_its_version_where_that_is_required(self) -> None:
        update = schema_of(MANAGER, 'ItemBulkUpdate')
        assert 'if_version' in update['properties']
        assert update['required'] == ['op', 'id', 'body']
        assert 'LoanBulkUpdate' not in MANAGER['components']['schemas']


class TestHeaders:
    def test_if_match_is_required_where_the_resource_requires_it(self) -> None:
        loan = parameters(HELPER, 'patch', '/loans/{id}/')['If-Match']
        item = parameters(HELPER, 'patch', '/items/{id}/')['If-Match']
        assert loan['required'] is True
        assert 'required' not in item
        assert '428' in operation(HELPER, 'delete', '/loans/{id}/')['responses']
        assert '428' not in operation(HELPER, 'patch', '/items/{id}/')['responses']
        assert 'If-Match' not in parameters(HELPER, 'post', '/items/')

    @pytest.mark.parametrize(
        ('given', 'is_described'),
        [('*', True), ('"1-ab"', True), ('W/"1", "2"', True), ('1', False), ('"1', False)],
    )
    @pytest.mark.django_db
    def test_if_match_is_described_as_it_is_read(
        self, ask: Ask, north: Branch, given: str, is_described: bool
    ) -> None:
        item = Item.objects.create(branch=north, code='a', title='A')
        schema = parameters(MANAGER, 'patch', '/items/{id}/')['If-Match']['schema']
        answer = ask('manager', 'patch', f'/items/{item.pk}/', {}, HTTP_IF_MATCH=given)
        assert is_valid(MANAGER, schema, given) is is_described
        assert (answer.status_code != 400) is is_described

    def test_preconditions_are_those_of_writes_of_one_object(self) -> None:
        for path, methods in MANAGER['paths'].items():
            for method in methods.keys() & {'post', 'put', 'patch', 'delete'}:
                if path.endswith('/query/'):
                    continue
                named = {*parameters(MANAGER, method, path)} & {'If-Match', 'If-None-Match'}
                assert named == ({'If-Match', 'If-None-Match'} if '{' in path else set()), path
                if not named:
                    answers = operation(MANAGER, method, path)['responses']
                    assert 'precondition-misplaced' in json.dumps(answers['400']), (method, path)

    def test_an_idempotency_key_is_required_where_the_resource_requires_it(self) -> None:
        many = parameters(MANAGER, 'post', '/items/bulk/')['Idempotency-Key']
        one = parameters(MANAGER, 'post', '/items/')['Idempotency-Key']
        free = parameters(DOCUMENTS['account'], 'post', '/stamps/bulk/')['Idempotency-Key']
        assert many['required'] is True
        assert 'required' not in one
        assert 'required' not in free
        assert 'idempotency-key-missing' in codes(MANAGER, 'delete', '/items/bulk/', 400)
        assert 'idempotency-key-missing' not in codes(MANAGER, 'post', '/items/', 400)
        for key, is_described in (('k', True), ('a b', True), ('', False), ('x' * 256, False)):
            assert is_valid(MANAGER, many['schema'], key) is is_described

    def test_answers_have_their_headers(self) -> None:
        made = operation(HELPER, 'post', '/items/')['responses']
        assert {'ETag', 'Location', 'Idempotency-Replayed'} <= made['201']['headers'].keys()
        assert 'Retry-After' in made['409']['headers']
        assert 'Retry-After' in made['503']['headers']
        assert 'content' not in operation(MANAGER, 'delete', '/items/{id}/')['responses']['204']

    def test_deleted_rows_are_a_parameter_for_who_may_restore_them(self) -> None:
        for method, path in (
            ('get', '/items/'),
            ('get', '/items/{id}/'),
            ('post', '/items/query/'),
        ):
            schema = parameters(MANAGER, method, path)[DELETED]['schema']
            assert schema == {'type': 'boolean', 'default': False}
            assert DELETED not in parameters(HELPER, method, path)
        assert DELETED not in parameters(MANAGER, 'get', '/notes/')

    def test_a_patch_has_two_content_types(self) -> None:
        content = operation(HELPER, 'patch', '/items/{id}/')['requestBody']['content']
        assert [*content] == ['application/json', 'application/merge-patch+json']


def test_every_problem_of_a_write_is_told() -> None:
    told = {
        int(status): codes(MANAGER, 'patch', '/loans/{id}/', int(status))
        for status in operation(MANAGER, 'patch', '/loans/{id}/')['responses']
        if status.isdigit() and int(status) >= 400
    }
    assert [*told] == [400, 401, 403, 404, 406, 409, 412, 413, 415, 422, 428, 503]
    assert {'malformed-json', 'header-invalid', 'mask-parse-error'} <= {*told[400]}
    assert {'unknown-field', 'field-not-writable', 'reference-not-found'} <= {*told[422]}
    assert {'duplicate', 'in-use', 'idempotency-in-progress'} <= {*told[409]}
    assert (told[412], told[428], told[503]) == (
        ['version-mismatch'],
        ['precondition-required'],
        ['busy'],
    )
    assert 'bulk-refused' in codes(MANAGER, 'post', '/notes/bulk/', 422)


def test_rules_of_a_resource_may_have_codes_of_their_own() -> None:
    def code(path: str) -> dict[str, Any]:
        answer = operation(MANAGER, 'patch', path)['responses']['409']
        described: dict[str, Any] = answer['content'][PROBLEM]['schema']['allOf'][1]
        return described['properties']['code']  # type: ignore[no-any-return]

    assert 'enum' in code('/notes/{id}/')
    assert 'enum' not in code('/items/{id}/')


def test_names_of_bodies_do_not_collide_with_resources() -> None:
    """The `cover` of an `Offer` stands beside the resource `OfferCover`."""
    router = ResourceRouter()
    for prefix, resource in _offers().items():
        router.register(prefix, view_set_of(resource, **AT_ITS_WORD))
    schemas = document_of('level:3', router.urls)['components']['schemas']
    assert {'OfferCreate', 'OfferCreateCover', 'OfferCoverCreate'} <= schemas.keys()


def _offers() -> dict[str, type[Resource]]:
    from backstay.resources import ALL, Grant, One, Parent, level_somewhere
    from tests.lending.models import Cover

    grants_of_all = (Grant(level_somewhere(3), read=ALL, write=ALL, create=ALL, delete=True),)

    class OfferCoverResource(Resource):
        grants = grants_of_all
        item = Parent('OfferResource')

        class Meta:
            model = Cover
            name = 'OfferCover'
            fields = ('id', 'item_id', 'colour')

    class OfferResource(Resource):
        grants = grants_of_all
        branch = Parent(BranchResource)
        cover = One(OfferCoverResource, writable=True)

        class Meta:
            model = Item
            name = 'Offer'
            fields = ('id', 'branch_id', 'code', 'title')

    return {'covers': OfferCoverResource, 'offers': OfferResource}


def test_an_action_of_a_subclass_is_described_by_itself() -> None:
    class OwnViewSet(ResourceViewSet):
        resource = StampResource
        authentication_classes = AT_ITS_WORD['authentication_classes']

        @extend_schema(request=None, responses={200: str})
        def create(self, request: Any, **_path: str) -> Response:
            return Response({})

    router = ResourceRouter()
    router.register('stamps', OwnViewSet)
    document = document_of('account', router.urls)
    assert '201' not in operation(document, 'post', '/stamps/')['responses']
    assert operation(document, 'patch', '/stamps/{code}/')['operationId'] == 'stamp_partial_update'


def test_every_member_of_the_specimen_has_a_schema() -> None:
    assert len(SCHEMAS) == len(MEMBERS)
    assert {name.partition('.')[2] for name in MEMBERS} >= {*writable(SERVED['items'])}
