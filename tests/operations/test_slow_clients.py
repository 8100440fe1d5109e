"""Slow clients and open connections, against a running server: they hold nobody up.

Eight clients send bodies byte by byte, read large answers a little at a time or stop in the middle
of a head, and come again when they are left; many others only stay connected. Meanwhile somebody
asks `/livez`, and others ask for a page. The whole is 1 100 connections for 60 s.
"""

import contextlib
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from sample_site.running import Site, StartSite

from tests.proofs import SHARE, record_proof, size

#: Seconds in which `/livez` answers. The sample runs beside other tests, on their processors.
LIVE_WITHIN = 0.2 if SHARE >= 1 else 1.0
IS_WHOLE = SHARE >= 1


def send_slowly(head: bytes, stop: threading.Event, port: int) -> None:
    """Send a head, then a byte each half second, and begin again when the server has enough."""
    while not stop.is_set():
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port)) as client:
            client.sendall(head)
            while not stop.wait(0.5):
                client.sendall(b'x')


def read_slowly(stop: threading.Event, port: int) -> None:
    """Ask for 16 MiB and take a KiB each half second."""
    while not stop.is_set():
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port)) as client:
            client.sendall(b'GET /sample/whole/?n=16777216 HTTP/1.1\r\nHost: localhost\r\n\r\n')
            while not stop.wait(0.5) and client.recv(1024):
                pass


POST = b'POST /sample/length/ HTTP/1.1\r\nHost: localhost\r\n'
SLOW: tuple[Callable[[threading.Event, int], None], ...] = (
    lambda stop, port: send_slowly(POST + b'Content-Length: 9999\r\n\r\n', stop, port),
    lambda stop, port: send_slowly(POST + b'Transfer-Encoding: chunked\r\n\r\n9\r\n', stop, port),
    lambda stop, port: send_slowly(POST + b'X-Slow: ', stop, port),
    read_slowly,
)


def times_of(client: httpx.Client, path: str, seconds: float) -> list[float]:
    """How long each answer took, asked for one after the other."""
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        client.get(path).raise_for_status()
        found.append(time.monotonic() - began)
    return found


@contextlib.contextmanager
def lives_of(site: Site) -> Iterator[list[float]]:
    """How long `/livez` took, asked again and again, each time on a new connection."""
    lives: list[float] = []
    stop = threading.Event()

    def probe() -> None:
        while not stop.wait(0.05):
            began = time.monotonic()
            with socket.create_connection(('127.0.0.1', site.port), timeout=10) as client:
                client.sendall(b'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n')
                assert b' 200 ' in client.recv(1024)
            lives.append(time.monotonic() - began)

    prober = threading.Thread(target=probe)
    prober.start()
    try:
        yield lives
    finally:
        stop.set()
        prober.join()


def measured(site: Site, seconds: float) -> tuple[float, float]:
    """The longest time of `/livez`, and the 99th percentile of a page."""
    with lives_of(site) as lives, httpx.Client(base_url=site.url, timeout=30) as client:
        pages = times_of(client, '/sample/hello/', seconds)
    return max(lives), statistics.quantiles(pages, n=100)[98]


def test_slow_clients_hold_nobody_up(start_site: StartSite, request: pytest.FixtureRequest) -> None:
    seconds, connections = size(3, 60), size(200, 1_100)
    site = start_site('serve', ENV='test', LOG_LEVEL='ERROR')
    stop = threading.Event()
    quiet, alone = measured(site, min(seconds, 10))
    with contextlib.ExitStack() as opened:
        for number in range(connections):
            idle = opened.enter_context(socket.create_connection(('127.0.0.1', site.port)))
            if number % 2:
                idle.sendall(b'GET /livez HTTP/1.1\r\n')
        slow = [threading.Thread(target=each, args=(stop, site.port)) for each in SLOW * 2]
        for thread in slow:
            thread.start()
        try:
            live, beside = measured(site, seconds)
        finally:
            stop.set()
            for thread in slow:
                thread.join()
    told = (
        f'/livez {quiet * 1000:.0f} then {live * 1000:.0f} ms, '
        f'p99 {alone * 1000:.1f} then {beside * 1000:.1f} ms'
    )
    record_proof(request, f'8 slow clients, {connections} connections, {seconds} s: {told}')
    assert live < LIVE_WITHIN, told
    if IS_WHOLE:
        assert beside <= max(2 * alone, 0.01), told
