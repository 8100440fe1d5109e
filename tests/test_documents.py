"""The documents: short where they must be, links that lead somewhere, examples that run."""

import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from rest_framework.exceptions import ErrorDetail, ValidationError

from backstay.codes import CODES, OF_STATUS
from backstay.errors import code_of, problem_from
from backstay.settings import Environment

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / 'README.md'
DOCUMENTS = sorted([*ROOT.glob('*.md'), *ROOT.glob('docs/**/*.md'), *ROOT.glob('services/**/*.md')])
#: The second tutorial writes a site of its own, in `test_tutorial.py`.
TRANSCRIPTS = [README, ROOT / 'docs' / 'tutorial' / '01-first-run.md']
#: Ours, and what every service has.
MAKEFILES = (ROOT / 'Makefile', ROOT / 'src/backstay/template/service/Makefile.jinja')
ADRS = sorted(ROOT.glob('docs/adr/*.md'))


def name_of(document: Path) -> str:
    """How a test calls it."""
    return str(document.relative_to(ROOT))


def blocks_of(document: Path, language: str) -> list[str]:
    """Its code blocks in one language."""
    return re.findall(rf'^```{language}\n(.*?)^```', document.read_text(), re.DOTALL | re.MULTILINE)


def links_of(document: Path) -> list[str]:
    """Where its links lead, web addresses left out."""
    targets = re.findall(r'\]\(([^)\s]+)\)', document.read_text())
    return [target for target in targets if not re.match(r'https?:|mailto:', target)]


