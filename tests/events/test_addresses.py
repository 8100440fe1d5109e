"""Where webhooks may lead: the forms of URLs, and the addresses behind names."""

import socket
import ssl
from collections.abc import Sequence
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from backstay.events.addresses import (
    AddressRefused,
    Policy,
    addresses,
    is_public,
    read_url,
    system_resolve,
    validate_url,
)
from backstay.events.sending import Outcome, _tls, post
from tests.events.conftest import Receiver
from tests.tasks.conftest import wait_for

STRICT = Policy(ports=frozenset({443}))
LOOSE = Policy(ports=frozenset({443}), allow_private=True)
PUBLIC_V4, PUBLIC_V6 = '93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'

REFUSED_URLS = [
    'http://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://example.com/',
    'javascript:alert(1)',
    '//example.com/',
    'example.com/hook',
    'https:/example.com',
    'https:example.com',
    'https://',
    'https:///path',
    'https://user@example.com/',
    'https://user:password@example.com/',
    'https://example.com@127.0.0.1/',
    'https://127.0.0.1#@example.com/',
    'https://127.0.0.1\\@example.com/',
    'https://example.com\\.internal/',
    'https://example.com /',
    ' https://example.com/',
    'https://example.com/\n',
    'https://exa\tmple.com/',
    'https://example.com/\r\nX-Injected: 1',
    'https://example.com/a b',
    'https://example.com/a\\b',
    'https://example.com/\x00',
    'https://example.com/ä',
    'https://exämple.com/',
    'https://\uff11\uff12\uff17.0.0.1/',
    'https://127\u30020\u30020\u30021/',
    'https://example.com/#fragment',
    'https://example.com:80/',
    'https://example.com:22/',
    'https://example.com:8443/',
    'https://example.com:0/',
    'https://example.com:65536/',
    'https://example.com:-1/',
    'https://example.com:443:443/',
    'https://example.com:/',
    'https://example.com%2f@127.0.0.1/',
    'https://%31%32%37.0.0.1/',
    'https://localhost/',
    'https://LOCALHOST/',
    'https://intranet/',
    'https://example..com/',
    'https://.example.com/',
    'https://example.com./',
    'https://-example.com/',
    f'https://{"a" * 64}.com/',
    'https://' + '.'.join(['a' * 60] * 5) + '/',
    'https://[example.com]/',
    'https://[::1/',
    'https://[fe80::1%25eth0]/',
    # Loopback and its spellings.
    'https://127.0.0.1/',
    'https://127.0.0.1:443/',
    'https://127.1/',
    'https://127.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0X7F000001/',
    'https://0x7f.0.0.1/',
    'https://0177.0.0.1/',
    'https://017700000001/',
    'https://127.0.0.1.0x1/',
    'https://127.000.000.001/',
    'https://0/',
    'https://0.0.0.0/',
    'https://999.1.1.1/',
    # Inside.
    'https://10.0.0.1/',
    'https://172.16.0.1/',
    'https://172.31.255.254/',
    'https://192.168.1.1/',
    'https://100.64.0.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://192.0.0.192/',
    'https://192.0.2.1/',
    'https://192.88.99.1/',
    'https://198.18.0.1/',
    'https://198.51.100.7/',
    'https://203.0.113.7/',
    'https://224.0.0.1/',
    'https://239.255.255.250/',
    'https://240.0.0.1/',
    'https://255.255.255.255/',
    # The same in IPv6.
    'https://[::]/',
    'https://[::1]/',
    'https://[0:0:0:0:0:0:0:1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::127.0.0.1]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[64:ff9b:1::1]/',
    'https://[2002:7f00:1::]/',
    'https://[2001:0:7f00:1::]/',
    'https://[fc00::1]/',
    'https://[fd00:ec2::254]/',
    'https://[fe80::1]/',
    'https://[fec0::1]/',
    'https://[ff02::1]/',
    'https://[100::1]/',
    'https://[2001:db8::1]/',
    'https://[3fff::1]/',
    'https://[5f00::1]/',
    'https://[4000::1]/',
]


@pytest.mark.parametrize('url', REFUSED_URLS)
def test_a_url_that_leads_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        read_url(url, STRICT)
    assert post(url, '{}', {}, STRICT).error == 'address'


@pytest.mark.parametrize(
    ('url', 'host', 'port', 'path', 'authority'),
    [
        ('https://example.com', 'example.com', 443, '/', 'example.com'),
        ('HTTPS://Example.COM/a', 'example.com', 443, '/a', 'example.com'),
        ('https://example.com:443/a/../b?c&d', 'example.com', 443, '/a/../b?c&d', 'example.com'),
        ('https://a-b.xn--bcher-kva.example?x', 'a-b.xn--bcher-kva.example', 443, '/?x',
         'a-b.xn--bcher-kva.example'),
        (f'https://{PUBLIC_V4}/', PUBLIC_V4, 443, '/', PUBLIC_V4),
        (f'https://[{PUBLIC_V6}]/', PUBLIC_V6, 443, '/', f'[{PUBLIC_V6}]'),
        ('https://[64:ff9b::5db8:d70e]/', '64:ff9b::5db8:d70e', 443, '/', '[64:ff9b::5db8:d70e]'),
    ],
)  # fmt: skip
def test_a_public_url_is_taken_apart(
    url: str, host: str, port: int, path: str, authority: str
) -> None:
    place = read_url(url, STRICT)
    assert (place.host, place.port, place.path, place.authority) == (host, port, path, authority)


