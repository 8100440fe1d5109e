"""The client's address of a request, as far as it can be trusted.

`backstay.operations.proxies` has put it into REMOTE_ADDR, from X-Forwarded-For when, and only when,
a trusted proxy sent the request. No other header and no body is believed.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.http import HttpRequest

#: A client with one IPv6 address usually has all 2**64 of its network.
_IPV6_PREFIX = 64


def address_of(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    """Return the client's address; None when there is none, as on a Unix socket."""
    try:
        address = ip_address(request.META.get('REMOTE_ADDR') or '')
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def network_of(request: HttpRequest) -> str:
    """Return the network that limits count by: the IPv4 address, or the /64 of an IPv6 address."""
    address = address_of(request)
    return network_around(address) if address else 'unknown'


def network_around(address: IPv4Address | IPv6Address) -> str:
    """Return the IPv4 address, or the /64 of the IPv6 address."""
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address)


def lies_in(address: IPv4Address | IPv6Address | None, networks: Iterable[str]) -> bool:
    """Whether the address lies in one of the networks, written like `192.0.2.0/24`."""
    return address is not None and any(address in ip_network(each) for each in networks)
