"""A server that is killed, and clients that repeat with its key what was not answered."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.operations.sample_site.running import free_port

ROOT = Path(__file__).resolve().parents[2]
HEADERS = {'Authorization': 'Caller keeper'}
CLIENTS = 4


class Server:
    """`backstay serve` for the lending library, on a database that this process sees too."""

    def __init__(self, database_url: str, log: Path) -> None:
        self.database_url, self.log = database_url, log
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.url = f'http://127.0.0.1:{(port := free_port())}'
        environment = os.environ | {
            'ENV': 'test',
            'DATABASE_URL': self.database_url,
            'DJANGO_SETTINGS_MODULE': 'tests.writes.served_settings',
            'PORT': str(port),
            'BACKSTAY_CONCURRENCY': str(CLIENTS),
            'LOG_LEVEL': 'WARNING',
        }
        with self.log.open('a') as output:
            self.process = subprocess.Popen(
                [sys.executable, 'manage.py', 'serve'],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + 60
        while not self._answers():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return httpx.get(f'{self.url}/stamps/', timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Kill it, with the processes that answer for it, between two instructions."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        while _is_there(self.process.pid):
            time.sleep(0.002)


def _is_there(group: int) -> bool:
    """Whether a process of the group still runs."""
    for stat in Path('/proc').glob('[0-9]*/stat'):
        try:
            state, _, of_group, *_ = stat.read_text().rpartition(')')[2].split()
        except OSError:  # it has just ended
            continue
        if of_group == str(group) and state not in 'ZX':
            return True
    return False


@dataclass
class Sent:
    """A request, and its answer once there is one."""

    key: str
    method: str
    path: str
    body: Any
    #: How many versions it gives the counting item of its client.
    steps: int
    #: Codes of the items that it makes.
    codes: tuple[str, ...] = ()
    answer: httpx.Response | None = None

    def send(self, client: httpx.Client) -> httpx.Response:
        """Send it; raises httpx.TransportError where nobody answers."""
        return client.request(
            self.method,
            self.path,
            json=self.body,
            headers={**HEADERS, 'Idempotency-Key': self.key},
        )


@dataclass
class Writer:
    """One client, which writes until nobody answers any more."""

    name: str
    branch: int
    #: The item whose versions count what this client has changed.
    counter: int
    sent: list[Sent] = field(default_factory=list)

    def write(self, url: str) -> None:
        """Send requests one after the other; the last one has no answer."""
        with httpx.Client(base_url=url, timeout=30) as client:
            for request in self._requests():
                self.sent.append(request)
                try:
                    request.answer = request.send(client)
                except httpx.TransportError:
                    return

    def _requests(self) -> Iterator[Sent]:
        while True:
            number = len(self.sent)
            key = f'{self.name}-{number}'
            notes = [{'text': key, 'position': at, 'marks': [{'sign': '+'}]} for at in range(2)]
            codes = tuple(f'{key}-{letter}' for letter in 'abc')
            patch = {'notes': [{'text': key}]}
            items = [
                {'branch_id': self.branch, 'code': code, 'title': 'T', 'notes': notes}
                for code in codes
            ]
            match number % 3:
                case 0:
                    yield Sent(key, 'POST', '/items/', items[0], 0, codes[:1])
                case 1:
                    yield Sent(key, 'PATCH', f'/items/{self.counter}/', patch, 1)
                case 2:
                    operations = [{'op': 'create', 'body': body} for body in items]
                    operations.insert(1, {'op': 'update', 'id': self.counter, 'body': patch})
                    yield Sent(key, 'POST', '/items/bulk/', {'operations': operations}, 1, codes)


def write_until_killed(
    server: Server, writers: list[Writer], requests: int, seconds: float
) -> None:
    """Let the writers write at once; kill the server so long after so many requests were sent."""
    threads = [threading.Thread(target=each.write, args=(server.url,)) for each in writers]
    for thread in threads:
        thread.start()
    while sum(len(writer.sent) for writer in writers) < requests:
        time.sleep(0.001)
    time.sleep(seconds)
    server.kill()
    for thread in threads:
        thread.join()
