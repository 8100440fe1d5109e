"""The gate of coverage (L61), and that what runs in other processes is measured."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backstay.pipelines.coverage import MINIMUM, gate, measure, percent
from backstay.pipelines.errors import RefusedError


def report(covered: int, lines: int, **missing: int) -> dict[str, Any]:
    files = {name: {'missing_lines': [*range(number)]} for name, number in missing.items()}
    return {'totals': {'covered_lines': covered, 'num_statements': lines}, 'files': files}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'coverage.json'


@pytest.mark.parametrize('covered', [8_999, 8_999.9])
def test_below_90_00_percent_fails(path: Path, covered: float) -> None:
    path.write_text(json.dumps(report(int(covered * 10), 100_000)))
    with pytest.raises(RefusedError, match=r'coverage is 89\.99 %, below 90\.00 %'):
        gate(path)


@pytest.mark.parametrize(
    ('covered', 'shown'), [(90_000, '90.00'), (90_009, '90.00'), (100_000, '100.00')]
)
def test_from_90_00_percent_on_passes(path: Path, covered: int, shown: str) -> None:
    path.write_text(json.dumps(report(covered, 100_000)))
    assert gate(path) == f'coverage is {shown} %, at least 90.00 %'


def test_the_minimum_is_the_same_everywhere() -> None:
    assert Decimal('90.00') == MINIMUM


def test_a_failure_names_the_files_that_miss_most(path: Path) -> None:
    path.write_text(json.dumps(report(1, 10, a=2, b=7)))
    with pytest.raises(RefusedError, match=r'(?s)b: 7 lines.*a: 2 lines'):
        gate(path)


def test_a_report_that_is_missing_or_empty_is_no_pass(path: Path) -> None:
    with pytest.raises(RefusedError, match='is missing: the suite did not run'):
        gate(path)
    path.write_text(json.dumps(report(0, 0)))
    with pytest.raises(RefusedError, match='nothing was measured'):
        gate(path)


def test_it_is_never_rounded_up() -> None:
    assert percent(report(2, 3)) == Decimal('66.66')


SUITE = """
from measured import by_environment

def test_it():
    assert by_environment()
"""
MEASURED = """
import os

def by_environment():
    if os.environ['DATABASE_URL'].startswith('sqlite'):
        engine = 'SQLite'
    else:
        engine = 'PostgreSQL'
    return engine
"""


def test_both_engines_are_measured_together(tmp_path: Path, run_python: Any) -> None:
    """Each runs one branch of the module, in a process of its own."""
    (tmp_path / 'pytest.ini').write_text('[pytest]\npythonpath = .\n')
    (tmp_path / 'measured.py').write_text(MEASURED)
    (tmp_path / 'test_it.py').write_text(SUITE)
    lean = [
        word
        for name in ('cacheprovider', 'django', 'schemathesis', 'xdist')
        for word in ('-p', f'no:{name}')
    ]

    ran = run_python(
        '-m',
        'backstay.pipelines',
        'coverage',
        '--source=measured',
        '--minimum=100',
        *lean,
        cwd=tmp_path,
        DJANGO_SETTINGS_MODULE=None,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.endswith('coverage is 100.00 %, at least 100 %\n')
    assert ran.stdout.count('1 passed') == 2


def test_a_suite_that_fails_fails_whatever_it_covers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 1 if 'run' in command else 0)

    monkeypatch.setattr(subprocess, 'run', run)
    assert measure(['a'], []) == 1
    assert ran[0][:4] == [sys.executable, '-m', 'coverage', 'run']
