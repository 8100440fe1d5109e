"""The threads that answer: each takes a request that has arrived whole, and calls Django.

An answer that the client takes at once is sent from the thread. What is left of one that is whole
goes back to the loop, so that a client which reads slowly holds no thread. An answer that is made
while it is sent, such as an export, holds its thread for as long as the client keeps up.
"""

import select
import sys
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from http import HTTPStatus
from queue import SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import structlog

from backstay.operations.door.connections import Connection
from backstay.operations.proxies import Proxies, WsgiApplication, place

_STATUS_LINES = {
    each.value: f'HTTP/1.1 {each.value} {each.phrase}\r\n'.encode() for each in HTTPStatus
}
#: What is the same in every environ (PEP 3333).
_FIXED: dict[str, Any] = {
    'SCRIPT_NAME': '',
    'SERVER_SOFTWARE': 'backstay',
    'wsgi.version': (1, 0),
    'wsgi.errors': sys.stderr,
    'wsgi.input_terminated': True,
    'wsgi.multithread': True,
    'wsgi.multiprocess': True,
    'wsgi.run_once': False,
}
_MAX_KEYS = 1_000

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_keys: dict[str, str] = {'content-type': 'CONTENT_TYPE'}


def key_of(name: str) -> str:
    """Return the key of a header in an environ, kept for names that come again."""
    key = _keys.get(name)
    if key is None:
        key = f'HTTP_{name.upper().replace("-", "_")}'
        if len(_keys) < _MAX_KEYS:
            _keys[name] = key
    return key


def environ_of(connection: Connection, proxies: Proxies) -> dict[str, Any]:
    """Return the environ of the request that has arrived.

    A header whose name has `_` is dropped: WSGI would write it like the one with `-`.
    """
    environ = _FIXED.copy()
    reports: dict[str, list[str]] = {}
    for name, value in connection.headers:
        if name in proxies.reports:
            reports.setdefault(name, []).append(value)
        elif '_' not in name and name not in ('content-length', 'transfer-encoding'):
            key = key_of(name)
            if key in environ:
                environ[key] += ('; ' if name == 'cookie' else ',') + value
            else:
                environ[key] = value
    target, host = connection.target, environ.get('HTTP_HOST', '')
    if not target.startswith(b'/'):  # an absolute form names the host itself (RFC 9112 3.2.2)
        parts = urlsplit(target)
        host = parts.netloc.decode('latin-1') or host
        target = b'/' + target.partition(b'://')[2].partition(b'/')[2]
    path, _, query = target.partition(b'?')
    length = connection.received if connection.length is None else connection.length
    connection.body.seek(0)
    server, port = connection.socket.getsockname()[:2]
    environ |= {
        'REQUEST_METHOD': connection.method,
        'PATH_INFO': (unquote_to_bytes(path) if b'%' in path else path).decode('latin-1'),
        'QUERY_STRING': query.decode('latin-1'),
        'SERVER_NAME': server,
        'SERVER_PORT': str(port),
        'SERVER_PROTOCOL': f'HTTP/{connection.parser.get_http_version()}',
        'CONTENT_LENGTH': str(length) if length else '',
        'wsgi.input': connection.body,
    }
    arrival = proxies.arrival(connection.address, host, 'http', lambda name: reports.get(name, ()))
    place(environ, arrival)
    return environ


class ClientLeft(Exception):
    """The client closed the connection, or took nothing of the answer for too long."""


