"""`backstay load_issues`: import reports of analyses that Taskcluster has kept."""

import json
import logging
import os
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from django.core.management.base import BaseCommand
from tqdm import tqdm  # type: ignore[import-untyped]

from services.codereview.reports import UnknownHost, indexed, load, report_of

logger = logging.getLogger(__name__)

_ROOT = 'https://firefox-ci-tc.services.mozilla.com'


class Command(BaseCommand):
    """Reports are kept on disk. One that cannot be loaded is told of and left out."""

    help = 'Import the issues of reports that Taskcluster has, or that an earlier run has kept.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare which reports."""
        parser.add_argument(
            '--offline', action='store_true', help='read what an earlier run has kept'
        )
        parser.add_argument(
            '-e',
            '--environment',
            choices=('production', 'testing'),
            default='production',
            help='whose reports (production)',
        )

    def handle(self, *, offline: bool, environment: str, **_: Any) -> None:
        """Load one after the other."""
        folder = Path(tempfile.gettempdir()) / 'code-review-reports' / environment
        folder.mkdir(parents=True, exist_ok=True)
        files = sorted(folder.iterdir()) if offline else _downloaded(folder, environment)
        for file in tqdm(files, unit='report', disable=None):
            _load(file)


def _downloaded(folder: Path, environment: str) -> Iterator[Path]:
    """The files of reports, fetched where they are not there yet."""
    root = os.environ.get('TASKCLUSTER_ROOT_URL', _ROOT)
    with httpx.Client(base_url=root, timeout=60, follow_redirects=True) as client:
        for task, _ in indexed(client, environment):
            file = folder / task
            if not file.exists():
                try:
                    file.write_text(json.dumps(report_of(client, task)))
                except httpx.HTTPError as error:
                    logger.warning('No report of task %s: %s', task, error)
                    continue
            yield file


def _load(file: Path) -> None:
    try:
        number = load(file.name, json.loads(file.read_text()))
    except UnknownHost as error:
        logger.warning('Skipped task %s: the repository %s is not allowed.', file.name, error)
    except Exception:
        logger.exception('Skipped task %s.', file.name)
    else:
        logger.info('Loaded %d issues of task %s.', number, file.name)
