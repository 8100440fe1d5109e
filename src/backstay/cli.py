"""The `backstay` command: commands on the files of a service, and Django's commands in a site."""

import os
import signal
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from backstay import __version__

#: Commands that need neither a site nor settings.
_ABOUT_FILES = ('new', 'update', 'doctor', 'add')


def main() -> None:
    """Run one command, and exit with one line for each mistake of the environment."""
    if sys.argv[1:2] and sys.argv[1] in _ABOUT_FILES:
        from backstay.template.commands import main as about_files

        sys.exit(about_files(sys.argv[1:]))
    if sys.argv[1:2] == ['contributing']:
        from backstay.contributing.command import main as contributing

        sys.exit(contributing(sys.argv[2:], os.environ))
    if sys.argv[1:] == ['--version']:
        print(f'backstay {__version__}')  # noqa: T201 the answer
        return
    if sys.argv[1:] in ([], ['help'], ['--help'], ['-h']):
        print(f'Everywhere: {", ".join((*_ABOUT_FILES, "contributing"))}. In a site:')  # noqa: T201
    _run_in_the_site()


def _run_in_the_site() -> None:
    """Run one of Django's commands in the site of the current folder.

    SIGTERM ends it with 143; those that have something to end take the signal themselves. Left
    alone, the first process of a container would not notice it, and be killed later.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    # The processes of a served site count their metrics together, in a folder of this run.
    # prometheus-client looks for it when any app first imports it, so it is named before Django.
    metrics: AbstractContextManager[str | None] = nullcontext()
    if sys.argv[1:2] in (['run'], ['serve']):
        metrics = tempfile.TemporaryDirectory(prefix='backstay-metrics-')
    try:
        with metrics as folder:
            if folder:
                os.environ['PROMETHEUS_MULTIPROC_DIR'] = folder
            execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f'backstay: {error}')
    except ModuleNotFoundError as error:
        if error.name not in ('config', 'config.settings'):
            raise
        sys.exit('backstay: no site is in this folder; go to one, or make one: backstay new')
