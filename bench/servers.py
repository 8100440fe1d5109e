"""Contenders that serve HTTP: started on the loopback interface, checked, stopped by process id."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from bench import cpu, database, load
from bench.cases import Case, comparable, difference
from bench.load import Load
from bench.options import Options

ROOT = database.OUTPUT.parent.parent
#: A server ends by itself after this, should the harness be killed.
LIFETIME = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A contender that answers HTTP."""

    name: str
    title: str
    #: The program and its arguments; `{port}`, `{workers}` and `{pool}` are filled in.
    command: tuple[str, ...]
    #: Variables of its environment besides those that every server gets.
    environment: Mapping[str, str] = field(default_factory=dict)
    engines: tuple[str, ...] = ('postgresql',)
    #: The checkout whose `bench` and `backstay` it runs.
    tree: Path = ROOT
    #: How it is tuned, for the report.
    tuning: str = ''

    def start(self, options: Options) -> 'RunningServer':
        """Starts it and waits until it answers."""
        port = free_port()
        values = {'port': port, 'workers': options.workers, 'pool': options.pool}
        command = [part.format(**values) for part in self.command]
        if limit := shutil.which('timeout'):
            command = [limit, '--kill-after=10', str(LIFETIME), *command]
        log = database.OUTPUT / f'{self.name}.log'
        environment = os.environ | {
            'BENCH_ENGINE': options.engine,
            'BENCH_POOL': str(options.pool),
            'PYTHONPATH': os.pathsep.join((str(self.tree), str(self.tree / 'src'))),
            **self.environment,
        }
        with log.open('wb') as output:
            process = subprocess.Popen(
                command, cwd=self.tree, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        running = RunningServer(self, process, f'http://127.0.0.1:{port}', options)
        try:
            running.wait()
        except BaseException:
            running.stop()
            raise
        return running


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A started server."""

    contender: Server
    process: subprocess.Popen[bytes]
    url: str
    options: Options

    def wait(self, seconds: float = 60) -> None:
        """Returns when the port answers; raises when the process ends or takes too long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.get('/products/1/')
                return
            except OSError:
                time.sleep(0.1)
        log = database.OUTPUT / f'{self.contender.name}.log'
        raise RuntimeError(f'{self.contender.name} does not answer:\n{log.read_text()[-2000:]}')

    def get(self, path: str) -> bytes:
        """The body of an answer; an error status raises."""
        with urlopen(self.url + path, timeout=10) as answer:
            body: bytes = answer.read()
        return body

    def check(self, case: Case) -> str | None:
        """The first path that is answered differently from the case, or None."""
        for path in case.paths[:32]:
            try:
                found = comparable(self.get(path))
            except (HTTPError, ValueError) as error:
                return f'{path}: {error}'
            wanted = comparable(json.dumps(case.answer(path)).encode())
            if wrong := difference(wanted, found):
                return f'{path}: {wrong}'
        return None

    def drive(self, case: Case, seconds: float) -> Load:
        """A block of load."""
        return load.ask(self.url, case.paths, clients=self.options.clients, seconds=seconds)

    def cpu(self) -> float:
        """Seconds of CPU that its processes have used."""
        return cpu.tree(self.process.pid)

    def stop(self) -> None:
        """Ends the process that `start` began and, where that takes too long, its workers too."""
        family = cpu.family(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(8)
        except subprocess.TimeoutExpired:
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port: int = probe.getsockname()[1]
    return port


def granian(interface: str, target: str, *more: str) -> tuple[str, ...]:
    """Granian with as many threads as connections for WSGI, and its event loop on uvloop."""
    return (
        *(sys.executable, '-m', 'granian', target, '--interface', interface),
        *('--host', '127.0.0.1', '--port', '{port}', '--workers', '{workers}'),
        *('--loop', 'uvloop', '--no-ws', '--log-level', 'warning', '--workers-kill-timeout', '5'),
        *more,
    )