def test_more_ports_may_be_allowed() -> None:
    more = Policy(ports=frozenset({443, 8443}))
    place = read_url('https://example.com:8443/', more)
    assert (place.port, place.authority) == (8443, 'example.com:8443')


def test_on_one_machine_everything_may_be_allowed() -> None:
    assert read_url('http://localhost:8000/', LOOSE).authority == 'localhost:8000'
    with pytest.raises(AddressRefused):
        read_url('http://user@localhost/', LOOSE)


PRIVATE = [
    f'{PUBLIC_V6}%eth0',
    '0.0.0.0',  # noqa: S104 nobody listens there
    '127.0.0.1', '10.1.2.3', '172.20.0.1', '192.168.0.9', '169.254.169.254', '100.100.100.200',
    '168.63.129.16',
    '224.0.0.251', '::1', '::', 'fe80::1', 'fe80::1%eth0', 'fd12::1', 'ff02::fb',
    '::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:a00:1::', '2001:db8::1', 'nonsense', '',
]  # fmt: skip


@pytest.mark.parametrize('address', PRIVATE)
def test_a_name_that_means_an_address_inside_is_refused(address: str) -> None:
    place = read_url('https://example.com/', STRICT)
    with pytest.raises(AddressRefused):
        addresses(place, STRICT, lambda *_: [address], 1)


@pytest.mark.parametrize('address', PRIVATE)
def test_one_address_inside_among_public_ones_is_refused(address: str) -> None:
    def resolve(*_: Any) -> Sequence[str]:
        return [PUBLIC_V4, address]

    assert post('https://example.com/', '{}', {}, STRICT, resolve=resolve).error == 'address'


def test_public_addresses_are_public() -> None:
    assert is_public(PUBLIC_V4)
    assert is_public(PUBLIC_V6)
    assert is_public(f'::ffff:{PUBLIC_V4}')


def test_the_system_resolves_names_of_this_machine_and_they_are_refused() -> None:
    assert {*system_resolve('localhost', 443)} <= {'127.0.0.1', '::1'}
    place = read_url('https://localhost.localdomain/', STRICT)
    with pytest.raises((AddressRefused, OSError)):
        addresses(place, STRICT, lambda *_: system_resolve('localhost', 443), 1)


@pytest.mark.usefixtures('strict')
def test_a_webhook_that_leads_inside_cannot_be_written() -> None:
    with pytest.raises(ValidationError):
        validate_url('https://169.254.169.254/')
    validate_url('https://example.com/hook')


