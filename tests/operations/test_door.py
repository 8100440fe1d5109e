"""The server in front of Django: what it takes, what it refuses, and whom it lets wait.

It runs here in a thread, with clients that have fractions of a second, before a WSGI application
of three addresses.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse

from backstay.operations.door.connections import MAX_HEAD, Room, Terms, Waiting
from backstay.operations.door.loop import Loop
from backstay.operations.proxies import Proxies

KIB = 1024
#: More than the kernel keeps of an answer that nobody reads.
LARGE = 32 * KIB * KIB


class Behind:
    """The application: it keeps what it was asked, and counts what it made."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.made = 0
        self.closed = threading.Event()
        self.may_answer = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.seen.append({**environ, 'body': environ['wsgi.input'].read()})
        response: Any = HttpResponse(b'ok')
        match environ['PATH_INFO']:
            case '/large':
                response = HttpResponse(b'x' * LARGE)
            case '/rows':
                response = StreamingHttpResponse(self._rows(int(environ['QUERY_STRING'])))
                response._resource_closers.append(self.closed.set)
            case '/waits':
                self.may_answer.wait(10)
            case '/bug':
                raise RuntimeError('a bug')
        start_response(f'{response.status_code} OK', [*response.items()])
        return response

    def _rows(self, number: int) -> Iterator[bytes]:
        for _ in range(abs(number)):
            self.made += 1
            yield b'x' * 64 * KIB
        if number < 0:
            raise RuntimeError('the database is away')


class Door:
    """The server and its application."""

    def __init__(self, **differs: Any) -> None:
        self.app = Behind()
        listener = socket.create_server(('127.0.0.1', 0))
        self.port = listener.getsockname()[1]
        most = differs.pop('most_connections', 100)
        held = Room(differs.pop('most_held', 1024 * KIB))
        terms: dict[str, Any] = {'head': 0.3, 'body': 0.3, 'stalled': 0.5, 'leaving': 0.5}
        self.loop = Loop(
            listener,
            self.app,
            terms=Terms(held=held, limit_of=lambda *_: 1024 * KIB, **{**terms, **differs}),
            proxies=Proxies(()),
            threads=1,
            most_connections=most,
            at_once={b'/livez': ('application/json', b'{}')},
            apart=frozenset({b'/readyz'}),
        )
        self.thread = threading.Thread(target=self.loop.run)
        self.thread.start()

    def connect(self) -> socket.socket:
        return socket.create_connection(('127.0.0.1', self.port), timeout=5)

    def ask(self, path: str = '/', **head: str) -> bytes:
        """The whole answer on a connection of its own."""
        return self.tell(request(path, Connection='close', **head))

    def tell(self, data: bytes) -> bytes:
        """Everything that comes back, until the server ends the connection."""
        with self.connect() as client:
            client.sendall(data)
            return all_of(client)


def request(path: str = '/', method: str = 'GET', body: bytes = b'', **head: str) -> bytes:
    lines = [f'{method} {path} HTTP/1.1', 'Host: localhost']
    lines += [f'{name.replace("_", "-")}: {value}' for name, value in head.items()]
    return '\r\n'.join([*lines, '', '']).encode() + body


def all_of(client: socket.socket) -> bytes:
    return b''.join(iter(lambda: client.recv(256 * KIB), b''))


def status_of(answer: bytes) -> int:
    return int(answer.split(b' ', 2)[1])


def states(door: Door) -> list[Waiting]:
    return [each.state for each in [*door.loop._connections.values()]]


