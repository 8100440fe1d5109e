"""One connection of a client: its requests, read one after the other within the limits.

llhttp, which Node.js is built on, reads the bytes (RFC 9112). This module decides what is refused
before Django sees it. It must not know threads or other connections.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from io import BytesIO
from threading import Lock

import httptools

from backstay.errors import Problem

#: Bytes of a request line and its headers, and how many headers.
MAX_HEAD, MAX_HEADERS = 65_536, 100


class Waiting(Enum):
    """What a connection waits for, which decides how long it may."""

    #: The first byte of the next request.
    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    #: A thread and the answer; the loop leaves it alone.
    ANSWER = auto()
    #: The client, which has to take the rest of the answer.
    SENDING = auto()
    #: The client, which has to read the last answer before its connection is closed.
    LEAVING = auto()
    CLOSED = auto()


class HeadTooLarge(Problem):
    """431: the request line and headers are longer, or more, than a server reads."""

    code = 'headers-too-large'


def _too_long() -> HeadTooLarge:
    return HeadTooLarge(f'The head of a request may have {MAX_HEAD} bytes.')


class TooManyBodies(Problem):
    """503: the bodies of other requests fill the memory set aside for them."""

    code = 'too-many-bodies'

    def __init__(self) -> None:
        super().__init__(
            'The server holds as many bytes of other requests as it may.',
            headers={'Retry-After': '1'},
        )


class Slow(Problem):
    """408: the request took longer than a server waits for it."""

    code = 'request-timeout'


class Malformed(Problem):
    """400: what came is not HTTP, or can be read in two ways."""

    code = 'bad-request'


class Room:
    """Bytes of bodies that a process holds, from their arrival to their answer."""

    def __init__(self, most: int) -> None:
        self._most, self._now = most, 0
        self._lock = Lock()

    def take(self, size: int, beside: int, coming: int = 0) -> bool:
        """Hold so many bytes more of a body of which `beside` are held already.

        Return False when there is no room for them and those that are coming. A body that is alone
        may always be read.
        """
        with self._lock:
            if self._now > beside and self._now + size + coming > self._most:
                return False
            self._now += size
            return True

    def give_back(self, size: int) -> None:
        """Hold so many bytes less."""
        with self._lock:
            self._now -= size


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the clients of a process are held to. Times are in seconds."""

    held: Room
    #: Gives the bytes that a body may have, by method and target.
    limit_of: Callable[[str, bytes], int]
    #: From the first byte of a request to the end of its headers.
    head: float = 10
    #: For a body, besides a second for each `rate` bytes of it.
    body: float = 10
    #: Without a byte of an answer taken, and in all, besides a second for each `rate` bytes of it.
    stalled: float = 30
    #: Bytes a second that a client sends or takes at least.
    rate: int = 4_096
    #: Between two requests: longer than proxies keep their connections.
    idle: float = 75
    #: To read the last answer of a connection.
    leaving: float = 2