def anchors_of(document: Path) -> set[str]:
    """What a link can name behind #: the headings, as GitHub spells them."""
    headings = re.findall(r'^#+ (.+)$', document.read_text(), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


@pytest.mark.parametrize('document', DOCUMENTS, ids=name_of)
class TestEveryDocument:
    def test_has_links_that_lead_somewhere(self, document: Path) -> None:
        for link in links_of(document):
            file, _, anchor = link.partition('#')
            target = (document.parent / file).resolve() if file else document
            assert target.exists(), link
            assert not anchor or anchor in anchors_of(target), link

    def test_has_python_that_compiles(self, document: Path) -> None:
        for block in blocks_of(document, 'python'):
            compile(block, name_of(document), 'exec')

    def test_names_verbs_of_make_that_exist(self, document: Path) -> None:
        verbs = {
            verb
            for makefile in MAKEFILES
            for verb in re.findall(r'^([a-z-]+):', makefile.read_text(), re.MULTILINE)
        }
        code = code_of_document(document)

        assert {name for each in code for name in re.findall(r'\bmake ([a-z-]+)', each)} <= verbs

    def test_names_variables_that_exist(self, document: Path) -> None:
        known = {field.alias for field in Environment.model_fields.values()}

        assert set(re.findall(r'\bBACKSTAY_[A-Z_]+[A-Z]', document.read_text())) <= known


def code_of_document(document: Path) -> list[str]:
    """Everything of it that is written as code, on one line."""
    text = document.read_text()
    return re.findall(r'`([^`\n]+)`', text) + re.findall(r'^\$ (.+)$', text, re.MULTILINE)


class TestReadme:
    def test_is_short(self) -> None:
        assert len(README.read_text().splitlines()) < 120

    def test_has_the_figures_of_the_bench(self) -> None:
        measured = (ROOT / 'bench' / 'README.md').read_text().partition('nested variants')[2]
        rows = re.findall(r'^  \| (.+?) \| ([\d,]+) \| ([\d.]+) s \|$', README.read_text(), re.M)

        assert len(rows) == 4
        for name, rate, cpu in rows:
            line = rf'^\| {re.escape(name)} \| (.+)$'
            (found,) = re.findall(line, measured.partition('###')[0], re.M)
            cells = found.split(' | ')
            assert (cells[0], cells[3]) == (rate, cpu)

    def test_names_each_service_that_comes_with_it(self) -> None:
        mounted = {each.parent.name for each in ROOT.glob('services/*/service.py')}
        named = re.findall(r'\(services/(\w+)/README\.md\)', README.read_text())

        assert {*named} == mounted


def test_every_page_is_reached_from_the_index() -> None:
    index = ROOT / 'docs' / 'index.md'
    linked = {(index.parent / link).resolve() for link in links_of(index)}

    assert set(ROOT.glob('docs/**/*.md')) - {index} <= linked


def test_the_changelog_says_what_comes_next() -> None:
    assert '\n## [Unreleased]\n' in (ROOT / 'CHANGELOG.md').read_text()


@pytest.mark.parametrize('document', ADRS, ids=name_of)
class TestDecision:
    def test_has_its_number_and_itself_as_its_title(self, document: Path) -> None:
        number, _, words = document.stem.partition('-')
        title = document.read_text().splitlines()[0]

        assert title.startswith(f'# {int(number)}. ')
        assert len(words.split('-')) > 3

    def test_gives_its_reasons_in_two_paragraphs(self, document: Path) -> None:
        _title, *paragraphs = document.read_text().strip().split('\n\n')

        assert len(paragraphs) == 2


def rows_of_the_environment_page() -> dict[str, str]:
    """Variable to default, as the page shows them."""
    page = (ROOT / 'docs' / 'reference' / 'environment.md').read_text().partition('## For tests')[0]
    return dict(re.findall(r'^\| `([A-Z_]+)` \| ([^|]+?) \|', page, re.MULTILINE))


def test_the_page_of_variables_lists_each_and_no_other() -> None:
    variables = {field.alias for field in Environment.model_fields.values()}

    assert set(rows_of_the_environment_page()) == variables


def test_the_page_of_variables_tells_the_defaults() -> None:
    for field in Environment.model_fields.values():
        shown = rows_of_the_environment_page()[str(field.alias)]
        if isinstance(field.default, bool):
            assert shown == f'`{int(field.default)}`', field.alias
        elif isinstance(field.default, str | int | float):
            assert shown == f'`{field.default}`', field.alias
        elif isinstance(field.default, SecretStr) and field.default.get_secret_value():
            assert shown == f'`{field.default.get_secret_value()}`', field.alias
        elif field.default in ((), None):
            assert not shown.startswith('`'), field.alias


def test_the_page_of_errors_lists_every_code() -> None:
    page = (ROOT / 'docs' / 'reference' / 'errors.md').read_text()
    rows = {(int(s), code) for s, code in re.findall(r'^\| (\d{3}) \| `([a-z-]+)` \|', page, re.M)}
    statuses = {status for status, _ in rows}
    made_by_default = {(status, code_of(status)) for status in OF_STATUS}

    assert made_by_default <= rows
    assert rows == {(code.status, code.name) for code in CODES.values()}
    assert statuses >= {400, 401, 403, 404, 405, 406, 413, 415, 422, 429, 500, 503}


def test_the_page_of_errors_shows_what_the_code_makes() -> None:
    (shown,) = blocks_of(ROOT / 'docs' / 'reference' / 'errors.md', 'json')
    sent = json.loads(shown)
    details = {
        fault['pointer']: ErrorDetail(fault['detail'], code=fault['code'])
        for fault in sent['errors']
    }
    error = ValidationError(
        {
            'lines': [{}, {'amount': [details['/lines/1/amount']]}],
            'colour': [details['/colour']],
        }
    )
    problem = problem_from(error)

    assert problem is not None
    assert problem.body(sent['request_id']) == sent


def transcripts() -> list[Any]:
    """Each command that a document shows, with the output that it shows; `make` is left out."""
    command_and_output = re.compile(r'^\$ (?!make )(.+)\n((?:(?!\$ ).*\n)*)', re.MULTILINE)
    return [
        pytest.param(command, output.strip(), id=f'{document.name}-{number}')
        for document in TRANSCRIPTS
        for block in blocks_of(document, 'console')
        for number, (command, output) in enumerate(command_and_output.findall(block))
    ]


@pytest.fixture(scope='module')
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server, as `make run` starts one."""
    database = tmp_path_factory.mktemp('site') / 'db.sqlite3'
    server = subprocess.Popen(
        [sys.executable, 'manage.py', 'serve'],
        cwd=ROOT,
        env={'ENV': 'test', 'PORT': '0', 'DATABASE_URL': f'sqlite:///{database}'},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with server:
        try:
            assert server.stdout
            address = re.search(r'http://\S+', server.stdout.readline())
            assert address, 'the server did not start'
            wait_for(address.group())
            yield address.group()
        finally:
            server.terminate()


def wait_for(address: str) -> None:
    """Return when the server answers, or fail after 20 seconds."""
    deadline = time.monotonic() + 20
    while True:
        try:
            httpx.get(f'{address}/livez', trust_env=False)
        except httpx.ConnectError:
            assert time.monotonic() < deadline, 'the server does not answer'
            time.sleep(0.05)
        else:
            return


@pytest.mark.parametrize(('command', 'output'), transcripts())
def test_a_command_prints_what_the_document_shows(
    command: str, output: str, site: str, run_python: Any
) -> None:
    program, *arguments = shlex.split(command.replace('http://127.0.0.1:8000', site))

    if program == 'curl':
        assert answer_to_curl(arguments) == output
    else:
        assert program == '.venv/bin/backstay'
        assert run_python('manage.py', *arguments, ENV='test').stdout.strip() == output


def answer_to_curl(arguments: list[str]) -> str:
    """What curl would print, for the few options that the documents use."""
    options = iter(arguments)
    address, data, headers = '', None, {}
    for option in options:
        if option == '-H':
            name, _, value = next(options).partition(': ')
            headers[name] = value
        elif option == '-d':
            data = next(options)
        elif option != '-s':
            address = option
    method = 'GET' if data is None else 'POST'
    return httpx.request(method, address, content=data, headers=headers, trust_env=False).text
