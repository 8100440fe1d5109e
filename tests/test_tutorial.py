"""The second tutorial, followed to the letter: its files, its commands, what they print."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.test_documents import blocks_of, wait_for

pytestmark = pytest.mark.engine_free  # it has a database of its own

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / 'docs' / 'tutorial' / '02-first-resource.md'
FILE = re.compile(r'^`([\w/]+\.py)`(?:.|\n(?!\n))*?:\n\n```python\n(.*?)^```', re.DOTALL | re.M)
SERVICES = re.compile(r'^SERVICES = \{.*?^\}\n', re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r'^\$ (.+)\n((?:(?!\$ ).*\n)*)', re.MULTILINE)


def commands() -> list[tuple[str, str]]:
    """Each command of the page and what it prints, `make run` left out."""
    found = [each for block in blocks_of(PAGE, 'console') for each in COMMAND.findall(block)]
    return [(command, output) for command, output in found if command != 'make run']


@pytest.fixture(scope='module')
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the site, with the service that the page has one write."""
    site = tmp_path_factory.mktemp('checkout')
    for folder in ('config', 'services'):
        ignore = shutil.ignore_patterns('__pycache__')
        shutil.copytree(ROOT / folder, site / folder, ignore=ignore)
    shutil.copy(ROOT / 'manage.py', site)
    for name, code in FILE.findall(PAGE.read_text()):
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(code)
    settings = site / 'config' / 'settings.py'
    (mounted,) = (each for each in blocks_of(PAGE, 'python') if each.startswith('SERVICES'))
    settings.write_text(SERVICES.sub(lambda _: mounted, settings.read_text()))
    return site


def start(checkout: Path, *arguments: str) -> subprocess.Popen[str]:
    """`manage.py` of the copy, as on a developer's machine."""
    return subprocess.Popen(  # noqa: S603 our own interpreter and arguments
        [sys.executable, 'manage.py', *arguments],
        cwd=checkout,
        env={'ENV': 'local', 'PORT': '0', 'PYTHONUNBUFFERED': '1'},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def printed_by(checkout: Path, *arguments: str) -> str:
    """All that the command prints."""
    with start(checkout, *arguments) as process:
        return process.communicate(timeout=60)[0]


@pytest.fixture(scope='module')
def made(checkout: Path) -> str:
    """What the first command, which writes the migration, prints."""
    return printed_by(checkout, *shlex.split(commands()[0][0])[1:])


@pytest.fixture(scope='module')
def site(checkout: Path, made: str) -> Iterator[str]:
    """The address of `make run`."""
    with start(checkout, 'run') as process:
        try:
            assert process.stdout
            said = [*takewhile(lambda line: line != 'Ctrl-C stops it.\n', process.stdout)]
            assert 'Loaded the demo data of shop.\n' in said
            (serving,) = (line for line in said if line.startswith('Serving'))
            address = serving.split()[-1]
            wait_for(address)
            yield address
        finally:
            process.terminate()


def answer_to(command: str, site: str, checkout: Path) -> str:
    """What curl would print, for the few options that the page uses."""
    password = (checkout / 'var' / 'demo-password').read_text().strip()
    text = command.replace('$(cat var/demo-password)', password)
    options = iter(shlex.split(text.replace('http://127.0.0.1:8000', site))[1:])
    asked: dict[str, Any] = {}
    for option in options:
        if option == '-H':
            name, _, value = next(options).partition(': ')
            asked['headers'] = {name: value}
        elif option == '-u':
            name, _, value = next(options).partition(':')
            asked['auth'] = (name, value)
        elif option != '-s':
            address = option
    return httpx.get(address, trust_env=False, **asked).text


def test_every_file_is_found() -> None:
    names = [Path(name).name for name, _ in FILE.findall(PAGE.read_text())]

    assert len(names) == 6
    assert len(commands()) == 8


def test_the_migration_is_written(made: str) -> None:
    assert made == commands()[0][1]


@pytest.mark.parametrize(('command', 'output'), commands()[1:])
def test_a_command_prints_what_the_page_shows(
    command: str, output: str, site: str, checkout: Path
) -> None:
    beginning, *_ = output.partition('...\n')
    if command.startswith('curl '):
        assert answer_to(command, site, checkout) == output.strip()
    else:
        assert command.startswith('.venv/bin/backstay explain ')
        printed = printed_by(checkout, *shlex.split(command)[1:])
        assert printed.startswith(beginning)
        assert ('"shop_book"."status"' in printed) == ('guest' in command)
