"""The loop of a process: one thread that waits for every socket, and never for Django.

A connection is the loop's while it reads a request or sends what is left of an answer, and a
thread's in between. The kernel reports a socket once and then not again before it is asked to, so
that no two of them ever have the same connection.
"""

import json
import select
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from uuid import uuid4

import structlog

from backstay.errors import CONTENT_TYPE, Problem
from backstay.operations.door.connections import Connection, Slow, Terms, Waiting
from backstay.operations.door.threads import ClientLeft, Threads, send_whole
from backstay.operations.headers import DATA_POLICY
from backstay.operations.metrics import observe_refusal
from backstay.operations.proxies import Proxies, WsgiApplication

_ONCE_READABLE = select.EPOLLIN | select.EPOLLONESHOT
_ONCE_WRITABLE = select.EPOLLOUT | select.EPOLLONESHOT

#: Bytes that are read at once.
_CHUNK = 65_536
#: Seconds between two looks at the deadlines.
_TICK = 0.5
#: Threads for the probes that ask the database and others.
_PROBES = 2
#: What every answer of the loop itself has.
_HEADERS = {
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': DATA_POLICY,
}

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Loop:
    """Waits for the sockets of one process, and answers through threads."""

    def __init__(
        self,
        listener: socket.socket,
        application: WsgiApplication,
        *,
        terms: Terms,
        proxies: Proxies,
        threads: int,
        most_connections: int,
        at_once: Mapping[bytes, tuple[str, bytes]],
        apart: frozenset[bytes],
    ) -> None:
        """`at_once` holds content type and body by path; `apart` the paths of all probes."""
        self._listener, self._terms, self._most = listener, terms, most_connections
        self._at_once, self._apart = at_once, apart
        self._connections: dict[int, Connection] = {}
        self._epoll = select.epoll()
        self._woken, self._waker = socket.socketpair()
        self._is_accepting = self._is_leaving = self._is_stopping = False
        #: The moment from which nothing more is taken, once it leaves.
        self._stops_at = 0.0
        self._threads = Threads(threads, application, proxies, self._hand_back)
        self._probes = Threads(_PROBES, application, proxies, self._hand_back)

    def run(self) -> None:
        """Answer until the time that `stop` gives is over, and then what has begun."""
        for each in (self._woken, self._waker, self._listener):
            each.setblocking(False)
        self._epoll.register(self._woken, select.EPOLLIN)
        self._accept_more()
        ticked = time.monotonic()
        while not self._is_stopping or self._connections:
            has_to_look = self._connections or self._is_leaving
            for number, _ in self._epoll.poll(_TICK if has_to_look else -1):
                if number == self._listener.fileno():
                    self._accept()
                elif number == self._woken.fileno():
                    self._woken.recv(_CHUNK)
                elif connection := self._connections.get(number):
                    self._ready(connection)
            now = time.monotonic()
            if self._is_leaving and not self._is_stopping and now >= self._stops_at:
                self._take_no_more()
            if now - ticked > _TICK:
                ticked = now
                self._look_at_deadlines(now)
        self._threads.stop()
        self._probes.stop()
        for each in (self._woken, self._waker, self._listener):
            each.close()
        self._epoll.close()

    def stop(self, after: float = 0) -> None:
        """Leave: from now on each answer ends its connection, and `after` seconds nothing is taken.

        A handler of a signal, or another thread, may call it; a second call may shorten the time.
        """
        self._stops_at, self._is_leaving = time.monotonic() + after, True
        with suppress(OSError):  # it was woken already, or has ended
            self._waker.send(b'.')

    def _take_no_more(self) -> None:
        """Take the connections that the kernel holds already, and then none."""
        while self._is_accepting and self._accept():
            pass
        self._is_stopping = True
        self._accept_no_more()
        self._listener.close()

    def _accept_more(self) -> None:
        if not (self._is_accepting or self._is_stopping):
            self._epoll.register(self._listener, select.EPOLLIN | select.EPOLLEXCLUSIVE)
            self._is_accepting = True

    def _accept_no_more(self) -> None:
        if self._is_accepting:
            self._epoll.unregister(self._listener)
            self._is_accepting = False

    def _accept(self) -> bool:
        """Take one new connection: the others are for whichever process is free first."""
        if len(self._connections) >= self._most and not self._drop_one():
            self._accept_no_more()
            return False
        try:
            client, address = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as error:  # out of files, say: those waiting stay in the queue of the kernel
            _log.warning('no connection could be taken', error=str(error))
            self._accept_no_more()
            return False
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(client, str(address[0]), self._terms)
        connection.deadline = time.monotonic() + self._terms.head
        self._connections[connection.number] = connection
        self._epoll.register(connection.number, _ONCE_READABLE)
        return True

    def _drop_one(self) -> bool:
        """Close the connection that has waited longest without a whole head; False without one."""
        waiting = [
            each
            for each in self._connections.values()
            if each.state in (Waiting.IDLE, Waiting.HEAD)
        ]
        if waiting:
            self._close(min(waiting, key=lambda each: each.deadline))
        return bool(waiting)

    def _ready(self, connection: Connection) -> None:
        if connection.state is Waiting.SENDING:
            self._send_rest(connection)
            return
        try:
            data = connection.socket.recv(_CHUNK)
        except BlockingIOError:
            self._wait_for(connection, _ONCE_READABLE)
            return
        except OSError:
            self._close(connection)
            return
        if connection.state is Waiting.LEAVING and data:
            self._wait_for(connection, _ONCE_READABLE)
        elif data:
            self._read(connection, data)
        elif connection.state is Waiting.BODY:
            connection.cut()
            self._hand_over(connection)
        else:
            self._close(connection)

    def _read(self, connection: Connection, data: bytes) -> None:
        now = time.monotonic()
        if connection.state is Waiting.IDLE:
            connection.state = Waiting.HEAD
            connection.deadline = now + self._terms.head
        connection.feed(data)
        if connection.problem:
            self._refuse(connection, connection.problem)
        elif connection.is_complete:
            self._hand_over(connection)
        else:
            if connection.state is Waiting.BODY:
                if not connection.body_began:
                    connection.body_began = now
                sent = connection.received / self._terms.rate
                connection.deadline = connection.body_began + self._terms.body + sent
            self._wait_for(connection, _ONCE_READABLE)

    def _hand_over(self, connection: Connection) -> None:
        """Have the request answered: here, apart, or by one of the threads."""
        connection.state = Waiting.ANSWER
        connection.is_last |= self._is_leaving
        path = connection.target.partition(b'?')[0]
        is_asked = connection.method in ('GET', 'HEAD') and not self._is_leaving
        if is_asked and path in self._at_once:
            content_type, body = self._at_once[path]
            self._send(connection, 200, content_type, body)
        elif path in self._apart:
            self._probes.answer(connection)
        else:
            self._threads.answer(connection)

    def _refuse(self, connection: Connection, problem: Problem) -> None:
        """Answer with the problem of what arrived; the connection ends with it."""
        connection.is_last = True
        request_id = uuid4().hex
        observe_refusal(problem.answer_status)
        _log.warning(
            'refused',
            code=problem.answer_code,
            address=connection.address,
            request_id=request_id,
        )
        body = json.dumps(problem.body(request_id)).encode()
        self._send(
            connection,
            problem.answer_status,
            CONTENT_TYPE,
            body,
            {**problem.headers, 'X-Request-Id': request_id},
        )

    def _send(
        self,
        connection: Connection,
        status: int,
        content_type: str,
        body: bytes,
        more: Mapping[str, str] = {},
    ) -> None:
        headers = {'Content-Type': content_type, **_HEADERS, **more}
        try:
            send_whole(connection, status, [*headers.items()], body)
        except ClientLeft:
            connection.is_lost = True
        self._hand_back(connection)

    def _hand_back(self, connection: Connection) -> None:
        """Go on with a connection whose answer is made; a thread calls this too."""
        if connection.is_lost:
            self._close(connection)
        elif connection.left:
            connection.deadline = time.monotonic() + self._terms.stalled
            connection.state = Waiting.SENDING
            self._wait_for(connection, _ONCE_WRITABLE)
        else:
            self._after_answer(connection)

    def _send_rest(self, connection: Connection) -> None:
        try:
            sent = connection.socket.send(connection.left)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(connection)
            return
        connection.left = connection.left[sent:]
        if connection.left:
            if sent:
                connection.deadline = time.monotonic() + self._terms.stalled
            self._wait_for(connection, _ONCE_WRITABLE)
        else:
            self._after_answer(connection)

    def _after_answer(self, connection: Connection) -> None:
        connection.clear()
        now = time.monotonic()
        if connection.is_last:
            # A client that still sends would lose the answer if the socket was closed at once.
            with suppress(OSError):
                connection.socket.shutdown(socket.SHUT_WR)
            connection.deadline = now + self._terms.leaving
            connection.state = Waiting.LEAVING
        else:
            connection.deadline = now + self._terms.idle
            connection.state = Waiting.IDLE
        self._wait_for(connection, _ONCE_READABLE)

    def _wait_for(self, connection: Connection, event: int) -> None:
        with suppress(OSError, ValueError):  # the process ends, and has closed it
            self._epoll.modify(connection.number, event)

    def _close(self, connection: Connection) -> None:
        connection.clear()
        connection.state = Waiting.CLOSED
        self._connections.pop(connection.number, None)
        connection.socket.close()

    def _look_at_deadlines(self, now: float) -> None:
        for connection in [*self._connections.values()]:
            state = connection.state
            if state is Waiting.IDLE and self._is_stopping:
                # One whose last answer did not say so may send a request just now.
                if now > connection.deadline - self._terms.idle + _TICK:
                    self._close(connection)
            elif state is Waiting.ANSWER or connection.deadline > now:
                continue
            elif state in (Waiting.HEAD, Waiting.BODY):
                self._refuse(connection, Slow('The request did not arrive in time.'))
            else:
                self._close(connection)
        if len(self._connections) < self._most:
            self._accept_more()
