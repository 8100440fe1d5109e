"""A sample site in this process, and as a real server."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.test import Client
from sample_site.running import Site, StartSite, free_port, launch, wait_until_live

from backstay.operations import logs


@pytest.fixture
def answers() -> Client:
    """A client of the sample site that gets the answer to a failure instead of the failure."""
    return Client(raise_request_exception=False)


@pytest.fixture
def log_to(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., io.StringIO]]:
    """Configures logging as Django would, and gives the stream that the lines go to."""
    root = logging.getLogger()
    before, level, config = root.handlers[:], root.level, structlog.get_config()

    def configure(**options: Any) -> io.StringIO:
        stream = io.StringIO()
        monkeypatch.setattr(sys, 'stderr', stream)
        logs.configure(options)
        return stream

    yield configure
    root.handlers[:] = before
    root.setLevel(level)
    structlog.configure(**config)


@pytest.fixture
def log_lines(log_to: Callable[..., io.StringIO]) -> Callable[[], list[dict[str, Any]]]:
    """Reads what was logged since the fixture began, as machines would."""
    stream = log_to(as_json=True, level='INFO')
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture(scope='session')
def start_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartSite]:
    """Starts `backstay serve` or `run` for the sample site and waits until it answers."""
    started: list[Site] = []

    def start(
        command: str = 'run', *, base_dir: Path | None = None, port: int = 0, **variables: str
    ) -> Site:
        folder = base_dir or tmp_path_factory.mktemp('site')
        (folder / 'var').mkdir(exist_ok=True)
        site = launch(folder, command, port or free_port(), variables)
        started.append(site)
        wait_until_live(site)
        return site

    yield start
    for site in started:
        if site.process.poll() is None:
            site.stop()


@pytest.fixture(scope='session')
def site(start_site: StartSite) -> Site:
    """One `backstay serve` for all tests that leave it as it was; its database has no tables."""
    return start_site('serve', ENV='test')
