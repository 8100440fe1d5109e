"""`backstay run` takes up code that changes, once it is right."""

import signal
import time
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from backstay.operations import reloading
from backstay.operations.reloading import Reloader

pytestmark = pytest.mark.engine_free


def wait_beside_a_reloader(told: Connection, seconds: float) -> None:
    """A site, in a process of its own: it tells whether it was asked to end, and started again."""
    with Reloader() as reloader:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        told.send('watching')
        asked = signal.sigtimedwait({signal.SIGTERM}, seconds)
        told.send((asked is not None, reloader.has_ended_the_site))


@pytest.mark.parametrize(
    ('check', 'seconds', 'ends'), [('pass', 20, True), ('import nobody', 5, False)]
)
def test_a_site_ends_for_code_that_is_right(
    check: str,
    seconds: float,
    ends: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(reloading, '_CHECK', check)
    monkeypatch.setattr(reloading, '_folders', lambda: {tmp_path})
    code = tmp_path / 'code.py'
    code.touch()
    here, there = Pipe()
    site = get_context('fork').Process(target=wait_beside_a_reloader, args=(there, seconds))
    site.start()
    assert here.recv() == 'watching'
    while not here.poll(0.2):  # it may not have looked yet when the file first changes
        code.write_text(f'# {time.monotonic()}')

    assert here.recv() == (ends, ends)
    site.join(5)
    printed = capfd.readouterr().out
    assert 'code.py has changed.' in printed
    assert ('goes on without it' in printed and "'nobody'" in printed) is not ends


def test_the_code_of_services_and_of_the_platform_is_watched() -> None:
    names = {folder.name for folder in reloading._folders()}

    assert names >= {'config', 'backstay', 'listsum'}
