"""The documentation of a site: pages that need no other server, documents that are valid."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from types import ModuleType
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import yaml
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from backstay import docs
from backstay.services import Service, find, mounted
from backstay.urls import site_urls

pytestmark = pytest.mark.django_db

SERVICES_WITH_DOCS = [service for service in mounted() if service.docs_path]
DOCUMENTS = ['/docs.json', *(f'/{service.openapi_path}' for service in SERVICES_WITH_DOCS)]
PAGES = ['/docs/', *(f'/{service.docs_path}' for service in SERVICES_WITH_DOCS)]


class Links(HTMLParser):
    """The address of everything that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = 'href' if tag == 'link' else 'src'
        self.addresses += [value for name, value in attrs if name == wanted and value]


def document_at(client: Client, address: str) -> dict[str, Any]:
    """The OpenAPI document there."""
    response = client.get(address)
    assert response.status_code == 200, response.content
    document = json.loads(response.content)
    assert isinstance(document, dict)
    return document


def part_at(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """The part itself, or the component that it refers to."""
    if '$ref' not in part:
        return part
    found: Any = document
    for name in part['$ref'].removeprefix('#/').split('/'):
        found = found[name]
    assert isinstance(found, dict)
    return found


def assets_of(client: Client, page: str) -> list[str]:
    """The addresses, made absolute, of what a page loads."""
    response = client.get(page, follow=True)
    assert response.status_code == 200
    assert response['Content-Type'].startswith('text/html')
    links = Links()
    links.feed(response.content.decode())
    return [urljoin(f'http://testserver{page}', address) for address in links.addresses]


def test_the_root_leads_to_the_documentation(client: Client) -> None:
    response = client.get('/')

    assert response.status_code == 302
    assert response['Location'] == 'docs/'


def test_the_documentation_is_found_without_its_slash(client: Client) -> None:
    response = client.get('/docs', follow=True)

    assert response.status_code == 200
    assert response.redirect_chain[-1][0] == '/docs/'


@pytest.mark.parametrize('page', PAGES)
class TestPage:
    def test_loads_everything_from_this_server(self, client: Client, page: str) -> None:
        assets = assets_of(client, page)

        assert len(assets) >= 3
        assert {urlsplit(asset).netloc for asset in assets} == {'testserver'}

    def test_loads_nothing_that_is_missing(self, client: Client, page: str) -> None:
        for asset in assets_of(client, page):
            response = client.get(asset)
            assert response.status_code == 200, asset
            assert len(response.getvalue()) > 0, asset

    def test_has_no_script_of_another_server_in_its_own_scripts(
        self, client: Client, page: str
    ) -> None:
        own = [asset for asset in assets_of(client, page) if '/static/' not in asset]

        for asset in own:
            assert b'http://' not in client.get(asset).content.replace(b'http://testserver', b'')
            assert b'https://' not in client.get(asset).content

    def test_has_no_script_that_its_policy_forbids(self, client: Client, page: str) -> None:
        response = client.get(page, follow=True)

        policy = response['Content-Security-Policy']
        assert "'unsafe-inline'" not in policy.partition('script-src')[2].partition(';')[0]
        assert b'<script>' not in response.content


@pytest.mark.parametrize('address', DOCUMENTS)
class TestDocument:
    def test_is_openapi_3_1_and_valid(self, client: Client, address: str) -> None:
        document = document_at(client, address)

        assert document['openapi'].startswith('3.1.')
        validate(document, cls=OpenAPIV31SpecValidator)

    def test_tells_that_any_answer_may_be_a_problem(self, client: Client, address: str) -> None:
        document = document_at(client, address)

        operations = [each for path in document['paths'].values() for each in path.values()]
        answers = [
            part_at(document, operation['responses']['default'])['content']
            for operation in operations
        ]
        assert answers
        assert all(set(answer) == {'application/problem+json'} for answer in answers)

    def test_is_read_by_browsers_and_programs(self, client: Client, address: str) -> None:
        response = client.get(address, headers={'Accept': 'text/html,*/*;q=0.8'})

        assert response.status_code == 200
        assert 'html' not in response['Content-Type']


def test_json_and_yaml_say_the_same(client: Client) -> None:
    response = client.get('/docs.yaml')

    assert response.status_code == 200
    assert yaml.safe_load(response.content) == document_at(client, '/docs.json')


@pytest.mark.parametrize('page', PAGES)
class TestPageForPrograms:
    @pytest.mark.parametrize('wanted', ['json', '.json', 'openapi'])
    def test_is_the_document_where_json_is_asked_for(
        self, client: Client, page: str, wanted: str
    ) -> None:
        expected = client.get(page, headers={'accept': 'application/json'})

        assert expected.status_code == 200
        assert json.loads(expected.content)['openapi'].startswith('3.1.')
        named = client.get(page, {'format': wanted}, headers={'accept': 'text/html,*/*;q=0.8'})
        assert json.loads(named.content) == json.loads(expected.content)

    @pytest.mark.parametrize('wanted', ['yaml', '.yaml'])
    def test_is_the_document_where_yaml_is_asked_for(
        self, client: Client, page: str, wanted: str
    ) -> None:
        expected = client.get(page, headers={'accept': 'application/yaml'})

        assert expected.status_code == 200
        assert yaml.safe_load(expected.content)['openapi'].startswith('3.1.')
        assert client.get(page, {'format': wanted}).content == expected.content

    def test_is_nothing_else(self, client: Client, page: str) -> None:
        assert client.get(page, {'format': 'xml'}).status_code == 406
        assert client.get(page, headers={'accept': 'image/png'}).status_code == 406
        assert client.post(page).status_code == 405


@pytest.mark.parametrize('service', mounted(), ids=lambda service: service.name)
def test_every_mounted_service_is_in_the_document_of_the_site(
    client: Client, service: Service
) -> None:
    paths = document_at(client, '/docs.json')['paths']

    assert any(service.owns(path) for path in paths)


@pytest.mark.parametrize('service', SERVICES_WITH_DOCS, ids=lambda service: service.name)
class TestDocumentOfAService:
    def test_has_its_own_title_and_version(self, client: Client, service: Service) -> None:
        info = document_at(client, f'/{service.openapi_path}')['info']

        assert info['title'] == service.title
        assert info['version'] == service.version

    def test_is_what_its_page_shows(self, client: Client, service: Service) -> None:
        scripts = [
            client.get(asset).content
            for asset in assets_of(client, f'/{service.docs_path}')
            if '/static/' not in asset
        ]

        assert any(f'/{service.openapi_path}'.encode() in script for script in scripts)


def test_the_document_of_a_service_has_its_own_paths_and_no_other(
    client: Client, write_service: Callable[..., dict[str, str]], settings: Any
) -> None:
    docs = "docs_path='{0}/docs', openapi_path='{0}/openapi.json'"
    modules = write_service('one', 'one/', more=docs.format('one'))
    modules |= write_service('two', 'two/', more=docs.format('two'))
    settings.BACKSTAY_SERVICES = find(modules, ())
    settings.ROOT_URLCONF = urlconf = ModuleType('made_urlconf')
    urlconf.urlpatterns = site_urls()  # type: ignore[attr-defined]

    paths = {
        address: {
            path for path in document_at(client, address)['paths'] if not path.startswith('/auth/')
        }
        for address in ('/one/openapi.json', '/two/openapi.json', '/docs.json')
    }

    assert paths == {
        '/one/openapi.json': {'/one/{rest}'},
        '/two/openapi.json': {'/two/{rest}'},
        '/docs.json': {'/one/{rest}', '/two/{rest}'},
    }


class TestKept:
    """A document is made once for each standing, and told in few words."""

    @pytest.fixture(autouse=True)
    def _none_is_kept(self) -> None:
        docs._texts.clear()

    def test_it_is_made_once_for_a_standing(self, client: Client, admin_client: Client) -> None:
        first = client.get('/docs.json')
        again = client.get('/docs.json')
        of_staff = admin_client.get('/docs.json', {'as': 'guest'})

        assert first.content == again.content == of_staff.content
        assert len(docs._texts) == 1
        assert admin_client.get('/docs.json').content != first.content
        assert len(docs._texts) == 2
        assert client.get('/docs.yaml').content.startswith(b'openapi: 3.1')

    def test_what_is_asked_beside_it_is_not_kept(self, client: Client) -> None:
        client.get('/docs.json', {'lang': 'de'})

        assert len(docs._texts) == 0

    def test_who_has_it_is_told_so(self, client: Client) -> None:
        first = client.get('/docs.json')
        headers = {'If-None-Match': first['ETag']}

        assert client.get('/docs.json', headers=headers).status_code == 304
        assert client.get('/docs.yaml', headers=headers).status_code == 200
        assert client.get('/v1/openapi.json', headers=headers).status_code == 200

    @pytest.mark.parametrize('address', DOCUMENTS)
    def test_what_operations_share_is_told_once(self, client: Client, address: str) -> None:
        document = document_at(client, address)

        operations = [each for path in document['paths'].values() for each in path.values()]
        parts = [part for each in operations for part in each.get('parameters', ())]
        parts += [part for each in operations for part in each['responses'].values()]
        texts = [json.dumps(each) for each in parts if '$ref' not in each]
        assert len([text for text in texts if len(text) > 100 and texts.count(text) > 1]) == 0
        assert all(part_at(document, each) for each in parts)
