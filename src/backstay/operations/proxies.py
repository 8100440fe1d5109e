"""Addresses, schemes and hosts that proxies report, believed only from named proxies."""

from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from granian.utils.proxies import wrap_wsgi_with_proxy_headers

Application = Callable[[dict[str, Any], Any], Any]


def trust_proxies(application: WSGIHandler) -> WSGIHandler | Application:
    """Return the application, made to believe X-Forwarded-For, -Proto and -Host.

    Only those of requests that come from BACKSTAY_TRUSTED_PROXIES (addresses or networks) are
    believed; without any, the application comes back as it is.
    """
    trusted = settings.BACKSTAY.trusted_proxies
    if not trusted:
        return application
    wrapped = wrap_wsgi_with_proxy_headers(application, list(trusted))
    networks = []
    for each in trusted:
        with suppress(ValueError):  # the name of a host
            networks.append(ip_network(each, strict=False))

    def is_trusted(address: str) -> bool:
        if '*' in trusted or address in trusted:
            return True
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in networks)

    def relayed(environ: dict[str, Any], start_response: Any) -> Any:
        if is_trusted(environ.get('REMOTE_ADDR', '')):
            scheme = environ.get('HTTP_X_FORWARDED_PROTO')
            if scheme in ('http', 'https'):
                environ['wsgi.url_scheme'] = scheme
            # Of several hosts, the last is the one that the proxy wrote itself.
            host = environ.get('HTTP_X_FORWARDED_HOST', '').rpartition(',')[2].strip()
            if host:
                environ['HTTP_HOST'] = host
        return wrapped(environ, start_response)

    return relayed