def until(holds: Callable[[], object], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def open_door() -> Iterator[Callable[..., Door]]:
    """Opens a door, and closes it after the test."""
    opened: list[Door] = []

    def make(**differs: Any) -> Door:
        opened.append(Door(**differs))
        return opened[-1]

    yield make
    for each in opened:
        each.app.may_answer.set()
        each.loop.stop()
        each.thread.join(10)
        assert not each.thread.is_alive()


@pytest.fixture
def door(open_door: Callable[..., Door]) -> Door:
    return open_door()


class TestSlowClients:
    @pytest.mark.parametrize(
        'sent',
        [
            b'G',
            b'GET / HTTP/1.1\r\nHost: local',
            request(method='POST', Content_Length='10'),
            request(method='POST', Content_Length='10', body=b'123'),
            request(method='POST', Transfer_Encoding='chunked', body=b'3\r\n12'),
        ],
    )
    def test_are_told_so_and_left(self, door: Door, sent: bytes) -> None:
        began = time.monotonic()
        answer = door.tell(sent)
        assert status_of(answer) == 408
        assert b'"code": "request-timeout"' in answer
        assert 0.2 < time.monotonic() - began < 4
        assert door.app.seen == []

    def test_that_send_a_byte_now_and_then_gain_no_time(self, door: Door) -> None:
        began = time.monotonic()
        with door.connect() as client:
            client.sendall(request(method='POST', Content_Length='1000'))
            client.settimeout(0.1)
            answer = b''
            while not answer:
                client.sendall(b'x')
                try:
                    answer = client.recv(KIB)
                except TimeoutError:
                    assert time.monotonic() - began < 4
        assert status_of(answer) == 408

    def test_that_say_nothing_are_left_without_a_word(self, open_door: Callable[..., Door]) -> None:
        door = open_door(idle=0.3)
        with door.connect() as client:
            client.sendall(request())
            assert status_of(client.recv(KIB)) == 200
            assert client.recv(KIB) == b''

    def test_take_no_thread(self, door: Door) -> None:
        clients = [door.connect() for _ in range(20)]
        for number, client in enumerate(clients):
            client.sendall(
                request(method='POST', Content_Length='10', body=b'1')[: 20 + number * 5]
            )
        assert status_of(door.ask()) == 200
        for client in clients:
            client.close()

    def test_that_read_slowly_take_no_thread(self, open_door: Callable[..., Door]) -> None:
        door = open_door(stalled=10)
        with door.connect() as slow:
            slow.sendall(request('/large', Connection='close'))
            until(lambda: door.app.seen)
            assert status_of(door.ask()) == 200
            answer = all_of(slow)
        assert len(answer.partition(b'\r\n\r\n')[2]) == LARGE

    def test_that_stop_reading_are_left(self, door: Door) -> None:
        with door.connect() as slow:
            slow.sendall(request('/large'))
            until(lambda: door.loop._connections)
            until(lambda: not door.loop._connections)

    def test_of_an_export_hold_back_its_making_and_then_lose_it(self, door: Door) -> None:
        with door.connect() as slow:
            slow.sendall(request('/rows?10000'))
            assert door.app.closed.wait(10)
        assert 0 < door.app.made < 1_000
        assert status_of(door.ask()) == 200


class TestAnswers:
    def test_come_one_after_the_other_on_one_connection(self, door: Door) -> None:
        with door.connect() as client:
            for method in ('GET', 'HEAD', 'GET'):
                client.sendall(request(method=method))
                answer = client.recv(KIB)
                assert b'Content-Length: 2\r\n' in answer
                assert answer.endswith(b'\r\n\r\n' if method == 'HEAD' else b'\r\n\r\nok')

    def test_of_an_export_come_in_chunks_with_an_end(self, door: Door) -> None:
        answer = door.ask('/rows?3')
        assert b'Transfer-Encoding: chunked\r\n' in answer
        assert answer.count(b'10000\r\nxxx') == 3
        assert answer.endswith(b'\r\n0\r\n\r\n')

    def test_of_an_export_that_breaks_off_have_no_end(self, door: Door) -> None:
        answer = door.ask('/rows?-3')
        assert answer.count(b'10000\r\nxxx') == 3
        assert not answer.endswith(b'0\r\n\r\n')
        assert status_of(door.ask()) == 200

    def test_to_http_1_0_end_with_the_connection(self, door: Door) -> None:
        answer = door.tell(b'GET /rows?1 HTTP/1.0\r\n\r\n')
        assert b'chunked' not in answer
        assert answer.endswith(b'\r\n\r\n' + b'x' * 64 * KIB)

    def test_that_nobody_takes_free_their_thread(self, door: Door) -> None:
        for _ in range(5):
            with door.connect() as client:
                client.sendall(request('/rows?100'))
        assert status_of(door.ask()) == 200

    def test_that_fail_without_an_answer_end_the_connection_and_nothing_else(
        self, door: Door
    ) -> None:
        assert door.ask('/bug') == b''
        assert status_of(door.ask()) == 200

    def test_are_given_before_the_end(self, door: Door) -> None:
        with door.connect() as waiting, door.connect() as idle:
            idle.sendall(request('/livez'))
            assert status_of(idle.recv(KIB)) == 200
            waiting.sendall(request('/waits'))
            until(lambda: door.app.seen)
            door.loop.stop()
            assert idle.recv(KIB) == b''
            door.app.may_answer.set()
            answer = all_of(waiting)
        assert answer.endswith(b'ok')
        door.thread.join(5)
        with pytest.raises(ConnectionError):
            door.ask()


class TestBodies:
    @pytest.mark.parametrize(
        ('sent', 'body'),
        [
            (request(method='POST', Content_Length='3', body=b'abc'), b'abc'),
            (request(method='POST', Transfer_Encoding='chunked', body=b'0\r\n\r\n'), b''),
            (
                request(
                    method='POST',
                    Transfer_Encoding='Chunked',
                    body=b'2;x=y\r\nab\r\n1\r\nc\r\n0\r\nA: b\r\n\r\n',
                ),
                b'abc',
            ),
        ],
    )
    def test_arrive_whole_however_they_are_cut(self, door: Door, sent: bytes, body: bytes) -> None:
        with door.connect() as client:
            for at in range(len(sent)):
                client.sendall(sent[at : at + 1])
            assert status_of(client.recv(KIB)) == 200
        seen = door.app.seen[-1]
        assert (seen['body'], seen['CONTENT_LENGTH']) == (body, str(len(body)) if body else '')
        assert 'HTTP_TRANSFER_ENCODING' not in seen

    def test_are_waited_for_when_a_client_asks_first(self, door: Door) -> None:
        with door.connect() as client:
            client.sendall(request(method='POST', Content_Length='2', Expect='100-continue'))
            assert client.recv(KIB) == b'HTTP/1.1 100 Continue\r\n\r\n'
            client.sendall(b'ab')
            assert status_of(client.recv(KIB)) == 200
        assert door.app.seen[0]['body'] == b'ab'

    def test_above_the_limit_are_not_read(self, door: Door) -> None:
        answer = door.tell(
            request(method='POST', Content_Length=str(1025 * KIB), Expect='100-continue')
        )
        assert b'100 Continue' not in answer  # Django answers 413 by the length that it sees
        assert door.app.seen[0]['CONTENT_LENGTH'] == str(1025 * KIB)
        assert door.app.seen[0]['body'] == b''

    def test_of_all_clients_have_a_bound(self, open_door: Callable[..., Door]) -> None:
        door = open_door(most_held=150 * KIB, body=5)
        half = 100 * KIB
        with door.connect() as first:
            first.sendall(request(method='POST', Content_Length=str(half), body=b'x' * (half - 1)))
            until(lambda: door.loop._terms.held._now == half - 1)
            for coding in ({'Content_Length': str(half)}, {'Transfer_Encoding': 'chunked'}):
                body = b'%x\r\n' % half + b'x' * half
                answer = door.tell(request(method='POST', **coding, body=body))
                assert status_of(answer) == 503
                assert b'"code": "too-many-bodies"' in answer
                assert b'Retry-After: 1\r\n' in answer
            small = request(method='POST', Content_Length='3', body=b'abc', Connection='close')
            assert status_of(door.tell(small)) == 200
            first.sendall(b'x')
            assert status_of(first.recv(KIB)) == 200
        until(lambda: door.loop._terms.held._now == 0)
        alone = request(method='POST', Content_Length=str(2 * half), body=b'x' * 2 * half)
        with door.connect() as client:
            client.sendall(alone)
            assert status_of(client.recv(KIB)) == 200


GET = 'GET / HTTP/1.1\r\n'
HOST = 'Host: localhost\r\n'
CHUNKED = 'Transfer-Encoding: chunked\r\n'
POST = f'POST / HTTP/1.1\r\n{HOST}'
HOSTILE = {
    'no host': f'{GET}\r\n',
    'two hosts': f'{GET}{HOST}Host: other\r\n\r\n',
    'two equal hosts': f'{GET}{HOST}{HOST}\r\n',
    'two lengths': f'{POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'two equal lengths': f'{POST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na',
    'lengths in a list': f'{POST}Content-Length: 1, 1\r\n\r\na',
    'negative length': f'{POST}Content-Length: -1\r\n\r\n',
    'length with a sign': f'{POST}Content-Length: +1\r\n\r\na',
    'length in hexadecimal': f'{POST}Content-Length: 0x1\r\n\r\na',
    'length without end': f'{POST}Content-Length: {10**30}\r\n\r\na',
    'length and chunks': f'{POST}Content-Length: 1\r\n{CHUNKED}\r\n0\r\n\r\n',
    'chunks and length': f'{POST}{CHUNKED}Content-Length: 1\r\n\r\n0\r\n\r\n',
    'chunked twice': f'{POST}{CHUNKED}{CHUNKED}\r\n0\r\n\r\n',
    'chunked in a list': f'{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'chunked and more': f'{POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    'chunked misspelled': f'{POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    'chunked after a tab': f'{POST}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n',
    'identity': f'{POST}Transfer-Encoding: identity\r\n\r\n',
    'size with a sign': f'{POST}{CHUNKED}\r\n+1\r\na\r\n0\r\n\r\n',
    'size with 0x': f'{POST}{CHUNKED}\r\n0x1\r\na\r\n0\r\n\r\n',
    'size that is too much': f'{POST}{CHUNKED}\r\n{"f" * 20}\r\na\r\n0\r\n\r\n',
    'chunk without its end': f'{POST}{CHUNKED}\r\n1\r\nab\r\n0\r\n\r\n',
    'blank before a colon': f'{GET}Host : localhost\r\n\r\n',
    'blank before a name': f'{GET} Host: localhost\r\n\r\n',
    'folded line': f'{GET}{HOST}X-A: b\r\n c\r\n\r\n',
    'name with a blank': f'{GET}{HOST}X A: b\r\n\r\n',
    'empty name': f'{GET}{HOST}: b\r\n\r\n',
    'null in a value': f'{GET}{HOST}X-A: \x00\r\n\r\n',
    'carriage return alone': f'{GET}{HOST}X-A: b\rX-B: c\r\n\r\n',
    'two request lines': f'{GET}{GET}{HOST}\r\n',
    'fragment': f'GET /#a HTTP/1.1\r\n{HOST}\r\n',
    'target without a slash': f'GET a HTTP/1.1\r\n{HOST}\r\n',
    'another scheme': f'GET file:///etc/passwd HTTP/1.1\r\n{HOST}\r\n',
    'tunnel': f'CONNECT other:80 HTTP/1.1\r\n{HOST}\r\n',
    'unknown method': f'BREW / HTTP/1.1\r\n{HOST}\r\n',
    'lower-case method': f'get / HTTP/1.1\r\n{HOST}\r\n',
    'another version': f'GET / HTTP/3.7\r\n{HOST}\r\n',
    'another protocol': 'SSH-2.0-OpenSSH_9.2\r\n',
    'TLS': '\x16\x03\x01\x02\x00\x01\x00\x01',
}


class TestHostileRequests:
    @pytest.mark.parametrize('sent', HOSTILE.values(), ids=HOSTILE)
    def test_are_refused_before_the_application(self, door: Door, sent: str) -> None:
        answer = door.tell(sent.encode('latin-1'))
        assert status_of(answer) == 400
        assert b'"code": "bad-request"' in answer
        assert door.app.seen == []

    @pytest.mark.parametrize(
        'sent',
        [
            f'{GET}{HOST}X-A: {"a" * MAX_HEAD}\r\n\r\n',
            f'GET /{"a" * MAX_HEAD} HTTP/1.1\r\n{HOST}\r\n',
            f'{GET}{HOST}' + 'X-B: b\r\n' * 100 + '\r\n',
            f'{GET}{HOST}' + 'a' * MAX_HEAD,
        ],
        ids=['long value', 'long target', 'many headers', 'long name'],
    )
    def test_with_too_much_before_their_body_are_refused(self, door: Door, sent: str) -> None:
        answer = door.tell(sent.encode())
        assert status_of(answer) == 431
        assert door.app.seen == []

    def test_that_follow_before_the_answer_are_not_read(self, door: Door) -> None:
        answer = door.tell(request('/first') + request('/second'))
        assert answer.count(b'HTTP/1.1 200') == 1
        assert b'Connection: close\r\n' in answer
        assert [seen['PATH_INFO'] for seen in door.app.seen] == ['/first']

    def test_for_another_protocol_are_answered_in_this_one(self, door: Door) -> None:
        answer = door.ask(Upgrade='h2c', HTTP2_Settings='AAMAAABkAAQCAAAAAAIAAAAA')
        assert status_of(answer) == 200

    def test_in_absolute_form_name_the_host_themselves(self, door: Door) -> None:
        door.ask('http://named.test:81/a?b=c')
        seen = door.app.seen[0]
        assert (seen['HTTP_HOST'], seen['PATH_INFO']) == ('named.test:81', '/a')
        assert seen['QUERY_STRING'] == 'b=c'


class TestMoreClientsThanMayBe:
    def test_the_one_that_waited_longest_makes_room(self, open_door: Callable[..., Door]) -> None:
        door = open_door(most_connections=5, head=10, idle=10)
        clients = []
        for _ in range(12):
            clients.append(door.connect())
            clients[-1].sendall(b'GET / HTTP/1.1\r\n')
            assert status_of(door.ask('/livez')) == 200
        assert len(door.loop._connections) <= 5
        for client in clients:
            client.close()

    def test_nobody_makes_room_who_waits_for_an_answer(
        self, open_door: Callable[..., Door]
    ) -> None:
        door = open_door(most_connections=2)
        with door.connect() as first, door.connect() as second:
            for each in (first, second):
                each.sendall(request('/waits', Connection='close'))
            until(lambda: states(door) == [Waiting.ANSWER, Waiting.ANSWER])
            with door.connect() as third:
                third.sendall(request('/livez', Connection='close'))
                door.app.may_answer.set()
                assert [all_of(each)[-2:] for each in (first, second, third)] == [
                    b'ok',
                    b'ok',
                    b'{}',
                ]


def test_probes_do_not_wait_for_the_threads(door: Door) -> None:
    with door.connect() as waiting:
        waiting.sendall(request('/waits'))
        until(lambda: door.app.seen)
        began = time.monotonic()
        assert status_of(door.ask('/livez')) == 200
        assert status_of(door.ask('/readyz')) == 200
        assert time.monotonic() - began < 1
