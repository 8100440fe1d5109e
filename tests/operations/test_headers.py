"""Security headers."""

import pytest
from django.test import Client

pytestmark = pytest.mark.urls('sample_site.root')


@pytest.mark.parametrize('path', ['/livez', '/no/such', '/sample/hello/', '/sample/problem/'])
def test_data_may_load_nothing_and_be_framed_nowhere(client: Client, path: str) -> None:
    response = client.get(path)
    assert (
        response['Content-Security-Policy']
        == "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert response['X-Content-Type-Options'] == 'nosniff'


def test_a_page_runs_scripts_of_this_site_only(client: Client) -> None:
    policy = dict(
        directive.split(' ', 1)
        for directive in client.get('/sample/page/')['Content-Security-Policy'].split('; ')
    )
    assert policy['default-src'] == "'none'"
    assert policy['script-src'] == "'self'"
    assert policy['frame-ancestors'] == "'none'"


def test_no_page_may_use_the_devices_of_its_reader(client: Client) -> None:
    policy = client.get('/sample/page/')['Permissions-Policy']
    assert {'camera=()', 'geolocation=()', 'microphone=()'} <= set(policy.split(', '))
