"""Where webhooks may lead: https, to hosts of the public internet, on known ports.

A URL is taken apart here, once, by one expression; who connects uses these parts and no other
parser. A host name is resolved once for each delivery, and the connection goes to the very address
that was checked, so that a name cannot mean one thing here and another there.
"""

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Thread

from django.conf import settings
from django.core.exceptions import ValidationError

#: Gives the addresses of a host as text. Raises OSError where there are none.
Resolve = Callable[[str, int], Sequence[str]]

_LABEL = r'[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
_URL = re.compile(
    r'(?P<scheme>https?)://'
    rf'(?:\[(?P<v6>[0-9A-Fa-f:.]{{2,45}})\]|(?P<name>{_LABEL}(?:\.{_LABEL})*))'
    r'(?::(?P<port>[0-9]{1,5}))?'
    # No fragment, no blank, nothing that is not ASCII. A backslash is a slash to some.
    r'(?P<path>[/?][!"$-\[\]-~]*)?',
    re.IGNORECASE,
)
#: What a resolver reads as IPv4, in any spelling (WHATWG URL, "ends in a number checker").
_NUMBER = re.compile(r'(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)', re.IGNORECASE)

#: What the world routes; of this, `is_global` leaves out what is set aside.
_ROUTED_V6 = ip_network('2000::/3')
_NAT64 = ip_network('64:ff9b::/96')
#: Set aside, or a way into IPv4, which this Python may not know.
_REFUSED_V6 = [
    ip_network(each) for each in ('2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20')
]
_REFUSED_V4 = [
    ip_network(each)
    for each in (
        '192.0.0.0/24',
        '192.88.99.0/24',
        '168.63.129.16/32',  # Azure's own services for its virtual machines, in public space
    )
]


class AddressRefused(ValueError):
    """A webhook may not lead there; the text says why, and is for the owner of the webhook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a site lets webhooks lead to."""

    ports: frozenset[int]
    #: Whether anything goes: http, every port, every address. Never where strangers come.
    allow_private: bool = False


def policy() -> Policy:
    """The policy of the environment."""
    environment = settings.BACKSTAY
    return Policy(
        ports=frozenset(environment.webhook_ports), allow_private=environment.webhook_allow_private
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A URL, taken apart."""

    scheme: str
    #: A name in lower case, or an address without brackets.
    host: str
    port: int
    #: Path and query, `/` at least.
    path: str

    @property
    def authority(self) -> str:
        """What the `Host` header says."""
        host = f'[{self.host}]' if ':' in self.host else self.host
        usual = {'https': 443, 'http': 80}[self.scheme]
        return host if self.port == usual else f'{host}:{self.port}'


def read_url(url: str, allowed: Policy) -> Destination:
    """The parts of a URL. Raises AddressRefused for what can be refused without resolving it."""
    found = _URL.fullmatch(url)
    if found is None:
        raise AddressRefused(
            'Give https://host/path: in ASCII, without user, password or fragment.'
        )
    scheme = found['scheme'].lower()
    if scheme != 'https' and not allowed.allow_private:
        raise AddressRefused('Only https is allowed.')
    port = int(found['port'] or (443 if scheme == 'https' else 80))
    if not (0 < port < 65536) or not (allowed.allow_private or port in allowed.ports):
        raise AddressRefused(f'Port {port} is not allowed.')
    host = (found['v6'] or found['name']).lower()
    _check_host(host, allowed)
    path = found['path'] or '/'
    return Destination(
        scheme=scheme, host=host, port=port, path=path if path[0] == '/' else f'/{path}'
    )


def _check_host(host: str, allowed: Policy) -> None:
    if ':' in host or _NUMBER.fullmatch(host):
        try:
            ip_address(host)
        except ValueError:
            raise AddressRefused('The address of the host is not in its usual form.') from None
        _check_address(host, allowed)
    elif not allowed.allow_private and ('.' not in host or len(host) > 253):
        raise AddressRefused('Give the full name of a public host.')


def addresses(
    destination: Destination, allowed: Policy, resolve: Resolve, seconds: float
) -> Sequence[str]:
    """The addresses of the host, every one of which is allowed.

    Raises AddressRefused, OSError where the name has no address, TimeoutError when nobody answered
    within so many seconds.
    """
    if ':' in destination.host or _NUMBER.fullmatch(destination.host):
        found: Sequence[str] = [destination.host]
    else:
        found = _within(resolve, destination, seconds)
    if not found:
        raise OSError('the host has no address')
    for address in found:
        _check_address(address, allowed)
    return found


def system_resolve(host: str, port: int) -> list[str]:
    """The addresses that the system knows."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _within(resolve: Resolve, destination: Destination, seconds: float) -> Sequence[str]:
    """What resolves the name, for as long as may be: the system's own waits cannot be ended."""
    answers: list[Sequence[str] | OSError] = []

    def ask() -> None:
        try:
            answers.append(resolve(destination.host, destination.port))
        except (OSError, UnicodeError) as error:
            answers.append(error if isinstance(error, OSError) else OSError(str(error)))

    thread = Thread(target=ask, daemon=True, name='resolve')
    thread.start()
    thread.join(max(seconds, 0))
    if not answers:
        raise TimeoutError('the host was not resolved in time')
    if isinstance(answers[0], OSError):
        raise answers[0]
    return answers[0]


def _check_address(text: str, allowed: Policy) -> None:
    if not allowed.allow_private and not is_public(text):
        raise AddressRefused('The host has an address that is not public.')


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet, also where IPv4 hides in IPv6.

    >>> is_public('93.184.215.14'), is_public('::ffff:127.0.0.1'), is_public('169.254.169.254')
    (True, False, False)
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        hidden = _hidden_v4(address)
        if hidden is None:
            return (
                address.scope_id is None
                and address in _ROUTED_V6
                and address.is_global
                and not any(address in network for network in _REFUSED_V6)
            )
        address = hidden
    refused = any(address in network for network in _REFUSED_V4)
    return address.is_global and not address.is_multicast and not refused


def _hidden_v4(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None


def validate_url(url: str) -> None:
    """Refuse, where it is written, what no delivery would be sent to."""
    try:
        read_url(url, policy())
    except AddressRefused as error:
        raise ValidationError(str(error), code='address-refused') from None
