"""The `backstay` command: those about the files of a service, and all of Django's of a site."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from backstay import __version__

#: Commands that need neither a site nor settings.
_ABOUT_FILES = ('new', 'update', 'doctor', 'add')


def main() -> None:
    """Run one command; mistakes of the environment are told."""
    if sys.argv[1:2] and sys.argv[1] in _ABOUT_FILES:
        from backstay.template.commands import main as about_files

        sys.exit(about_files(sys.argv[1:]))
    if sys.argv[1:2] == ['contributing']:
        from backstay.contributing.command import main as contributing

        sys.exit(contributing(sys.argv[2:], os.environ))
    if sys.argv[1:] == ['--version']:
        print(f'backstay {__version__}')  # noqa: T201 what was asked for
        return
    if sys.argv[1:] in ([], ['help'], ['--help'], ['-h']):
        print(f'Everywhere: {", ".join(_ABOUT_FILES)}. In a site:')  # noqa: T201
    _run_in_the_site()


def _run_in_the_site() -> None:
    """Run a command of Django's in the site of the current folder."""
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    serves = sys.argv[1:2] in (['run'], ['serve'])
    try:
        with _counting_together() if serves else nullcontext():
            execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f'backstay: {error}')
    except ModuleNotFoundError as error:
        if error.name not in ('config', 'config.settings'):
            raise
        sys.exit('backstay: no site is in this folder; go to one, or make one: backstay new')


@contextmanager
def _counting_together() -> Iterator[None]:
    """Let the processes of a site count their metrics together, in a folder of this run.

    prometheus-client looks for it when it is first imported, which any app may do, so this comes
    before Django.
    """
    with tempfile.TemporaryDirectory(prefix='backstay-metrics-') as folder:
        os.environ['PROMETHEUS_MULTIPROC_DIR'] = folder
        yield
