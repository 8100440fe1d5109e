"""List-sum beside the same endpoint in FastAPI: time of a request, and memory of the process.

    python -m bench.listsum

Both run on Granian with one worker of one thread, and answer one client in turn, request by
request, on one connection each. Every answer is checked. Prints the tables of README.md.
"""

import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATH = '/api/v1/two-list-sum/'
CONTENDERS = {
    'backstay': ('wsgi', 'backstay.site.wsgi:application'),
    'fastapi': ('asgi', 'bench.listsum.peer:app'),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One body, sent many times to each contender."""

    name: str
    #: Numbers in each of both lists, and how large they may be.
    length: int
    largest: int
    #: Requests to each contender, and how many before that do not count.
    requests: int
    warm_up: int = 3

    def body(self) -> bytes:
        """Two lists of even numbers and an odd target above them all: no match, nothing to skip."""
        draw = random.Random(f'{self.length} {self.largest}')
        lists = {
            name: [2 * draw.randint(1, self.largest // 2) for _ in range(self.length)]
            for name in ('list_a', 'list_b')
        }
        return json.dumps({**lists, 'target': self.largest + 1}).encode()


TIMED = (
    Case(name='2 x 100 000 numbers to 10^9', length=100_000, largest=10**9, requests=60),
    Case(name='2 x 100 000 numbers to 10^18', length=100_000, largest=10**18, requests=60),
    Case(name='2 x 100 000 numbers to 10^30', length=100_000, largest=10**30, requests=30),
    Case(name='2 x 1 000 numbers to 10^9', length=1_000, largest=10**9, requests=600, warm_up=50),
    Case(name='2 x 3 numbers', length=3, largest=10**9, requests=2_000, warm_up=100),
)
WEIGHED = (
    Case(name='2 x 1 000 000 numbers to 10^9', length=10**6, largest=10**9, requests=3),
    Case(name='2 x 1 000 000 numbers to 10^18', length=10**6, largest=10**18, requests=3),
)


def main() -> None:
    """Print both tables."""
    print(f'Python {sys.version.split()[0]}, {os.cpu_count()} cores\n')
    print('| body | backstay, ms (CPU) | fastapi, ms (CPU) | ratio | ratio of CPU |')
    print('|---|---|---|---|---|')
    with _served('backstay') as ours, _served('fastapi') as peer:
        for case in TIMED:
            print(_timed(case, {'backstay': ours, 'fastapi': peer}), flush=True)
    print('\n| body | backstay, peak MB | fastapi, peak MB |\n|---|---|---|')
    for case in WEIGHED:
        peaks = ' | '.join(f'{_peak(case, name):.0f}' for name in CONTENDERS)
        print(f'| {case.name} | {peaks} |', flush=True)


def _timed(case: Case, servers: Mapping[str, 'Server']) -> str:
    """A row: median milliseconds and CPU milliseconds of both, and the peer's part by ours."""
    body = case.body()
    clients = {name: HTTPConnection('127.0.0.1', each.port) for name, each in servers.items()}
    for _ in range(case.warm_up):
        for client in clients.values():
            _ask(client, body)
    spent = {name: -server.cpu_seconds() for name, server in servers.items()}
    seconds: dict[str, list[float]] = {name: [] for name in clients}
    for turn in range(case.requests):
        # Each goes first in every second turn.
        for name in sorted(clients, reverse=bool(turn % 2)):
            seconds[name].append(_ask(clients[name], body))
    wall = {name: 1000 * statistics.median(each) for name, each in seconds.items()}
    for name, server in servers.items():
        spent[name] = 1000 * (spent[name] + server.cpu_seconds()) / case.requests
    cells = [f'{wall[name]:.2f} ({spent[name]:.2f})' for name in CONTENDERS]
    ratios = [f'{each["fastapi"] / each["backstay"]:.2f}' for each in (wall, spent)]
    return f'| {" | ".join([case.name, *cells, *ratios])} |'


def _ask(client: HTTPConnection, body: bytes) -> float:
    """Seconds from sending a body to having its answer, which has to be `false`."""
    started = time.perf_counter()
    client.request('POST', PATH, body, {'Content-Type': 'application/json'})
    response = client.getresponse()
    content = response.read()
    seconds = time.perf_counter() - started
    if (response.status, content) != (200, b'false'):
        raise SystemExit(f'expected 200 false, got {response.status} {content[:200]!r}')
    return seconds


def _peak(case: Case, name: str) -> float:
    """Most memory, in MB, that the worker of a fresh server held while it answered."""
    body = case.body()
    with _served(name) as server:
        client = HTTPConnection('127.0.0.1', server.port)
        for _ in range(case.requests):
            _ask(client, body)
        return max(_high_water(pid) for pid in server.workers()) / 1e6


def _high_water(pid: str) -> int:
    """Bytes of the largest resident set of a process so far (proc(5), VmHWM)."""
    status = Path(f'/proc/{pid}/status').read_text()
    line = next(line for line in status.splitlines() if line.startswith('VmHWM:'))
    return int(line.split()[1]) * 1024


@dataclass(frozen=True, slots=True)
class Server:
    """A running contender."""

    port: int
    pid: int

    def workers(self) -> list[str]:
        """The processes that Granian started to answer requests."""
        children = Path(f'/proc/{self.pid}/task/{self.pid}/children')
        return children.read_text().split()

    def cpu_seconds(self) -> float:
        """What its workers have spent so far, in user and system mode (proc(5), stat)."""
        ticks = 0
        for pid in self.workers():
            fields = Path(f'/proc/{pid}/stat').read_text().rpartition(') ')[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf('SC_CLK_TCK')


@contextmanager
def _served(name: str) -> Iterator[Server]:
    """The contender on a free port, until the block ends."""
    interface, target = CONTENDERS[name]
    port = _free_port()
    command = [
        *(sys.executable, '-m', 'granian', '--interface', interface, '--host', '127.0.0.1'),
        *('--port', str(port), '--workers', '1', '--runtime-threads', '1', target),
        *(('--blocking-threads', '1') if interface == 'wsgi' else ()),
    ]
    environment = {**os.environ, 'ENV': 'test', 'SERVICES': 'listsum'}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            _ask(HTTPConnection('127.0.0.1', port), b'{"list_a":[],"list_b":[],"target":1}')
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f'no server came up: {process.args!r}')


if __name__ == '__main__':
    main()
