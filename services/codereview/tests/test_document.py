"""The OpenAPI document, the pages of the documentation, and what operators ask (case 98)."""

from typing import Any

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from schemathesis.specs.openapi.checks import positive_data_acceptance

from backstay.identity.models import Counter
from backstay.site.wsgi import application
from services.codereview.tests import data
from services.codereview.tests.data import BOT
from tests.described import each_operation
from tests.inlined import inlined

#: Every operation of the contract, with its name there.
OPERATIONS = {
    ('get', '/v1/'): 'root',
    ('get', '/v1/check/history/'): 'check_history_list',
    ('get', '/v1/check/stats/'): 'check_stats_list',
    ('get', '/v1/check/{repository}/{analyzer}/{check}/'): 'check_list',
    ('get', '/v1/diff/'): 'diff_list',
    ('get', '/v1/diff/{id}/'): 'diff_read',
    ('get', '/v1/diff/{diff}/issues/'): 'diff_issues_list',
    ('get', '/v1/diff/{diff}/issues/{id}/'): 'diff_issues_read',
    ('get', '/v1/diff/{diff}/issues/{mode}/'): 'diff_issues_compare',
    ('get', '/v1/issues/{repository}/'): 'issues_list',
    ('get', '/v1/repository/'): 'repository_list',
    ('get', '/v1/repository/{id}/'): 'repository_read',
    ('get', '/v1/revision/'): 'revision_list',
    ('post', '/v1/revision/'): 'revision_create',
    ('get', '/v1/revision/{id}/'): 'revision_read',
    ('get', '/v1/revision/{revision}/diffs/'): 'revision_diffs_list',
    ('post', '/v1/revision/{revision}/diffs/'): 'revision_diffs_create',
    ('get', '/v1/revision/{revision}/diffs/{id}/'): 'revision_diffs_read',
    ('post', '/v1/revision/{revision}/issues/'): 'revision_issues_create',
}


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    response = client.get('/v1/openapi.json')
    assert response.status_code == 200
    return inlined(response.json())


def test_it_has_every_operation(document: dict[str, Any]) -> None:
    validate(document)
    assert document['info']['title'] == 'Mozilla Code Review API'
    found = {
        (method, path): operation['operationId']
        for path, methods in document['paths'].items()
        for method, operation in methods.items()
    }
    assert found == OPERATIONS


def test_it_tells_what_lists_can_be_asked(document: dict[str, Any]) -> None:
    def parameters(path: str) -> set[str]:
        return {each['name'] for each in document['paths'][path]['get']['parameters']}

    assert parameters('/v1/diff/') == {'limit', 'offset', 'search', 'repository', 'issues'}
    assert {'since', 'publishable'} < parameters('/v1/check/{repository}/{analyzer}/{check}/')
    assert {'date', 'path', 'revision_changeset'} < parameters('/v1/issues/{repository}/')


def test_writers_sign_in_and_readers_need_not(document: dict[str, Any]) -> None:
    for path, methods in document['paths'].items():
        for method, operation in methods.items():
            schemes = [name for each in operation['security'] for name in each]
            assert 'basic' in schemes, path
            assert ({} in operation['security']) == (method == 'get')


def test_case_98_the_whole_site_has_them_too(client: Client) -> None:
    for url in ('/docs.json', '/docs.yaml'):
        response = client.get(url)
        assert response.status_code == 200
        assert b'revision_issues_create' in response.content
    for asked in ('/docs/?format=openapi', '/docs/?format=yaml'):
        assert b'revision_issues_create' in client.get(asked).content
    programs = client.get('/docs/', headers={'accept': 'application/json'})
    assert b'revision_issues_create' in programs.content
    for url in ('/docs/', '/v1/docs/'):
        response = client.get(url, headers={'accept': 'text/html'})
        assert response.status_code == 200
        assert response.headers['Content-Type'].startswith('text/html')
    assert client.get('/docs').headers['Location'] == '/docs/'


@pytest.mark.django_db
def test_what_operators_ask(client: Client) -> None:
    assert client.get('/__lbheartbeat__').content == b''
    assert client.get('/__heartbeat__').status_code == 200
    assert client.get('/__version__').status_code in (200, 404)


site = schemathesis.openapi.from_wsgi('/v1/openapi.json', application)

repeatable = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[*HealthCheck],
)


@pytest.fixture
def stored(db: None) -> None:
    data.bot_account()
    revision = data.stored_revision()
    diff = data.stored_diff(revision)
    data.link(data.stored_issue('1'), revision, diff, in_patch=True)


@pytest.mark.usefixtures('stored', '_one_connection')
@each_operation(site)
@repeatable
def test_every_answer_is_one_that_the_document_describes(case: schemathesis.Case) -> None:
    """Signed in. What is right also depends on what is stored, which no document tells."""
    Counter.objects.all().delete()  # each example has its own attempts with wrong passwords
    case.call_and_validate(
        headers={'Authorization': BOT}, excluded_checks=[positive_data_acceptance]
    )