class TestSending:
    """Against real sockets of this machine."""

    def test_a_name_is_resolved_once_and_what_was_checked_is_asked(
        self, receiver: Receiver
    ) -> None:
        asked: list[tuple[str, int]] = []

        def resolve(host: str, port: int) -> Sequence[str]:
            asked.append((host, port))
            return ['127.0.0.1'] if len(asked) == 1 else ['203.0.113.1']

        url = f'http://hooks.example.com:{receiver.port}/a?b'
        outcome = post(url, '{}', {}, LOOSE, resolve=resolve)
        assert (outcome.status, outcome.error, outcome.response) == (200, '', 'thanks')
        assert asked == [('hooks.example.com', receiver.port)]
        (came,) = receiver.got
        assert came.headers['host'] == f'hooks.example.com:{receiver.port}'
        assert came.path == '/a?b'

    def test_an_address_that_takes_no_connection_is_followed_by_the_next(
        self, receiver: Receiver
    ) -> None:
        url = f'http://hooks.example.com:{receiver.port}/'
        found = ['127.0.0.2', '127.0.0.1']  # where nobody listens, and where somebody does
        assert post(url, '{}', {}, LOOSE, resolve=lambda *_: found).status == 200

    def test_proxies_of_the_environment_are_not_asked(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ('HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'HTTPS_PROXY'):
            monkeypatch.setenv(name, 'http://127.0.0.1:9')
        assert post(receiver.url, '{}', {}, LOOSE).status == 200

    def test_a_name_without_an_address_is_told(self) -> None:
        def resolve(*_: Any) -> Sequence[str]:
            raise socket.gaierror(socket.EAI_NONAME, 'unknown')

        assert post('https://example.com/', '{}', {}, STRICT, resolve=resolve).error == 'name'

    def test_a_name_server_that_does_not_answer_is_not_waited_for(self) -> None:
        def resolve(*_: Any) -> Sequence[str]:
            sleep(3)
            return [PUBLIC_V4]

        outcome = post('https://example.com/', '{}', {}, STRICT, resolve=resolve, seconds=0.1)
        assert outcome.error == 'timeout'
        assert outcome.duration_ms < 2_500

    def test_nobody_listens(self) -> None:
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        assert post(f'http://127.0.0.1:{port}/', '{}', {}, LOOSE).error == 'connection'

    @pytest.mark.parametrize(
        ('pieces', 'status', 'error'),
        [
            ([b''], None, 'timeout'),
            ([b'H', b'T', b'T', b'P'] * 50, None, 'timeout'),
            ([b'HTTP/1.1 200 OK\r\n', *[b'X-A: b\r\n'] * 100], None, 'timeout'),
            ([b'HTTP/1.1 200 OK\r\n\r\n', *[b'x'] * 100], 200, ''),  # the status came in time
            ([b'HTTP/1.1 500 No\r\n\r\n', *[b'x'] * 100], 500, 'status'),
        ],
    )
    def test_an_answer_that_drips_is_not_waited_for(
        self, pieces: list[bytes], status: int | None, error: str
    ) -> None:
        with drips(pieces) as port:
            outcome = post(f'http://127.0.0.1:{port}/', '{}', {}, LOOSE, seconds=0.4)
        assert (outcome.status, outcome.error) == (status, error)
        assert 300 < outcome.duration_ms < 4_000

    def test_a_receiver_that_does_not_read_is_not_waited_for(self) -> None:
        with drips([b'']) as port:
            body = 'x' * 20_000_000
            outcome = post(f'http://127.0.0.1:{port}/', body, {}, LOOSE, seconds=0.4)
        assert outcome.error == 'timeout'
        assert outcome.duration_ms < 4_000

    def test_what_is_not_http_is_told(self) -> None:
        with drips([b'SSH-2.0-OpenSSH_9\r\n\r\n']) as port:
            assert post(f'http://127.0.0.1:{port}/', '{}', {}, LOOSE).error == 'protocol'

    def test_of_a_long_answer_only_the_beginning_is_read(self, receiver: Receiver) -> None:
        receiver.says = b'\0long' + b'x' * 20_000_000
        outcome = post(receiver.url, '{}', {}, LOOSE)
        assert (outcome.status, len(outcome.response)) == (200, 1000)
        assert '\0' not in outcome.response
        wait_for(lambda: receiver.was_cut_off)

    def test_https_without_a_certificate_of_that_name_is_refused(self, receiver: Receiver) -> None:
        # It speaks no TLS at all; and below, TLS that nobody vouches for.
        url = f'https://127.0.0.1:{receiver.port}/'
        assert post(url, '{}', {}, LOOSE).error == 'tls'
        assert receiver.got == []

    def test_a_certificate_counts_for_its_name_only(
        self, certified: tuple[int, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        port, file = certified
        monkeypatch.setenv('SSL_CERT_FILE', file)
        tried = {host: to_name(host, port) for host in ('hooks.example.com', 'other.example.com')}
        assert tried['hooks.example.com'].status == 200
        assert tried['other.example.com'].error == 'tls'

    def test_a_certificate_that_nobody_vouches_for_is_refused(
        self, certified: tuple[int, str]
    ) -> None:
        assert to_name('hooks.example.com', certified[0]).error == 'tls'


def to_name(host: str, port: int) -> Outcome:
    return post(f'https://{host}:{port}/', '{}', {}, LOOSE, resolve=lambda *_: ['127.0.0.1'])


@pytest.fixture
def certified(tmp_path: Any) -> Any:
    """A server with a certificate for hooks.example.com, and the file with that certificate."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'hooks.example.com')])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName('hooks.example.com')]), False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / 'server.pem'
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    with socket.create_server(('127.0.0.1', 0)) as server:
        thread = Thread(target=_serve_tls, args=(server, serving), daemon=True)
        thread.start()
        _tls.cache_clear()
        yield server.getsockname()[1], str(file)
        _tls.cache_clear()
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def _serve_tls(server: socket.socket, serving: ssl.SSLContext) -> None:
    while True:
        try:
            connected, _ = server.accept()
        except OSError:
            return
        with connected:
            try:
                with serving.wrap_socket(connected, server_side=True) as secure:
                    read = b''
                    while not read.endswith(b'{}'):
                        read += secure.recv(65536)
                    secure.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
            except OSError:
                continue


class drips:  # noqa: N801 it reads as a verb
    """A server that takes one connection and sends pieces of an answer, slowly; gives its port."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.server = socket.create_server(('127.0.0.1', 0))
        self.thread = Thread(target=self._run, daemon=True)
        self.until = monotonic() + 2

    def __enter__(self) -> int:
        self.thread.start()
        return int(self.server.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self.until = 0
        self.thread.join()
        self.server.close()

    def _run(self) -> None:
        connected, _ = self.server.accept()
        with connected:
            try:
                for piece in self.pieces:
                    if monotonic() < self.until:
                        connected.sendall(piece)
                        sleep(0.05)
                while monotonic() < self.until:
                    sleep(0.01)
            except OSError:
                return
