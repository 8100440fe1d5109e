"""The sample site as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return int(listener.getsockname()[1])


@dataclass
class Site:
    """The sample site, served by a process of its own."""

    process: subprocess.Popen[str]
    url: str
    base_dir: Path
    log: Path

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(self.url + path, timeout=10, **options)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(':')[2])

    def stop(self, number: int = signal.SIGTERM, *, group: bool = False) -> int:
        """Signal the process, or as a terminal does all of its group; its exit code."""
        (os.killpg if group else os.kill)(self.process.pid, number)
        return self.process.wait(timeout=30)

    def workers(self) -> list[int]:
        """The ids of the processes that answer."""
        children = Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children')
        return [int(child) for child in children.read_text().split()]

    def processor_seconds(self) -> float:
        """What the server and its workers have used up to now."""
        stats = (
            Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
            for pid in (self.process.pid, *self.workers())
        )
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf('SC_CLK_TCK')

    def output(self) -> str:
        return self.log.read_text()


StartSite = Callable[..., Site]


def launch(base_dir: Path, command: str, port: int, variables: dict[str, str]) -> Site:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ('DATABASE_URL', 'REDIS_URL', 'ENV')
    } | {
        'ENV': 'local',
        'PORT': str(port),
        'SAMPLE_BASE_DIR': str(base_dir),
        'DJANGO_SETTINGS_MODULE': 'sample_site.settings',
        'PYTHONPATH': str(Path(__file__).parents[1]),
        'PYTHONUNBUFFERED': '1',
        **variables,
    }
    log = base_dir / f'output-{port}.txt'
    with log.open('w') as output:
        process = subprocess.Popen(  # noqa: S603 our own interpreter and arguments
            [sys.executable, str(ROOT / 'manage.py'), command],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    return Site(process, f'http://127.0.0.1:{port}', base_dir, log)


def wait_until_live(site: Site, seconds: float = 20) -> float:
    """Seconds until the site answered; fails with its output when it ends or never does."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        assert site.process.poll() is None, site.output()
        try:
            if site.get('/livez').status_code == 200:
                return time.monotonic() - started
        except httpx.TransportError:
            time.sleep(0.02)
    pytest.fail(f'no answer within {seconds} s:\n{site.output()}')
