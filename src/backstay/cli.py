"""The `backstay` command: Django's management commands, of the platform and of every service."""

import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run one command in the site of the current folder; mistakes of the environment are told."""
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f'backstay: {error}')
