"""`backstay new`: names, files, and what is left where it refuses (contract T1, T2, T3, T14)."""

import ast
import os
import pty
import re
import subprocess
import sys
import time
import tomllib
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
import yaml

import backstay
from backstay.template import TemplateError
from backstay.template.commands import main
from backstay.template.new import Order, new
from backstay.template.rendering import HERE, questions_of
from tests.conftest import RunPython
from tests.template.services import ANSWERS, content_of, make, wheel

Services = dict[str, dict[str, bytes]]

#: What the questions that are not asked can be answered with.
OPTIONS: dict[str, tuple[Any, ...]] = {
    'python': ('3.11', '3.12', '3.13', '3.14'),
    'example': (True, False),
    'tasks': ('database', 'celery'),
    'source': ('index', 'wheels'),
}
#: Eight services, in which every two answers meet.
CHOSEN = [
    dict(zip(OPTIONS, (python, OPTIONS['example'][one], tasks, source), strict=True))
    for (at, python), one in product(enumerate(OPTIONS['python']), (0, 1))
    for tasks in [OPTIONS['tasks'][one ^ at & 1]]
    for source in [OPTIONS['source'][one ^ at >> 1]]
]


def meetings(services: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    return {
        (one, service[one], other, service[other])
        for service in services
        for one, other in combinations(OPTIONS, 2)
    }


def test_every_two_answers_meet() -> None:
    every = [dict(zip(OPTIONS, each, strict=True)) for each in product(*OPTIONS.values())]

    assert meetings(CHOSEN) == meetings(every)
    assert OPTIONS['python'] == tuple(questions_of(HERE)['python']['choices'])
    assert OPTIONS['tasks'] == tuple(questions_of(HERE)['tasks']['choices'])
    assert OPTIONS['source'] == tuple(questions_of(HERE)['source']['choices'])


@pytest.fixture(scope='module')
def services(tmp_path_factory: pytest.TempPathFactory) -> Services:
    """The files of each of the eight, by what was answered."""
    folder = tmp_path_factory.mktemp('chosen')
    ours = wheel(HERE, backstay.__version__, folder)
    made = {}
    for number, answers in enumerate(CHOSEN):
        given = ours if answers['source'] == 'wheels' else None
        order = Order(folder=folder / str(number), answers={**ANSWERS, **answers}, wheel=given)
        files = content_of(new(order))
        made[str(answers)] = {path: files[path] for path in files if not path.endswith('.whl')}
    return made


def test_no_placeholder_is_left(services: Services) -> None:
    """T1: neither ours nor those that people write by hand."""
    names = '|'.join(yaml.safe_load((HERE / 'copier.yml').read_text()))
    written = re.compile(
        r'\[[=%#]|[=%#]\](?!\])|(?<!\$)\{\{'  # of the template itself
        rf'|[{{<[](?:{names})[}}>\]]'
        r'|replace[-_ ]?me|change[-_ ]?me|todo|fixme|cookiecutter|jinja|placeholder',
        re.IGNORECASE,
    )
    for answers, files in services.items():
        for path, content in files.items():
            found = written.search(path) or written.search(content.decode())
            assert not found, (answers, path, found)


def test_without_the_example_nothing_mentions_it(services: Services) -> None:
    """T14."""
    mentions = {
        answers: [path for path in files if b'fruit' in (files[path] + path.encode()).lower()]
        for answers, files in services.items()
    }

    assert {answers: bool(found) for answers, found in mentions.items()} == {
        answers: "'example': True" in answers for answers in services
    }


def test_what_is_written_can_be_read(services: Services) -> None:
    for files in services.values():
        for path, content in files.items():
            if path.endswith('.py'):
                assert ast.parse(content) is not None
                assert (
                    path.endswith('__init__.py')
                    or ast.get_docstring(ast.parse(content))
                    or ('migrations' in path)
                )
            if path.endswith(('.yaml', '.yml')):
                assert yaml.safe_load(content)
            if path.endswith('.toml'):
                assert tomllib.loads(content.decode())
            assert content.endswith(b'\n') or not content, path
            assert not re.search(rb'[ \t]\n|\n\n\n\n|\n\n\Z', content), path


def test_a_service_owns_less_than_250_lines_of_python(services: Services) -> None:
    for files in services.values():
        lines = sum(len(files[path].splitlines()) for path in files if path.endswith('.py'))
        assert lines < 250


def test_the_same_answers_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T3: also for somebody who has told copier of preferences."""
    first = content_of(make(tmp_path / 'first'))
    mine = tmp_path / 'settings.yml'
    mine.write_text('defaults: {python: "3.14", example: false}\n')
    monkeypatch.setenv('COPIER_SETTINGS_PATH', str(mine))

    assert content_of(make(tmp_path / 'second')) == first


def test_the_repository_is_named_by_organisation_and_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T1."""
    monkeypatch.chdir(tmp_path)

    assert main(['new', '--yes', '--data', 'organisation=acme', '--data', 'service=billing']) == 0
    assert [path.name for path in tmp_path.iterdir()] == ['acme-billing-backend']
    assert (tmp_path / 'acme-billing-backend' / '.git').is_dir()


@pytest.mark.parametrize(
    'name',
    [
        'Billing API',
        'Billing',
        'b',
        'b' * 41,
        '1st',
        'a--b',
        '-a',
        'a-',
        'a_b',
        'å',
        '',
        '../x',
        'a\n',
    ],
)
@pytest.mark.parametrize('question', ['service', 'organisation'])
def test_a_name_that_is_none_is_refused(question: str, name: str, tmp_path: Path) -> None:
    """T2: the pattern is stated, and nothing is written."""
    with pytest.raises(TemplateError, match=f'{question}: use lower case, digits and single hyph'):
        new(Order(folder=tmp_path / 'service', answers={**ANSWERS, question: name}))

    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    'name', ['django', 'json', 'class', 'config', 'tests', 'events', 'rest-framework']
)
def test_the_name_of_something_else_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=f'service: {name} is the name of something else'):
        new(Order(folder=tmp_path / 'service', answers={**ANSWERS, 'service': name}))

    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ('arguments', 'told'),
    [
        (
            (),
            'no answer for organisation and service; give --data organisation=... --data service=',
        ),
        (('--data', 'colour=red'), 'there is no question colour; there are: organisation, service'),
        (('--data', 'colour'), '--data colour: give NAME=VALUE'),
        (('--data', 'example=maybe'), 'example: give true or false, not maybe'),
        (('--data', 'tasks=cron'), "tasks: 'cron' is not in ['database', 'celery']"),
        (('--data', 'platform=here'), 'platform: give owner/repository'),
        (('--data', 'source=wheels'), 'source: give the wheel too, --backstay'),
        (('--backstay', 'nothing.whl'), 'nothing.whl: there is no wheel backstay-'),
        (('nowhere/service',), 'nowhere: there is no such folder'),
        (('full',), 'full is not empty'),
        (('full/file',), 'full/file is a file'),
    ],
)
def test_a_mistake_is_told_and_leaves_everything_as_it_was(
    arguments: tuple[str, ...],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full' / 'file').write_text('mine')
    names = ('--data', 'organisation=acme', '--data', 'service=billing') if arguments else ()

    assert main(['new', '--yes', *names, *arguments]) == 2

    assert told in capsys.readouterr().err
    assert content_of(tmp_path) == {'full/file': b'mine'}
    assert [path.name for path in tmp_path.iterdir()] == ['full']


def test_a_wheel_of_another_version_is_refused(tmp_path: Path) -> None:
    other = wheel(HERE, '99.0.0', tmp_path)

    with pytest.raises(TemplateError, match='is of another version than this command'):
        new(Order(folder=tmp_path / 'service', answers=ANSWERS, wheel=other))


def test_an_empty_repository_may_be_filled(tmp_path: Path) -> None:
    folder = tmp_path / 'cloned'
    (folder / '.git').mkdir(parents=True)
    (folder / '.git' / 'description').write_text('mine')

    new(Order(folder=folder, answers=ANSWERS))

    assert (folder / '.git' / 'description').read_text() == 'mine'
    assert (folder / 'Makefile').exists()


def test_on_a_terminal_it_asks_two_questions(tmp_path: Path) -> None:
    terminal, side = pty.openpty()
    command = [sys.executable, '-c', 'from backstay.cli import main; main()', 'new']
    with subprocess.Popen(command, cwd=tmp_path, stdin=side, stdout=side, stderr=side) as process:  # noqa: S603 our own
        os.close(side)
        shown = ''
        for question, answer in (('organisation', 'acme'), ('service', 'billing')):
            shown += read_until(terminal, question)
            os.write(terminal, f'{answer}\r'.encode())
        shown += read_until(terminal, 'make run')
    os.close(terminal)

    assert process.returncode == 0
    assert (tmp_path / 'acme-billing-backend' / 'Makefile').exists()
    assert 'example' not in shown.lower()


def read_until(terminal: int, word: str) -> str:
    """What the terminal shows, up to the word."""
    shown, deadline = '', time.monotonic() + 20
    while word not in shown:
        assert time.monotonic() < deadline, shown
        shown += os.read(terminal, 4096).decode(errors='replace')
    return shown


def test_where_no_site_is_a_command_of_one_says_so(run_python: RunPython, tmp_path: Path) -> None:
    code = 'from backstay.cli import main; main()'

    ran = run_python('-c', code, 'migrate', cwd=tmp_path, DJANGO_SETTINGS_MODULE=None)

    assert ran.returncode == 1
    assert (
        ran.stderr == 'backstay: no site is in this folder; go to one, or make one: backstay new\n'
    )
