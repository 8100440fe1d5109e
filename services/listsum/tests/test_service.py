"""What list-sum declares: its documentation, its OpenAPI document, its open origins."""

from typing import Any

import pytest
from django.test import Client
from openapi_spec_validator import validate

from services.listsum.tests.fastapi_oracle import JSON, PATH


@pytest.fixture
def document() -> dict[str, Any]:
    response = Client().get('/api/v1/openapi.json')
    assert response.status_code == 200
    content: dict[str, Any] = response.json()
    return content


def test_the_openapi_document_is_valid_and_its_own(document: dict[str, Any]) -> None:
    validate(document)
    assert document['openapi'].startswith('3.1')
    assert document['info']['title'] == 'List-sum'
    assert list(document['paths']) == [PATH]


def test_the_openapi_document_tells_body_and_answers(document: dict[str, Any]) -> None:
    operation = document['paths'][PATH]['post']
    content = operation['requestBody']['content']
    assert list(content) == [JSON]
    schema = content[JSON]['schema']['$ref'].rpartition('/')[2]
    lists = document['components']['schemas'][schema]
    positive = {'type': 'integer', 'exclusiveMinimum': 0}
    assert positive.items() <= lists['properties']['list_a']['items'].items()
    assert lists['required'] == ['list_a', 'list_b', 'target']
    assert operation['responses']['200']['content'] == {JSON: {'schema': {'type': 'boolean'}}}
    assert 'parameters' not in operation
    assert {'200', '400', '422', 'default'} <= set(operation['responses'])
    assert operation.get('security', [{}]) == [{}]


def test_the_documentation_is_a_page() -> None:
    response = Client().get('/api/v1/docs')
    assert response.status_code == 200
    assert (
        b'/api/v1/openapi.json' in response.content + Client().get('/api/v1/docs?script=').content
    )


def test_a_browser_of_any_origin_may_call() -> None:
    origin = {'Origin': 'https://anywhere.example'}
    body = b'{"list_a":[3],"list_b":[7],"target":10}'
    response = Client().post(PATH, body, JSON, headers=origin)
    assert response.headers['Access-Control-Allow-Origin'] in ('*', origin['Origin'])
    assert 'Access-Control-Allow-Credentials' not in response.headers


def test_a_browser_of_any_origin_may_ask_first() -> None:
    headers = {
        'Origin': 'https://anywhere.example',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type',
    }
    response = Client().options(PATH, headers=headers)
    assert response.status_code == 200
    assert 'POST' in response.headers['Access-Control-Allow-Methods']
    assert 'content-type' in response.headers['Access-Control-Allow-Headers']