class Threads:
    """A fixed number of threads that answer what is put into their queue."""

    def __init__(
        self,
        size: int,
        application: WsgiApplication,
        proxies: Proxies,
        hand_back: Callable[[Connection], None],
    ) -> None:
        self._application, self._proxies, self._hand_back = application, proxies, hand_back
        self._queue: SimpleQueue[Connection | None] = SimpleQueue()
        self._threads = [Thread(target=self._run, name='answers') for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def answer(self, connection: Connection) -> None:
        """Have the request of the connection answered; it comes back through `hand_back`."""
        self._queue.put(connection)

    def stop(self) -> None:
        """Let every thread end after what it is at."""
        for _ in self._threads:
            self._queue.put(None)

    def _run(self) -> None:
        while connection := self._queue.get():
            try:
                self._answer(connection)
            except ClientLeft:
                connection.is_lost = True
            except Exception:  # noqa: BLE001 the thread goes on
                _log.exception('an answer was broken off')
                connection.is_lost = True
            self._hand_back(connection)
            del connection

    def _answer(self, connection: Connection) -> None:
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            head[:] = int(status[:3]), headers

        response: Any = self._application(environ_of(connection, self._proxies), start_response)
        try:
            status, headers = head
            if getattr(response, 'streaming', False):
                send_stream(connection, status, headers, response)
            else:
                send_whole(connection, status, headers, b''.join(response))
        finally:
            response.close()
            connection.body.close()  # the request is a cycle, which is collected later


def send_whole(
    connection: Connection, status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    """Send as much of a whole answer as the client takes at once; the rest is left to the loop."""
    if status in (204, 304):
        body = b''
    elif not any(name.lower() == 'content-length' for name, _ in headers):
        headers = [*headers, ('Content-Length', str(len(body)))]
    if connection.method == 'HEAD':
        body = b''
    head = _head(connection, status, headers)
    try:
        sent = connection.socket.sendmsg((head, body))
    except BlockingIOError:
        sent = 0
    except OSError:
        raise ClientLeft from None
    rest = sent - len(head)
    connection.left = memoryview(body)[rest:] if rest >= 0 else memoryview(head[sent:] + body)


def send_stream(
    connection: Connection, status: int, headers: list[tuple[str, str]], chunks: Iterable[bytes]
) -> None:
    """Send an answer while it is made. One that breaks off ends its connection without an end."""
    has_length = any(name.lower() == 'content-length' for name, _ in headers)
    is_chunked = not has_length and connection.parser.get_http_version() == '1.1'
    connection.is_last |= not (has_length or is_chunked)
    if is_chunked:
        headers = [*headers, ('Transfer-Encoding', 'chunked')]
    waiting = _head(connection, status, headers)
    if connection.method != 'HEAD':
        client = _Taker(connection)
        for chunk in chunks:
            if chunk:
                size = b'%x\r\n' % len(chunk) if is_chunked else b''
                client.send(b''.join((waiting, size, chunk, b'\r\n' if is_chunked else b'')))
                waiting = b''
        client.send(waiting + (b'0\r\n\r\n' if is_chunked else b''))
    else:
        _Taker(connection).send(waiting)


class _Taker:
    """A client that takes an answer in its own time, above the least rate."""

    def __init__(self, connection: Connection) -> None:
        self._socket, self._terms = connection.socket, connection.terms
        self._sent, self._waited = 0, 0.0

    def send(self, data: bytes) -> None:
        """Send all of it. Raises ClientLeft when the client is gone, or slower than it may be."""
        left = memoryview(data)
        while left:
            try:
                sent = self._socket.send(left)
            except BlockingIOError:
                self._wait()
            except OSError:
                raise ClientLeft from None
            else:
                self._sent += sent
                left = left[sent:]

    def _wait(self) -> None:
        stalled = self._terms.stalled
        left = min(stalled, stalled + self._sent / self._terms.rate - self._waited)
        began = time.monotonic()
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        if not poll.poll(max(0, left) * 1000):
            raise ClientLeft
        self._waited += time.monotonic() - began


def _head(connection: Connection, status: int, headers: list[tuple[str, str]]) -> bytes:
    lines = [f'{name}: {value}\r\n' for name, value in headers]
    lines.append(f'Date: {formatdate(usegmt=True)}\r\n')
    lines.append('Connection: close\r\n\r\n' if connection.is_last else '\r\n')
    line = _STATUS_LINES.get(status) or f'HTTP/1.1 {status} \r\n'.encode()
    return line + ''.join(lines).encode('latin-1')
