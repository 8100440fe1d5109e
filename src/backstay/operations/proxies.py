"""Addresses, schemes and hosts that a proxy reports, believed from named proxies only."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from granian.utils.proxies import wrap_wsgi_with_proxy_headers

Application = Callable[[dict[str, Any], Any], Any]


def trust_proxies(application: WSGIHandler) -> WSGIHandler | Application:
    """The application, taking what it is told by X-Forwarded-For, -Proto and -Host.

    Only requests that come from BACKSTAY_TRUSTED_PROXIES (addresses or networks) are believed;
    without any, the application comes back as it is.
    """
    trusted = settings.BACKSTAY.trusted_proxies
    if not trusted:
        return application
    wrapped = wrap_wsgi_with_proxy_headers(application, list(trusted))

    def relayed(environ: dict[str, Any], start_response: Any) -> Any:
        if _is_among(environ.get('REMOTE_ADDR', ''), trusted):
            _take_origin(environ)
        return wrapped(environ, start_response)

    return relayed


def _take_origin(environ: dict[str, Any]) -> None:
    """Scheme and host as the proxy says; of several hosts the one that it wrote itself."""
    scheme = environ.get('HTTP_X_FORWARDED_PROTO')
    if scheme in ('http', 'https'):
        environ['wsgi.url_scheme'] = scheme
    host = environ.get('HTTP_X_FORWARDED_HOST', '').rpartition(',')[2].strip()
    if host:
        environ['HTTP_HOST'] = host


def _is_among(address: str, trusted: Sequence[str]) -> bool:
    """Whether an address is one of these, or in one of these networks."""
    if '*' in trusted or address in trusted:
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in _networks(tuple(trusted)))


@lru_cache(maxsize=8)
def _networks(trusted: Sequence[str]) -> list[IPv4Network | IPv6Network]:
    networks = []
    for each in trusted:
        with suppress(ValueError):  # the name of a host
            networks.append(ip_network(each, strict=False))
    return networks
