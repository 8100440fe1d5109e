"""Which browsers may call what: services that are open to every origin, and the rest."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from backstay.services import find

ORIGIN = 'https://anywhere.example'
WriteService = Callable[..., dict[str, str]]


@pytest.fixture(autouse=True)
def services(write_service: WriteService, settings: Any) -> None:
    """One service that is open to every origin, and one below its prefix that is not."""
    modules = write_service('open', 'open/', more='any_origin=True')
    modules |= write_service('shut', 'open/shut/')
    settings.BACKSTAY_SERVICES = find(modules, ())


def allowed_origin(client: Client, address: str, origin: str = ORIGIN) -> str | None:
    """The origin whose pages may read the answer."""
    response = client.get(address, headers={'Origin': origin})
    assert 'Access-Control-Allow-Credentials' not in response
    return response.get('Access-Control-Allow-Origin')


def test_every_origin_may_call_a_service_that_is_open(client: Client) -> None:
    assert allowed_origin(client, '/open/anything') == ORIGIN


def test_no_origin_may_call_a_service_that_is_not(client: Client) -> None:
    assert allowed_origin(client, '/open/shut/anything') is None


@pytest.mark.parametrize('address', ['/docs.json', '/livez', '/nothing', '/openly'])
def test_no_origin_may_call_the_rest_of_the_site(client: Client, address: str) -> None:
    assert allowed_origin(client, address) is None


def test_named_origins_may_call_everything(client: Client, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ['https://ours.example']

    assert allowed_origin(client, '/livez', 'https://ours.example') == 'https://ours.example'
    assert allowed_origin(client, '/livez') is None


def test_a_preflight_is_answered(client: Client) -> None:
    response = client.options(
        '/open/anything',
        headers={
            'Origin': ORIGIN,
            'Access-Control-Request-Method': 'POST',
            'Access-Control-Request-Headers': 'content-type',
        },
    )

    assert response.status_code == 200
    assert response['Access-Control-Allow-Origin'] == ORIGIN
    assert 'POST' in response['Access-Control-Allow-Methods']
    assert 'content-type' in response['Access-Control-Allow-Headers']
