"""Which proxies are believed."""

from typing import Any

import pytest

from backstay.operations.proxies import trust_proxies
from backstay.settings import Environment

FORWARDED = {
    'REMOTE_ADDR': '10.0.0.9',
    'HTTP_X_FORWARDED_FOR': '203.0.113.5',
    'HTTP_X_FORWARDED_PROTO': 'https',
    'wsgi.url_scheme': 'http',
}


def seen_by_application(settings: Any, trusted: str) -> tuple[str, str]:
    """Client address and scheme as the application behind `trust_proxies` sees them."""
    seen = application_behind(settings, trusted, FORWARDED)
    return seen['REMOTE_ADDR'], seen['wsgi.url_scheme']


def application_behind(settings: Any, trusted: str, environ: dict[str, Any]) -> dict[str, Any]:
    """What the application behind `trust_proxies` is called with."""
    settings.BACKSTAY = Environment.model_validate(
        {'ENV': 'test', 'SECRET_KEY': 'k' * 32, 'BACKSTAY_TRUSTED_PROXIES': trusted}
    )
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        return []

    trust_proxies(application)(dict(environ), None)  # type: ignore[arg-type]
    return seen


@pytest.mark.parametrize('trusted', ['10.0.0.9', '192.0.2.1,10.0.0.0/8', '*'])
def test_a_trusted_proxy_tells_address_and_scheme(settings: Any, trusted: str) -> None:
    assert seen_by_application(settings, trusted) == ('203.0.113.5', 'https')


@pytest.mark.parametrize('trusted', ['', '10.0.0.8', '192.168.0.0/16'])
def test_anybody_else_is_not_believed(settings: Any, trusted: str) -> None:
    assert seen_by_application(settings, trusted) == ('10.0.0.9', 'http')


def test_a_trusted_proxy_tells_scheme_and_host_without_an_address(settings: Any) -> None:
    told = {'HTTP_X_FORWARDED_PROTO': 'https', 'HTTP_X_FORWARDED_HOST': 'forged.test, api.example'}
    environ = {'REMOTE_ADDR': '10.0.0.9', 'HTTP_HOST': 'inner', 'wsgi.url_scheme': 'http', **told}

    for trusted, expected in (
        ('10.0.0.0/8', ('https', 'api.example')),
        ('*', ('https', 'api.example')),
        ('10.0.0.8', ('http', 'inner')),
        ('proxy.internal', ('http', 'inner')),
    ):
        seen = application_behind(settings, trusted, environ)
        assert (seen['wsgi.url_scheme'], seen['HTTP_HOST']) == expected
