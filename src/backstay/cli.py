"""The `backstay` command: Django's management commands, of the platform and of every service."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run one command in the site of the current folder; mistakes of the environment are told."""
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    serves = sys.argv[1:2] in (['run'], ['serve'])
    try:
        with _counting_together() if serves else nullcontext():
            execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f'backstay: {error}')


@contextmanager
def _counting_together() -> Iterator[None]:
    """Let the processes of a site count their metrics together, in a folder of this run.

    prometheus-client looks for it when it is first imported, which any app may do, so this comes
    before Django.
    """
    with tempfile.TemporaryDirectory(prefix='backstay-metrics-') as folder:
        os.environ['PROMETHEUS_MULTIPROC_DIR'] = folder
        yield
