"""The recipes for HAProxy and nginx as the page has them, with real ones that end TLS."""

import os
import random
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sample_site.running import ROOT, Site, StartSite, free_port, launch
from test_forged_headers import HOST, ask, forged

from tests.proofs import record_proof, size

pytestmark = pytest.mark.engine_free  # the site has a database of its own

#: Where the client calls from; the proxy that the site believes calls from 127.0.0.1.
CLIENT = '127.0.0.7'


def recipe(name: str) -> str:
    """The configuration that the page shows."""
    page = (ROOT / 'docs' / 'how-to' / 'behind-a-proxy.md').read_text()
    found = re.search(rf'```{name}\n(.*?)```', page, re.DOTALL)
    assert found
    return found[1]


def certificate(path: Path) -> None:
    """Write a key and a certificate for `localhost`, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'localhost')])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName('localhost')]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(pem) + secret)


class Proxy:
    """A proxy on two ports of this machine."""

    def __init__(self, plain: int, tls: int, pem: Path) -> None:
        self.plain, self.tls = plain, tls
        self._context = ssl.create_default_context(cafile=pem)

    def connect(self, *, encrypted: bool = True) -> socket.socket:
        port = self.tls if encrypted else self.plain
        client = socket.create_connection(
            ('127.0.0.1', port), timeout=10, source_address=(CLIENT, 0)
        )
        return (
            self._context.wrap_socket(client, server_hostname='localhost') if encrypted else client
        )

    def status(self, path: str, *, encrypted: bool = True) -> tuple[int, str]:
        """The status of a GET and where it leads to."""
        with self.connect(encrypted=encrypted) as client:
            client.sendall(
                f'GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n'.encode()
            )
            answer = b''.join(iter(lambda: client.recv(65536), b'')).decode()
        location = re.search(r'^location: (\S+)', answer, re.MULTILINE | re.IGNORECASE)
        return int(answer.split()[1]), location[1] if location else ''


#: What the recipes have, and what stands there on this machine.
WRITTEN = {
    'haproxy': {
        'bind :80\n': 'bind 127.0.0.1:{plain}\n',
        'bind :443 ': 'bind 127.0.0.1:{tls} ',
        '/etc/haproxy/site.pem': '{pem}',
        '127.0.0.1:8000': '127.0.0.1:{site}',
        'timeout http-request 10s': 'timeout http-request 1s',
    },
    'nginx': {
        'listen 80;': 'listen 127.0.0.1:{plain};',
        'listen 443 ': 'listen 127.0.0.1:{tls} ',
        '/etc/nginx/site.pem': '{pem}',
        '/etc/nginx/site.key': '{pem}',
        '127.0.0.1:8000': '127.0.0.1:{site}',
        'client_body_timeout 10s': 'client_body_timeout 200ms',
    },
}
#: What stands around the recipe of nginx.
AROUND = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; {user} events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {recipe}
}}
"""


@pytest.fixture(scope='module')
def served(start_site: StartSite, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site that believes proxies on 127.0.0.1."""
    folder = tmp_path_factory.mktemp('behind')
    (folder / 'var').mkdir()
    migrate = launch(folder, 'migrate', free_port(), {'ENV': 'test'})
    assert migrate.process.wait(timeout=60) == 0, migrate.output()
    return start_site('serve', base_dir=folder, ENV='test', BACKSTAY_TRUSTED_PROXIES='127.0.0.1')


@pytest.fixture(scope='module', params=['haproxy', 'nginx'])
def proxy(
    request: pytest.FixtureRequest, served: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """The recipe of a proxy, run by that proxy in front of the site."""
    name: str = request.param
    program = shutil.which(name) or shutil.which(f'/usr/sbin/{name}')
    if not program and (name == 'nginx' or not os.environ.get('CI')):
        pytest.skip(f'the recipe needs {name}: on Debian, apt-get install {name}')
    assert program, 'CI installs haproxy'
    folder = tmp_path_factory.mktemp(name)
    certificate(pem := folder / 'site.pem')
    found = Proxy(free_port(), free_port(), pem)
    here = {'plain': found.plain, 'tls': found.tls, 'pem': pem, 'site': served.port}
    text = recipe(name)
    for written, instead in WRITTEN[name].items():
        assert written in text
        text = text.replace(written, instead.format(**here))
    if name == 'nginx':
        user = '' if os.getuid() else 'user root;'
        text = AROUND.format(folder=folder, user=user, recipe=text)
    (folder / 'proxy.conf').write_text(text)
    options = {'haproxy': ['-db', '-f'], 'nginx': ['-p', str(folder), '-c']}[name]
    command = [program, *options, str(folder / 'proxy.conf')]
    with (folder / 'output.txt').open('w') as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
    try:
        until = time.monotonic() + 20
        while True:
            assert process.poll() is None, (folder / 'output.txt').read_text()
            try:
                if found.status('/livez')[0] == 200:
                    break
            except OSError:
                time.sleep(0.05)
            assert time.monotonic() < until, (folder / 'output.txt').read_text()
        yield found
    finally:
        process.terminate()
        process.wait(10)


def test_address_host_and_scheme_are_what_the_proxy_saw(
    proxy: Proxy, request: pytest.FixtureRequest
) -> None:
    rng, count = random.Random(2), size(100, 1_000)
    with proxy.connect() as connected, connected.makefile('rwb') as connection:
        for _ in range(count):
            lines = forged(rng, is_proxied=False)
            seen: dict[str, Any] = ask(connection, lines)
            assert set(seen['address']) == {CLIENT}, lines
            assert set(seen['host']) == {HOST}, lines
            assert set(seen['scheme']) == {'https'}, lines
            assert seen['link'] == f'https://{HOST}/', lines
            assert seen['by'] == ['proxy', 'request', 'proxy'], lines
    record_proof(request, f'{count} requests with forged headers through a proxy')


def test_what_is_not_encrypted_is_led_to_where_it_is(proxy: Proxy) -> None:
    assert proxy.status('/docs/?a=b', encrypted=False) == (308, f'https://{HOST}/docs/?a=b')


def test_the_metrics_are_hidden_and_the_probes_are_not(proxy: Proxy) -> None:
    assert proxy.status('/metrics')[0] == 404
    assert proxy.status('/METRICS')[0] == 404
    assert proxy.status('/readyz')[0] == 200


def test_a_slow_body_ends_at_the_proxy(proxy: Proxy) -> None:
    with proxy.connect() as client:
        client.sendall(
            b'POST /sample/length/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n1'
        )
        answer = client.recv(65536).partition(b'\r\n')[0]
    assert b' 408 ' in answer or not answer  # nginx only closes the connection
