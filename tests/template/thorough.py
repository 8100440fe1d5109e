"""Services of the wheel in dist/, each with its own environment: `make test-template`.

Every two answers meet in one of them. Nothing is taken from this environment: each service locks
and installs what it needs, from the caches and registries of this machine, and runs `make check`.
Too slow for the ordinary suite, which tries one service with the packages of this environment.
"""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import backstay
from backstay.template.new import Order, new
from tests.template.services import ANSWERS, commit
from tests.template.test_new import CHOSEN

ROOT = Path(__file__).parents[2]
#: Seconds from nothing to green tests, once packages are in the caches.
LIMIT = 90


@pytest.fixture(scope='module')
def wheel() -> Path:
    path = ROOT / 'dist' / f'backstay-{backstay.__version__}-py3-none-any.whl'
    assert path.exists(), 'build it: make dist'
    return path


def python_of(version: str) -> str:
    """The interpreter of this version on the PATH or under PYENV_ROOT; empty without one."""
    name = f'python{version}'
    root = Path(os.environ.get('PYENV_ROOT', Path.home() / '.pyenv'))
    found = [shutil.which(name), *map(str, sorted(root.glob(f'versions/{version}.*/bin/{name}')))]
    return next((each for each in reversed(found) if each), '')


def make(folder: Path, verb: str, python: str) -> None:
    """`make VERB` there, as somebody does who has just come."""
    # What says where packages are and what is trusted; nothing of this suite and of this `make`.
    known = re.compile(
        r'HOME|LANG|PATH|TMPDIR|(PIP|UV|SSL|CURL|REQUESTS)_.*|.*_proxy', re.IGNORECASE
    )
    environment = {name: value for name, value in os.environ.items() if known.fullmatch(name)}
    ran = subprocess.run(  # noqa: S603 arguments are a list
        ['make', verb, f'PYTHON={python}'],  # noqa: S607 that of the machine
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-8_000:]


@pytest.mark.parametrize(
    'answers', CHOSEN, ids=lambda answers: '-'.join(map(str, answers.values()))
)
def test_from_nothing_to_green(answers: dict[str, Any], wheel: Path, tmp_path: Path) -> None:
    python = python_of(answers['python'])
    if not python:
        pytest.skip(f'there is no Python {answers["python"]} here')
    folder = tmp_path / 'service'
    started = time.monotonic()

    # The package is on no index before its first release: each takes the wheel with it.
    new(Order(folder=folder, answers={**ANSWERS, **answers}, wheel=wheel))
    make(folder, 'test', python)
    seconds = time.monotonic() - started
    make(folder, 'check', python)

    print(f'\n{seconds:.0f} s from nothing to green')  # noqa: T201 what is measured
    commit(folder)
    make(folder, 'doctor', python)
    assert seconds < LIMIT