class Connection:
    """The state of one connection, and of the request that is being read from it."""

    __slots__ = (
        '_limit',
        'address',
        'body',
        'body_began',
        'deadline',
        'has_head',
        'head_size',
        'headers',
        'holds',
        'is_complete',
        'is_last',
        'is_lost',
        'left',
        'length',
        'number',
        'parser',
        'problem',
        'received',
        'socket',
        'state',
        'target',
        'terms',
    )

    def __init__(self, connection: socket.socket, address: str, terms: Terms) -> None:
        """`address` is that of the other end of the socket."""
        self.socket, self.number, self.address = connection, connection.fileno(), address
        self.terms = terms
        self.parser = httptools.HttpRequestParser(self)
        self.state = Waiting.IDLE
        #: The moment when the state ends by itself, by `time.monotonic`.
        self.deadline = 0.0
        #: What the client has not taken yet of an answer.
        self.left = memoryview(b'')
        #: Whether the connection ends after the answer.
        self.is_last = False
        #: Whether the client is gone, or its answer broke off.
        self.is_lost = False
        #: Bytes of those held that are this request's.
        self.holds = 0
        self.clear()

    def clear(self) -> None:
        """Forget the request that was answered."""
        if self.holds:
            self.terms.held.give_back(self.holds)
        self.holds = self.head_size = self.received = 0
        self.body_began = 0.0
        self.target = b''
        self.headers: list[tuple[str, str]] = []
        #: Bytes of the body that were announced; None for a chunked one.
        self.length: int | None = 0
        self.body = BytesIO()
        self.has_head = self.is_complete = False
        self.problem: Problem | None = None

    @property
    def method(self) -> str:
        """The method of the request, in capitals."""
        return str(self.parser.get_method().decode('ascii'))

    def feed(self, data: bytes) -> None:
        """Read what came; afterwards `is_complete` or `problem` says what to do."""
        self.head_size += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No other protocol is spoken here, so the request is answered as it is (RFC 9110 7.8).
            self.is_last = True
        except httptools.HttpParserError as error:
            self.is_last = True
            if not (self.is_complete or self.problem):
                self.problem = Malformed(f'What was sent is not HTTP: {error}.')
        if not self.has_head and self.head_size > MAX_HEAD:
            self.problem = _too_long()

    def cut(self) -> None:
        """Take the end of the connection for the end of the request, whose body lacks a part."""
        if self.length is None or self.length == self.received:
            self.length = self.received + 1
        self.is_complete = self.is_last = True

    # What llhttp calls. After a whole request it may go on with the next: clients that do not wait
    # for an answer are answered once, and told that the connection ends.

    def on_message_begin(self) -> None:
        if self.is_complete:
            self.is_last = True

    def on_url(self, target: bytes) -> None:
        if not self.is_complete:
            self.target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.is_complete:
            return
        if len(self.headers) == MAX_HEADERS:
            self.problem = HeadTooLarge(f'A request may have {MAX_HEADERS} headers.')
            return
        self.headers.append((name.decode('latin-1').lower(), value.decode('latin-1')))

    def on_headers_complete(self) -> None:
        if self.is_complete or self.problem:
            return
        if not self.parser.should_keep_alive():
            self.is_last = True
        self.has_head = True
        self.problem = self._wrong_with_head()
        given = dict(self.headers)
        if 'transfer-encoding' in given:
            self.length = None
        elif 'content-length' in given:
            self.length = int(given['content-length'])
        if self.problem or self.length == 0:
            return
        self._limit = self.terms.limit_of(self.method, self.target)
        if self.length and self.length > self._limit:
            self.is_complete = self.is_last = True  # answered without its body
            return
        self.state = Waiting.BODY
        if not self.terms.held.take(0, 0, self.length or 0):
            self.problem = TooManyBodies()
        elif given.get('expect', '').lower() == '100-continue':
            self.socket.send(b'HTTP/1.1 100 Continue\r\n\r\n')

    def _wrong_with_head(self) -> Problem | None:
        names = [name for name, _ in self.headers]
        if (
            len(self.target) + sum(len(name) + len(value) for name, value in self.headers)
            > MAX_HEAD
        ):
            return _too_long()
        hosts = names.count('host')
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == '1.1'):
            return Malformed('A request has one Host (RFC 9112 section 3.2).')
        if names.count('content-length') > 1 or names.count('transfer-encoding') > 1:
            return Malformed('The length of the body is said twice (RFC 9112 section 6.3).')
        if any(
            name == 'transfer-encoding' and value.strip().lower() != 'chunked'
            for name, value in self.headers
        ):
            return Malformed('The only Transfer-Encoding is chunked.')
        if not self.target.startswith((b'/', b'http://', b'https://', b'*')) or b'#' in self.target:
            return Malformed('The target of a request is a path (RFC 9112 section 3.2).')
        return None

    def on_body(self, data: bytes) -> None:
        if self.is_complete or self.problem:
            return
        self.received += len(data)
        if self.length is None and self.received > self._limit:
            self.length = self.received  # more than may be: answered as one announced so
            self.body = BytesIO()
            self.is_complete = self.is_last = True
            return
        if self.terms.held.take(len(data), self.holds):
            self.holds += len(data)
            self.body.write(data)
        else:
            self.problem = TooManyBodies()

    def on_message_complete(self) -> None:
        if not self.problem:
            self.is_complete = True
