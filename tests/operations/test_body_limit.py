"""Limits of request bodies, in this process and over a real connection."""

import socket
from collections.abc import Iterator
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


@pytest.mark.parametrize('size', [0, 1, 70_000, MIB])
def test_a_chunked_body_within_the_limit_arrives_whole(site: Site, size: int) -> None:
    response = httpx.post(f'{site.url}/sample/length/', content=chunks(size))
    assert response.json() == {'length': size}


def test_a_chunked_body_reaches_the_parsers_of_rest_framework(site: Site) -> None:
    headers = {'Content-Type': 'application/json'}
    content = iter([b'{"a":', b' [1, 2]}'])
    response = httpx.post(f'{site.url}/sample/echo/', content=content, headers=headers)
    assert response.json() == {'a': [1, 2]}


def test_the_connection_serves_on_after_a_small_refusal(site: Site) -> None:
    with httpx.Client(base_url=site.url) as client:
        assert client.post('/sample/short/', content=b'x' * 11).status_code == 413
        assert client.get('/livez').status_code == 200


def test_expect_100_continue_spares_the_upload(site: Site) -> None:
    host, port = '127.0.0.1', site.port
    with socket.create_connection((host, port), timeout=5) as connection:
        connection.sendall(
            b'POST /sample/length/ HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n'
            b'Content-Length: 104857600\r\n\r\n'
        )
        assert connection.recv(64).startswith(b'HTTP/1.1 413')
