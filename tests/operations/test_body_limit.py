"""Limits of request bodies, in this process and over a real connection."""

import socket
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from django.test import Client
from sample_site.running import Site

pytestmark = pytest.mark.urls('sample_site.root')

MIB = 1024 * 1024


def post(client: Client, path: str, size: int) -> httpx.Response:
    return client.post(path, b' ' * size, content_type='application/json')  # type: ignore[return-value]


@pytest.mark.parametrize(
    ('path', 'limit'), [('/sample/length/', MIB), ('/sample/short/', 10), ('/sample/echo/', 20)]
)
def test_a_body_at_the_limit_passes_and_one_above_is_refused(
    client: Client, path: str, limit: int
) -> None:
    assert post(client, path, limit).status_code != 413
    response = post(client, path, limit + 1)
    assert response.status_code == 413
    body = response.json()
    assert (body['code'], body['limit']) == ('payload-too-large', limit)
    assert str(limit) in body['detail']


def test_a_form_is_refused_before_the_csrf_check_reads_it() -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies['csrftoken'] = 'a' * 32
    response = client.post(
        '/admin/login/', b'a=' + b'x' * MIB, content_type='application/x-www-form-urlencoded'
    )
    assert response.status_code == 413


def test_a_body_without_an_end_is_refused(client: Client) -> None:
    # Django's test client, like many servers, does not say that its input ends.
    response = client.post('/sample/length/', HTTP_TRANSFER_ENCODING='chunked')
    assert (response.status_code, response.json()['code']) == (411, 'length-required')


def chunks(total: int) -> Iterator[bytes]:
    for _ in range(total // 65536):
        yield b' ' * 65536
    yield b' ' * (total % 65536)


@pytest.mark.parametrize('size', [MIB + 1, 100 * MIB])
@pytest.mark.parametrize('is_chunked', [False, True])
def test_the_refusal_arrives_and_memory_stays_flat(
    site: Site, size: int, *, is_chunked: bool
) -> None:
    httpx.post(f'{site.url}/sample/length/', content=b' ' * MIB).raise_for_status()
    before = memory_of(site)
    body = chunks(size) if is_chunked else b' ' * size
    for _ in range(3):
        response = httpx.post(f'{site.url}/sample/length/', content=body, timeout=20)
        assert response.status_code == 413
        assert response.json()['limit'] == MIB
        body = chunks(size) if is_chunked else body
    assert memory_of(site) - before < 8 * MIB


def memory_of(site: Site) -> int:
    """Bytes of memory that the worker holds."""
    (worker,) = site.workers()
    return int(Path(f'/proc/{worker}/statm').read_text().split()[1]) * 4096


class Terminated(BytesIO):
    """The input of a server that says where a chunked body ends, and fails where it is cut."""

    def __init__(self, data: bytes, *, is_cut: bool = False) -> None:
        super().__init__(data)
        self.is_cut = is_cut

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if not data and self.is_cut:
            raise RuntimeError('no more data')
        return data


def chunked(client: Client, path: str, body: BytesIO) -> httpx.Response:
    """Post a body of unknown length, as gunicorn hands it on."""
    given = {'wsgi.input': body, 'wsgi.input_terminated': True, 'CONTENT_TYPE': 'application/json'}
    return client.generic(  # type: ignore[return-value]
        'POST', path, HTTP_TRANSFER_ENCODING='chunked', **given
    )


@pytest.mark.parametrize('size', [0, 1, 70_000, MIB])
def test_a_chunked_body_within_the_limit_arrives_whole(client: Client, size: int) -> None:
    response = chunked(client, '/sample/length/', Terminated(b' ' * size))
    assert response.json() == {'length': size}


def test_a_chunked_body_reaches_the_parsers_of_rest_framework(client: Client) -> None:
    response = chunked(client, '/sample/echo/', Terminated(b'{"a": [1, 2]}'))
    assert response.json() == {'a': [1, 2]}


def test_a_chunked_body_that_is_cut_is_refused(client: Client) -> None:
    response = chunked(client, '/sample/length/', Terminated(b'{"a": 1}', is_cut=True))
    assert (response.status_code, response.json()['code']) == (400, 'body-incomplete')


def raw(site: Site, head: str, body: bytes, *, ends: bool) -> bytes:
    """What the server answers to bytes of our own; `ends` closes our side of the connection."""
    with socket.create_connection(('127.0.0.1', site.port), timeout=5) as connection:
        lines = f'POST /sample/length/ HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n'
        connection.sendall(lines.encode() + body)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        answer = b''
        while b'}' not in answer and (more := connection.recv(65536)):
            answer += more
        return answer


@pytest.mark.parametrize('sent', [b'{', b'{"a": 1}', b' ' * 70_000])
def test_a_body_shorter_than_announced_is_refused(site: Site, sent: bytes) -> None:
    answer = raw(site, 'Content-Length: 100000', sent, ends=True)
    assert answer.startswith(b'HTTP/1.1 400')
    assert b'body-incomplete' in answer


@pytest.mark.parametrize(
    ('body', 'ends', 'status', 'code'),
    [
        (b'8\r\n{"a": 1}\r\n', True, 400, b'body-incomplete'),
        (b'8\r\n{"a":', True, 400, b'body-incomplete'),
        (b'8\r\n{"a": 1}\r\nZZ\r\nx\r\n0\r\n\r\n', False, 400, b'bad-request'),
        (b'8\r\n{"a": 1}\r\n0\r\n\r\n', False, 200, b'"length": 8'),
        (b'4\r\n{"a"\r\n4\r\n: 1}\r\n0\r\nX-Trailer: 1\r\n\r\n', False, 200, b'"length": 8'),
    ],
    ids=['cut', 'cut in a chunk', 'bad chunk', 'whole', 'whole with a trailer'],
)
def test_a_chunked_body_is_taken_whole_or_not_at_all(
    site: Site, body: bytes, ends: bool, status: int, code: bytes
) -> None:
    answer = raw(site, 'Transfer-Encoding: chunked', body, ends=ends)
    assert answer.startswith(b'HTTP/1.1 %d' % status)
    assert code in answer
