"""Sending: one POST to a checked address, within ten seconds in all, whatever the other side does.

Each wait on the network is given only the time that is left, so that neither a slow name server nor
an answer that drips can hold a worker. Redirects are not followed, and no proxy of the environment
is asked: both would lead away from the address that was checked.
"""

import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Any

import httpcore
import httpx

from backstay.events.addresses import (
    AddressRefused,
    Destination,
    Policy,
    Resolve,
    addresses,
    read_url,
    system_resolve,
)

#: Seconds for resolving, connecting, sending and the answer together.
DEADLINE = 10.0
#: Bytes of the answer's body that are read, and characters of it that are kept.
MAX_READ_BYTES, MAX_KEPT_CHARACTERS = 4096, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one try."""

    #: None where there was no answer.
    status: int | None = None
    #: Why there was none, or why it does not count: one word.
    error: str = ''
    duration_ms: int = 0
    #: The beginning of the answer's body.
    response: str = ''

    @property
    def is_done(self) -> bool:
        """Whether the receiver has it."""
        return not self.error


def post(
    url: str,
    body: str,
    headers: Mapping[str, str],
    allowed: Policy,
    *,
    resolve: Resolve = system_resolve,
    seconds: float = DEADLINE,
) -> Outcome:
    """POST the body there; what became of it. It raises nothing."""
    started = monotonic()
    deadline = started + seconds
    answer: dict[str, Any] = {}
    try:
        destination = read_url(url, allowed)
        wire = _Wire(addresses(destination, allowed, resolve, seconds), deadline)
        answer = _exchange(destination, body.encode(), headers, wire)
        error = '' if 200 <= answer['status'] < 300 else 'status'
    except (ValueError, OSError, httpcore.ProtocolError, httpcore.NetworkError) as failure:
        error = _kind_of(failure)
    return Outcome(error=error, duration_ms=round((monotonic() - started) * 1000), **answer)


def _kind_of(failure: Exception) -> str:
    match failure:
        case AddressRefused():
            return 'address'
        case socket.gaierror():
            return 'name'
        case TimeoutError():
            return 'timeout'
        case ssl.SSLError():
            return 'tls'
        case httpcore.ProtocolError():
            return 'protocol'
    return 'connection'


def _exchange(
    destination: Destination, body: bytes, headers: Mapping[str, str], wire: '_Wire'
) -> dict[str, Any]:
    url = httpcore.URL(
        scheme=destination.scheme.encode(),
        host=destination.host.encode(),
        port=destination.port,
        target=destination.path.encode(),
    )
    sent = [('Host', destination.authority), *headers.items()]
    with (
        httpcore.ConnectionPool(
            ssl_context=_tls(), network_backend=wire, max_connections=1
        ) as pool,
        pool.stream('POST', url, headers=sent, content=body) as answered,
    ):
        return {'status': answered.status, 'response': _beginning(answered)}


def _beginning(answered: httpcore.Response) -> str:
    """The first part of the body, as far as it comes in time: the status alone decides."""
    read = b''
    with suppress(OSError, httpcore.ProtocolError, httpcore.NetworkError):
        for chunk in answered.iter_stream():
            read += chunk
            if len(read) >= MAX_READ_BYTES:
                break
    text = read[:MAX_READ_BYTES].decode('utf-8', 'replace')
    return text.replace('\0', '\ufffd')[:MAX_KEPT_CHARACTERS]  # PostgreSQL takes no NUL


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Certificates are checked against the name in the URL, by the authorities that httpx knows."""
    return httpx.create_ssl_context()


class _Wire(httpcore.NetworkBackend):
    """Connects to checked addresses, whatever host is asked for, until a deadline."""

    def __init__(self, checked: Sequence[str], deadline: float) -> None:
        self._checked, self._deadline = checked, deadline

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 httpcore's signature
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """A connection to the first address that takes one."""
        failure: OSError = OSError('no address')
        for address in self._checked:
            try:
                connected = socket.create_connection((address, port), _left(self._deadline))
            except OSError as error:
                failure = error
            else:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return _Stream(connected, self._deadline)
        raise failure


class _Stream(httpcore.NetworkStream):
    """A connection every step of which has only the time that is left."""

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self._socket, self._deadline = connected, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        self._socket.settimeout(_left(self._deadline))
        return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        while buffer:
            self._socket.settimeout(_left(self._deadline))
            try:
                buffer = buffer[self._socket.send(buffer) :]
            except TimeoutError:
                raise
            except OSError as error:  # the answer may have come before the body was sent
                raise httpcore.WriteError from error

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        self._socket.settimeout(_left(self._deadline))
        try:
            wrapped = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except BaseException:
            self.close()
            raise
        return _Stream(wrapped, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._socket if info == 'socket' else None


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError('the time is up')
    return left
