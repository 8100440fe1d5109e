"""Which proxies are believed, and what of."""

from collections.abc import Sequence
from typing import Any

import pytest

from backstay.operations.proxies import ARRIVAL, Arrival, Proxies, trust_proxies
from backstay.settings import Environment, SettingsError, load

TRUSTED = ('10.0.0.0/8', '192.0.2.1')


def arrival(
    *headers: tuple[str, str],
    peer: str = '10.0.0.9',
    trusted: Sequence[str] = TRUSTED,
    host_header: str | None = None,
) -> Arrival:
    """What is decided of a request with these headers."""

    def reported(name: str) -> list[str]:
        return [value for each, value in headers if each == name]

    return Proxies(trusted, host_header).arrival(peer, 'inner.test', 'http', reported)


@pytest.mark.parametrize(
    ('forwarded', 'address'),
    [
        (['203.0.113.5'], '203.0.113.5'),
        (['203.0.113.5', '198.51.100.7'], '198.51.100.7'),
        (['203.0.113.5, 198.51.100.7, 10.1.1.1'], '198.51.100.7'),
        (['203.0.113.5', '192.0.2.1', '10.1.1.1'], '203.0.113.5'),
        (['10.9.9.9, 203.0.113.5'], '203.0.113.5'),
        (['10.2.2.2, 10.1.1.1'], '10.2.2.2'),
        (['203.0.113.5, unknown'], '10.0.0.9'),
        (['203.0.113.5, nonsense, 10.1.1.1'], '10.1.1.1'),
        (['203.0.113.5:4711'], '203.0.113.5'),
        (['[2001:DB8::1]:80'], '2001:db8::1'),
        (['2001:db8::1%eth0'], '10.0.0.9'),
        (['::ffff:203.0.113.5'], '203.0.113.5'),
        ([''], '10.0.0.9'),
        ([], '10.0.0.9'),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_proxy(forwarded: list[str], address: str) -> None:
    found = arrival(*(('x-forwarded-for', each) for each in forwarded))
    assert found.address == address
    assert found.address_by == ('connection' if address == '10.0.0.9' else 'proxy')


@pytest.mark.parametrize(
    ('told', 'scheme'),
    [(['https'], 'https'), (['http', 'https'], 'https'), (['https, http'], 'http'), (['ftp'], '')],
)
def test_the_scheme_is_what_the_nearest_proxy_says(told: list[str], scheme: str) -> None:
    found = arrival(*(('x-forwarded-proto', each) for each in told))
    assert (found.scheme, found.scheme_by) == (
        scheme or 'http',
        'proxy' if scheme else 'connection',
    )


def test_the_host_is_reported_by_the_header_that_the_site_names_alone() -> None:
    told = (('x-forwarded-host', 'forged.test'), ('x-forwarded-host', 'x.test, api.example'))
    assert arrival(*told).host == 'inner.test'
    assert arrival(*told, host_header='X-Public-Host').host == 'inner.test'
    found = arrival(*told, host_header='X-Forwarded-Host')
    assert (found.host, found.host_by) == ('api.example', 'proxy')


@pytest.mark.parametrize('peer', ['192.0.2.2', '203.0.113.5', '2001:db8::1', ''])
def test_nobody_else_is_believed(peer: str) -> None:
    told = (
        ('x-forwarded-for', '203.0.113.9'),
        ('x-forwarded-proto', 'https'),
        ('x-forwarded-host', 'forged.test'),
    )
    assert arrival(*told, peer=peer, host_header='x-forwarded-host') == Arrival(
        address=peer,
        address_by='connection',
        host='inner.test',
        host_by='request',
        scheme='http',
        scheme_by='connection',
    )


def test_a_star_believes_everybody() -> None:
    found = arrival(('x-forwarded-for', '203.0.113.5, 198.51.100.7'), trusted=['*'])
    assert found.address == '203.0.113.5'


def test_what_is_no_network_is_a_mistake(tmp_path: Any) -> None:
    with pytest.raises(SettingsError, match='BACKSTAY_TRUSTED_PROXIES: give addresses or networks'):
        load(tmp_path, {'ENV': 'test', 'BACKSTAY_TRUSTED_PROXIES': 'proxy.internal'})


@pytest.mark.parametrize(
    ('server', 'address'),
    [('gunicorn/23.0', '203.0.113.5'), ('Granian', '10.0.0.9'), ('', '10.0.0.9')],
)
def test_another_server_is_asked_only_where_it_tells_names_apart(
    settings: Any, server: str, address: str
) -> None:
    settings.BACKSTAY = Environment.model_validate(
        {'ENV': 'test', 'SECRET_KEY': 'k' * 32, 'BACKSTAY_TRUSTED_PROXIES': '10.0.0.0/8'}
    )
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        return []

    environ = {
        'SERVER_SOFTWARE': server,
        'REMOTE_ADDR': '10.0.0.9',
        'HTTP_HOST': 'inner.test',
        'HTTP_X_FORWARDED_FOR': '203.0.113.5',
        'HTTP_X_REAL_IP': '203.0.113.6',
        'wsgi.url_scheme': 'http',
    }
    behind: Any = application
    trust_proxies(behind)(environ, None)
    assert (seen['REMOTE_ADDR'], seen[ARRIVAL].address) == (address, address)
    assert not {'HTTP_X_FORWARDED_FOR', 'HTTP_X_REAL_IP'} & seen.keys()
