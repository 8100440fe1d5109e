"""Where a request came from: the client's address, the host and the scheme, decided here alone.

A proxy reports them in headers, which a client can write as well. So they count only in requests
whose connection comes from one of BACKSTAY_TRUSTED_PROXIES, and of several values the one that the
proxy itself wrote, which is the last. Nothing behind this module sees a header that reports them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Literal

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from backstay.settings import Environment

WsgiApplication = Callable[[dict[str, Any], Any], Any]

#: The key of a WSGI environ that holds the arrival of its request.
ARRIVAL = 'backstay.arrival'

#: Headers by which a proxy, or a client that plays one, reports where a request came from.
REPORTS = frozenset(
    {
        'forwarded',
        'x-client-ip',
        'x-cluster-client-ip',
        'x-forwarded-by',
        'x-forwarded-for',
        'x-forwarded-host',
        'x-forwarded-port',
        'x-forwarded-proto',
        'x-forwarded-protocol',
        'x-forwarded-scheme',
        'x-forwarded-server',
        'x-forwarded-ssl',
        'x-original-host',
        'x-original-url',
        'x-real-ip',
        'x-rewrite-url',
        'x-scheme',
        'x-url-scheme',
        'true-client-ip',
        'cf-connecting-ip',
        'front-end-https',
    }
)

#: Hops of X-Forwarded-For that are looked at, from the last.
_MAX_HOPS = 32

#: The WSGI server that drops a header whose name has `_`.
_TELLS_NAMES_APART = 'gunicorn'


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Where a request came from, and by whose word: `connection`, `request` or `proxy`."""

    #: The client's address, as `ipaddress` writes it; empty on a Unix socket.
    address: str
    address_by: Literal['connection', 'proxy']
    #: The host that was asked for, with its port if it was given. Whoever asks chooses it.
    host: str
    host_by: Literal['request', 'proxy']
    scheme: str
    scheme_by: Literal['connection', 'proxy']


class Proxies:
    """The proxies whose word counts, and the header that holds the host where one does."""

    def __init__(self, trusted: Sequence[str], host_header: str | None = None) -> None:
        self._host_header = (host_header or '').lower()
        #: The names of all headers that report an arrival, in lower case.
        self.reports = REPORTS | {self._host_header} if self._host_header else REPORTS
        self._everybody = '*' in trusted
        self._networks = [ip_network(each, strict=False) for each in trusted if each != '*']
        self.trusts = lru_cache(maxsize=1_024)(self._trusts)

    def arrival(
        self, peer: str, host: str, scheme: str, reported: Callable[[str], Sequence[str]]
    ) -> Arrival:
        """Return the arrival of a request whose connection came from the address `peer`.

        `reported` gives the values of a header in their order. Only those of trusted peers count.
        """
        address = _address(peer) or peer
        if not self.trusts(address):
            return Arrival(
                address=address,
                address_by='connection',
                host=host,
                host_by='request',
                scheme=scheme,
                scheme_by='connection',
            )
        client = self._client(address, reported('x-forwarded-for'))
        told_scheme = _last(reported('x-forwarded-proto')).lower()
        believed = told_scheme in ('http', 'https')
        told_host = _last(reported(self._host_header)) if self._host_header else ''
        return Arrival(
            address=client or address,
            address_by='proxy' if client else 'connection',
            host=told_host or host,
            host_by='proxy' if told_host else 'request',
            scheme=told_scheme if believed else scheme,
            scheme_by='proxy' if believed else 'connection',
        )

    def _client(self, peer: str, forwarded: Iterable[str]) -> str | None:
        """Return the last hop that is no trusted proxy; None when no hop is reported.

        What is not an address ends the way: whoever wrote it is the last that is known.
        """
        hops = [hop for value in forwarded for hop in value.split(',')][-_MAX_HOPS:]
        client = None
        for hop in reversed(hops):
            address = _address(hop.strip())
            if address is None:
                break
            client = address
            if not self.trusts(address):
                break
        return client if client != peer else None

    def _trusts(self, address: str) -> bool:
        if self._everybody:
            return True
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)


def _address(text: str) -> str | None:
    """Return an address as `ipaddress` writes it, without a port; None for what is none.

    >>> _address('192.0.2.1:4711'), _address('[2001:DB8::1]:80'), _address('::ffff:192.0.2.1')
    ('192.0.2.1', '2001:db8::1', '192.0.2.1')
    """
    if text.startswith('['):
        text = text[1:].partition(']')[0]
    elif text.count(':') == 1:
        text = text.partition(':')[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
    return str(address)


def _last(values: Sequence[str]) -> str:
    """Return the last item of the last value: what the nearest proxy wrote itself."""
    return values[-1].rpartition(',')[2].strip() if values else ''


def proxies_of(environment: Environment) -> Proxies:
    """Return the proxies that the environment names."""
    return Proxies(environment.trusted_proxies, environment.host_header)


def place(environ: dict[str, Any], arrival: Arrival) -> None:
    """Put the arrival where WSGI, Django and Backstay read it."""
    environ[ARRIVAL] = arrival
    environ['REMOTE_ADDR'] = arrival.address
    environ['wsgi.url_scheme'] = arrival.scheme
    if arrival.host:
        environ['HTTP_HOST'] = arrival.host


def trust_proxies(application: WSGIHandler) -> WsgiApplication:
    """Return the application for another WSGI server than `backstay serve`: gunicorn, say.

    WSGI writes the headers `X-Forwarded-For` and `X_Forwarded_For` alike, so proxies are believed
    only of a server that drops the second before; of any other nobody is.
    """
    proxies, nobody = proxies_of(settings.BACKSTAY), Proxies(())
    keys = {name: f'HTTP_{name.upper().replace("-", "_")}' for name in proxies.reports}

    def placed(environ: dict[str, Any], start_response: Any) -> Any:
        if ARRIVAL not in environ:
            server = str(environ.get('SERVER_SOFTWARE', '')).lower()
            decides = proxies if server.startswith(_TELLS_NAMES_APART) else nobody
            told = {name: environ.pop(key) for name, key in keys.items() if key in environ}
            peer, host = environ.get('REMOTE_ADDR', ''), environ.get('HTTP_HOST', '')
            place(
                environ,
                decides.arrival(
                    peer,
                    host,
                    environ['wsgi.url_scheme'],
                    lambda name: [told[name]] if name in told else [],
                ),
            )
        return application(environ, start_response)

    return placed
