"""Redirects to the address with its slash."""

import pytest
from django.test import Client

pytestmark = pytest.mark.urls('sample_site.root')


@pytest.mark.parametrize('method', ['GET', 'HEAD'])
def test_a_read_is_moved_for_good(client: Client, method: str) -> None:
    response = client.generic(method, '/sample/hello?a=1&b=2')
    assert (response.status_code, response['Location']) == (301, '/sample/hello/?a=1&b=2')


@pytest.mark.parametrize('method', ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
def test_any_other_method_is_moved_with_its_body(client: Client, method: str) -> None:
    response = client.generic(method, '/sample/length')
    assert (response.status_code, response['Location']) == (308, '/sample/length/')


def test_a_followed_redirect_delivers_the_body(client: Client) -> None:
    response = client.post(
        '/sample/length', b'12345', content_type='application/octet-stream', follow=True
    )
    assert response.json() == {'length': 5}


@pytest.mark.parametrize('path', ['/no/such', '/sample/short', '//evil.example/sample', '/'])
def test_only_an_existing_address_is_a_target(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code in ((301, 308) if path == '/sample/short' else (404,))


def test_an_address_that_redirects_cannot_leave_the_site(client: Client) -> None:
    response = client.get('//sample/hello')
    assert 'Location' not in response or not response['Location'].startswith('//')


def test_an_address_too_long_for_a_redirect_is_not_found(client: Client) -> None:
    response = client.get('/sample/hello/' + 'x' * 20_000)
    assert response.status_code == 404
    assert response['Content-Type'] == 'application/problem+json'
