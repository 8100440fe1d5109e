"""Code that changes while a developer's site runs: the site starts again with it.

Django's reloader finds the changes. Unlike `runserver`, the site goes on with its old code until
the new code passes the checks, which say what is wrong with it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.utils.autoreload import StatReloader

import backstay
from backstay.services import mounted

#: The code with which the process that watches ends after a change.
_CHANGED = 3
#: What the start does before it serves.
_CHECK = """
import django
django.setup()
from django.core.management.base import BaseCommand
BaseCommand().check()
"""


class Reloader:
    """A process beside the site, which ends the site with SIGTERM once its new code is right.

    It is a fork, so that the site itself has no thread when it forks.
    """

    def __init__(self) -> None:
        watch = (_folders(), os.getpid())
        self._process = get_context('fork').Process(target=_watch, args=watch, daemon=True)

    def __enter__(self) -> 'Reloader':
        """Begin to watch."""
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self._process.terminate()
        self._process.join()

    @property
    def has_ended_the_site(self) -> bool:
        """True where the site ends because of a change, and so should start again."""
        self._process.join(0.1)
        return self._process.exitcode == _CHANGED


class _Watcher(StatReloader):
    def notify_file_changed(self, path: Any) -> None:
        """Check the new code in a process of its own; end the site if nothing is wrong."""
        print(f'{path.name} has changed.', flush=True)  # noqa: T201 to a developer
        checked = subprocess.run(  # noqa: S603 our own interpreter and text
            [sys.executable, '-c', _CHECK], cwd=settings.BASE_DIR, capture_output=True, text=True
        )
        if checked.returncode:
            print(f'{checked.stderr.rstrip()}\nThe site goes on without it.', flush=True)  # noqa: T201
        else:
            os.kill(os.getppid(), signal.SIGTERM)
            sys.exit(_CHANGED)


def _watch(folders: Iterable[Path], site: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the site, which ends this too
    watcher = _Watcher()
    for folder in folders:
        watcher.watch_dir(folder, '**/*.py')
        watcher.watch_dir(folder, '**/*.html')
    for _ in watcher.tick():
        if os.getppid() != site:
            return


def _folders() -> set[Path]:
    """Return the folders whose code a developer may change: the site's, and ours if it is here."""
    services = {name for service in mounted() for name in service.apps}
    found = {Path(each.path) for each in apps.get_app_configs() if each.name in services}
    ours = Path(backstay.__file__).parent
    return found | {settings.BASE_DIR / 'config', ours}
