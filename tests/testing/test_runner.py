"""`python -m backstay.testing`: both engines in one run, and a failure of either is a failure."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RunSuite = Callable[..., subprocess.CompletedProcess[str]]

PASSES = """
import os

def test_it():
    assert os.environ['ENV'] == 'test'
"""
FAILS_ON = """
import os

def test_it():
    assert not os.environ['DATABASE_URL'].startswith({engine!r})
"""


#: What takes seconds to load, and is no matter here.
_LEAN = [
    word
    for name in ('cacheprovider', 'django', 'schemathesis', 'hypothesispytest', 'xdist')
    for word in ('-p', f'no:{name}')
]


@pytest.fixture
def run_suite(run_python: Any, tmp_path: Path) -> RunSuite:
    """Runs a suite of one file in a folder of its own, on both engines."""

    def run(source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / 'pytest.ini').write_text('[pytest]\n')
        (tmp_path / 'test_it.py').write_text(source)
        ran = run_python(
            '-m',
            'backstay.testing',
            *_LEAN,
            *arguments,
            cwd=tmp_path,
            DJANGO_SETTINGS_MODULE=None,
        )
        assert isinstance(ran, subprocess.CompletedProcess)
        return ran

    return run


def test_a_suite_that_passes_as_test_on_both_engines_passes(run_suite: RunSuite) -> None:
    ran = run_suite(PASSES)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count('1 passed') == 2
    assert 'PostgreSQL' in ran.stdout


@pytest.mark.parametrize('engine', ['sqlite', 'postgres'])
def test_a_suite_that_fails_on_one_engine_fails(run_suite: RunSuite, engine: str) -> None:
    ran = run_suite(FAILS_ON.format(engine=engine))

    assert ran.returncode == 1
    assert ran.stdout.count('1 passed') == 1
    assert ran.stdout.count('1 failed') == 1


def test_arguments_go_to_pytest(run_suite: RunSuite) -> None:
    ran = run_suite(PASSES, '-k', 'something_else')

    assert ran.returncode == 5  # pytest's code for no tests
    assert ran.stdout.count('1 deselected in') == 2
