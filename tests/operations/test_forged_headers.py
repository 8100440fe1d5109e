"""Headers that clients forge, against a running server: address, host and scheme are never theirs.

Each request has a random choice of headers that proxies, servers and frameworks are known to take
an address, a host or a scheme from, under names in several spellings, in any order, repeated, and
with a forged value. Where a proxy is believed, its own header comes after the client's of the very
same name, as HAProxy, nginx and Caddy write it.
"""

import json
import random
import socket
from typing import Any

import pytest
from sample_site.running import Site, StartSite

from tests.proofs import record_proof, size

FORGED = ('10.9.9.1', '198.51.100.66', '127.0.0.1', '::1', '2001:db8::66')
CLIENT, HOST = '203.0.113.5', 'localhost'
NAMES = {
    'Client-IP': FORGED,
    'CF-Connecting-IP': FORGED,
    'Fastly-Client-IP': FORGED,
    'True-Client-IP': FORGED,
    'X-Client-IP': FORGED,
    'X-Cluster-Client-IP': FORGED,
    'X-Forwarded': FORGED,
    'X-Forwarded-For': FORGED,
    'X-Real-IP': FORGED,
    'Remote-Addr': FORGED,
    'Forwarded': ('for=10.9.9.1;proto=ftp;host=forged.test', 'for="[2001:db8::66]"'),
    'Forwarded-For': FORGED,
    'X-Forwarded-Proto': ('ftp', 'https', 'http'),
    'X-Forwarded-Protocol': ('ftp', 'https'),
    'X-Forwarded-Scheme': ('ftp', 'https'),
    'X-Forwarded-Ssl': ('on',),
    'X-Url-Scheme': ('https',),
    'X-Scheme': ('https',),
    'Front-End-Https': ('on',),
    'X-Forwarded-Host': ('forged.test', 'localhost.forged.test'),
    'X-Forwarded-Server': ('forged.test',),
    'X-Forwarded-Port': ('6666',),
    'X-Host': ('forged.test',),
    'X-Original-Host': ('forged.test',),
    'X-Original-URL': ('/admin/',),
    'X-Rewrite-URL': ('/admin/',),
    'X-HTTP-Host-Override': ('forged.test',),
    'Wsgi.Url-Scheme': ('https',),
    'Backstay.Arrival': ('forged.test',),
    'Server-Name': ('forged.test',),
    'Content-Type': ('application/json',),
}


def spelled(name: str, rng: random.Random) -> str:
    """The name in one of the ways in which somebody may hope that it is read."""
    name = rng.choice((str, str.lower, str.upper, str.swapcase))(name)
    return ''.join('_' if each == '-' and rng.random() < 0.4 else each for each in name)


def forged(rng: random.Random, *, is_proxied: bool) -> list[str]:
    """The lines of one request's head, its request line aside."""
    lines = []
    for name in rng.choices([*NAMES], k=rng.randint(1, 12)):
        values = rng.choices(NAMES[name], k=rng.choice((1, 1, 2)))
        written = spelled(name, rng)
        if is_proxied and written.lower() == 'x-forwarded-proto':
            continue  # a proxy replaces it
        lines.append(f'{written}: {rng.choice((",", ", ")).join(values)}')
    lines.insert(rng.randint(0, len(lines)), f'Host: {HOST}')
    if is_proxied:
        lines += [f'X-Forwarded-For: {CLIENT}', 'X-Forwarded-Proto: https']
        if rng.random() < 0.5:  # as the one that appends to what is there
            lines[-2] = f'X-Forwarded-For: {rng.choice(FORGED)}, {CLIENT}'
    return lines


def ask(connection: Any, lines: list[str]) -> dict[str, Any]:
    """The body of the answer to a GET with these lines, on a connection that stays open."""
    connection.write('\r\n'.join(['GET /sample/arrival/ HTTP/1.1', *lines, '', '']).encode())
    connection.flush()
    status = connection.readline()
    assert b' 200 ' in status, (status, lines)
    length = 0
    while (line := connection.readline().strip()) != b'':
        name, _, value = line.partition(b': ')
        if name.lower() == b'content-length':
            length = int(value)
    answer: dict[str, Any] = json.loads(connection.read(length))
    return answer


@pytest.fixture(scope='module')
def believing(start_site: StartSite) -> Site:
    """A site that takes this machine for its proxy, which does not report the host."""
    return start_site('serve', ENV='test', BACKSTAY_TRUSTED_PROXIES='127.0.0.1')


@pytest.mark.parametrize('is_proxied', [False, True])
def test_address_host_and_scheme_are_never_a_clients_word(
    site: Site, believing: Site, request: pytest.FixtureRequest, *, is_proxied: bool
) -> None:
    rng, count = random.Random(int(is_proxied)), size(200, 1_000)
    server = believing if is_proxied else site
    address, scheme = (CLIENT, 'https') if is_proxied else ('127.0.0.1', 'http')
    with (
        socket.create_connection(('127.0.0.1', server.port), timeout=10) as connected,
        connected.makefile('rwb') as connection,
    ):
        for _ in range(count):
            lines = forged(rng, is_proxied=is_proxied)
            seen = ask(connection, lines)
            assert set(seen['address']) == {address}, lines
            assert set(seen['host']) == {HOST}, lines
            assert set(seen['scheme']) == {scheme}, lines
            assert seen['link'] == f'{scheme}://{HOST}/', lines
            assert seen['by'] == [
                *(
                    ['proxy', 'request', 'proxy']
                    if is_proxied
                    else ['connection', 'request', 'connection']
                )
            ]
            assert 'HTTP_X_FORWARDED_FOR' not in seen['names'], lines
    record_proof(request, f'{count} requests with forged headers')


def test_a_name_with_an_underscore_is_dropped_whatever_comes_first(site: Site) -> None:
    with (
        socket.create_connection(('127.0.0.1', site.port), timeout=10) as connected,
        connected.makefile('rwb') as connection,
    ):
        seen = ask(connection, ['X_Kept: no', 'Host: localhost', 'X-Kept: yes', 'X_KEPT: no'])
    assert 'yes' in seen['headers'].split()
    assert 'no' not in seen['headers'].split()
