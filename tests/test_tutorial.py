"""Tutorials 2 and 3, followed to the letter: their files, their commands, what they print."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.test_documents import blocks_of, wait_for

pytestmark = pytest.mark.engine_free  # it has a database of its own

ROOT = Path(__file__).resolve().parent.parent
STARTING, READING, WRITING = sorted((ROOT / 'docs' / 'tutorial').glob('0[123]-*.md'))
FILE = re.compile(r'^`([\w/]+\.py)`(?:.|\n(?!\n))*?:\n\n```python\n(.*?)^```', re.DOTALL | re.M)
SERVICES = re.compile(r'^SERVICES = \{.*?^\}\n', re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r'^\$ (.+)\n((?:(?!\$ ).*\n)*)', re.MULTILINE)
SHOWN = re.compile(r'\$\(cat ([\w/-]+)\)')


def commands(page: Path) -> list[tuple[str, str]]:
    """Each command of the page and what it prints, `make run` left out."""
    found = [each for block in blocks_of(page, 'console') for each in COMMAND.findall(block)]
    return [(command, output) for command, output in found if command != 'make run']


@pytest.fixture(scope='module')
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the site, with the service that the second tutorial has one write."""
    site = tmp_path_factory.mktemp('checkout')
    for folder in ('config', 'services'):
        ignore = shutil.ignore_patterns('__pycache__')
        shutil.copytree(ROOT / folder, site / folder, ignore=ignore)
    shutil.copy(ROOT / 'manage.py', site)
    write_files(READING, site)
    settings = site / 'config' / 'settings.py'
    (mounted,) = (each for each in blocks_of(READING, 'python') if each.startswith('SERVICES'))
    settings.write_text(SERVICES.sub(lambda _: mounted, settings.read_text()))
    return site


def write_files(page: Path, site: Path) -> None:
    """Write the files of a page as it shows them."""
    for name, code in FILE.findall(page.read_text()):
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(code)


def start(checkout: Path, *arguments: str, is_shown: bool = True) -> subprocess.Popen[str]:
    """`manage.py` of the copy, as on a developer's machine; with both of its outputs if shown."""
    return subprocess.Popen(  # noqa: S603 our own interpreter and arguments
        [sys.executable, 'manage.py', *arguments],
        cwd=checkout,
        env={'ENV': 'local', 'PORT': '0', 'PYTHONUNBUFFERED': '1'},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if is_shown else subprocess.DEVNULL,
        text=True,
    )


def printed_by(checkout: Path, command: str) -> str:
    """All that a command of ours prints to the terminal."""
    said, _, kept = command.partition(' > ')
    _, *arguments = shlex.split(said)
    with start(checkout, *arguments, is_shown=not kept) as process:
        printed = process.communicate(timeout=60)[0]
    if kept:
        (checkout / kept).write_text(printed)
    return '' if kept else printed


@contextmanager
def running(checkout: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """`make run`: the address of the site, and the lines that were printed."""
    with start(checkout, 'run') as process:
        try:
            assert process.stdout
            said = [*takewhile(lambda line: line != 'Ctrl-C stops it.\n', process.stdout)]
            (serving,) = (line for line in said if line.startswith('Serving'))
            address = serving.split()[-1]
            wait_for(address)
            yield address, said
        finally:
            process.terminate()


@pytest.fixture(scope='module')
def made(checkout: Path) -> str:
    """What the first command, which writes the migration, prints."""
    return printed_by(checkout, commands(READING)[0][0])


@pytest.fixture(scope='module')
def started(checkout: Path, made: str) -> Iterator[tuple[str, Sequence[str]]]:
    """What `make run` serves and prints."""
    with running(checkout) as found:
        yield found


@pytest.fixture(scope='module')
def site(started: tuple[str, Sequence[str]]) -> str:
    """The address of `make run`."""
    address, said = started
    assert 'Loaded the demo data of shop.\n' in said
    return address


def test_make_run_prints_what_the_first_page_shows(
    started: tuple[str, Sequence[str]], checkout: Path
) -> None:
    """But for the shop, which comes with the second."""
    address, said = started
    password = (checkout / 'var' / 'demo-password').read_text().strip()
    printed = ''.join(line for line in said if not line.startswith('  shop '))
    for here, there in {
        address: 'http://127.0.0.1:8000',
        password: '<a password of your own>',
        ', shop on': ' on',
    }.items():
        printed = printed.replace(here, there)
    (shown,) = blocks_of(STARTING, 'text')

    assert f'{printed}Ctrl-C stops it.\n'.endswith(shown)


def answer_to(command: str, site: str, checkout: Path) -> str:
    """What curl would print, for the few options that the pages use."""
    text = SHOWN.sub(lambda found: (checkout / found[1]).read_text().strip(), command)
    options = iter(shlex.split(text.replace('http://127.0.0.1:8000', site))[1:])
    method, headers, asked = 'GET', {}, dict[str, Any]()
    for option in options:
        if option == '-H':
            name, _, value = next(options).partition(': ')
            headers[name] = value
        elif option == '-u':
            name, _, value = next(options).partition(':')
            asked['auth'] = (name, value)
        elif option == '-X':
            method = next(options)
        elif option == '-d':
            asked['content'], method = next(options), 'POST' if method == 'GET' else method
        elif option != '-s':
            address = option
    return httpx.request(method, address, headers=headers, trust_env=False, **asked).text


def test_every_file_is_found() -> None:
    names = [Path(name).name for name, _ in FILE.findall(READING.read_text())]

    assert len(names) == 6
    assert len(commands(READING)) == 8


def test_the_migration_is_written(made: str) -> None:
    assert made == commands(READING)[0][1]


@pytest.mark.parametrize(('command', 'output'), commands(READING)[1:])
def test_a_command_prints_what_the_page_shows(
    command: str, output: str, site: str, checkout: Path
) -> None:
    beginning, *_ = output.partition('...\n')
    if command.startswith('curl '):
        assert answer_to(command, site, checkout) == output.strip()
    else:
        assert command.startswith('.venv/bin/backstay explain ')
        printed = printed_by(checkout, command)
        assert printed.startswith(beginning)
        assert ('"shop_book"."status"' in printed) == ('guest' in command)


def test_the_shop_takes_writes_as_its_page_shows(made: str, checkout: Path, tmp_path: Path) -> None:
    """On a copy, whose first start finds the data that the page before has left, or makes it."""
    shop = tmp_path / 'shop'
    shutil.copytree(checkout, shop, ignore=shutil.ignore_patterns('var', '__pycache__'))
    write_files(WRITING, shop)
    (migrate, told), *asked = commands(WRITING)

    assert printed_by(shop, migrate) == told
    with running(shop) as (address, _):
        for command, output in asked:
            is_asked = command.startswith('curl ')
            printed = answer_to(command, address, shop) if is_asked else printed_by(shop, command)
            assert printed.strip() == output.strip(), command
    assert len(asked) == 10
