"""One register of codes: no code stands anywhere that is not in it, and the page says the same."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backstay.codes import CODES, FAULTS, OF_STATUS, SUBJECTS
from backstay.errors import Fault, Problem, not_found, phrase_of, refused
from backstay.identity import problems as problems_of_callers
from backstay.resources import errors as problems_of_resources

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'src' / 'backstay'
#: They answer GitHub and run in a workflow; no API speaks of them.
APART = ('contributing', 'pipelines', 'template')
PAGE = (ROOT / 'docs' / 'reference' / 'errors.md').read_text()
KNOWN = {*CODES, *FAULTS}


def codes_in(source: str) -> Iterator[tuple[int, str]]:
    """The codes that a module gives to problems and faults, with their lines.

    They stand in `code=…`, in `code = …` and `default_code = …` of a class, and as the second
    argument of `change.refuse(…)`.
    """
    for node in ast.walk(ast.parse(source)):
        given: list[ast.expr] = []
        match node:
            case ast.Call(func=ast.Attribute(attr='refuse'), args=[_, code, _]):
                given.append(code)
            case ast.keyword(arg='code', value=value):
                given.append(value)
            case ast.Assign(targets=[ast.Name(id='code' | 'default_code')], value=value):
                given.append(value)
            case ast.AnnAssign(target=ast.Name(id='code'), value=ast.expr() as value):
                given.append(value)
        for each in given:
            chosen = [each.body, each.orelse] if isinstance(each, ast.IfExp) else [each]
            for one in chosen:
                if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value:
                    yield one.lineno, one.value


def modules() -> list[Path]:
    return sorted(
        file for file in PACKAGE.rglob('*.py') if file.relative_to(PACKAGE).parts[0] not in APART
    )


def test_every_code_of_the_package_is_in_the_register() -> None:
    strange = [
        f'{file.relative_to(ROOT)}:{line}: {code}'
        for file in modules()
        for line, code in codes_in(file.read_text())
        if not {code, code.replace('_', '-')} & KNOWN  # Django's spelling becomes ours
    ]

    assert strange == []


@pytest.mark.parametrize(
    'source',
    [
        "raise Problem('', code='nope')",
        "code = 'nope'",
        "class A:\n    code: str = 'nope'",
        "class A:\n    default_code = 'nope'",
        "change.refuse('/a', 'nope', 'No.')",
        "code = 'nope' if x else 'invalid'",
    ],
)
def test_a_code_is_found_wherever_it_may_stand(source: str) -> None:
    assert 'nope' in [code for _, code in codes_in(source)]


def test_every_code_of_a_problem_is_used() -> None:
    used = {
        node.value
        for file in modules()
        if file.name != 'codes.py'
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert {name for name in CODES if name not in used} <= {
        code.name for code in OF_STATUS.values()
    }


def test_a_code_stands_once_in_the_register() -> None:
    names = [code.name for codes in SUBJECTS.values() for code in codes]

    assert len(names) == len(set(names)) == len(CODES)
    assert {*names, *FAULTS} == KNOWN
    assert not set(names) & set(FAULTS)


@pytest.mark.parametrize('code', CODES.values(), ids=lambda code: code.name)
def test_a_problem_has_the_status_of_its_code(code: Any) -> None:
    problem = Problem('No.', code=code.name)

    assert problem.answer_status == code.status
    assert problem.title == phrase_of(code.status)
    assert Problem('No.', code=code.name, status=418).answer_status == 418


def test_a_subclass_has_the_status_of_its_code_unless_it_says_another() -> None:
    class Busy(Problem):
        code = 'busy'

    class Own(Problem):
        status = 409
        code = 'out-of-stock'

    assert Busy().answer_status == 503
    assert Own().answer_status == 409
    assert Problem(code='out-of-stock').answer_status == 400


@pytest.mark.parametrize('module', [problems_of_resources, problems_of_callers])
def test_the_tree_of_errors_is_drawn_as_it_is(module: Any) -> None:
    drawn = re.findall(r'(\w+) +(\d{3}) ([a-z-]+)', module.__doc__)
    answered = {
        (name, CODES[code].status, code)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and kind.__module__ == module.__name__
        if (code := getattr(kind, 'default_code', None) or getattr(kind, 'code', None))
    }

    assert {(name, int(status), code) for name, status, code in drawn} == answered


def test_a_repeat_may_help_where_a_header_says_when() -> None:
    assert {name for name, code in CODES.items() if code.may_repeat} >= {
        name for name, code in CODES.items() if '`Retry-After`' in code.when
    }


@pytest.mark.parametrize(
    ('codes', 'expected'),
    [
        (['unknown-field'], 'unknown-field'),
        (['unknown-field', 'unknown-field'], 'unknown-field'),
        (['unknown-field', 'field-not-writable'], 'validation-failed'),
        (['required'], 'validation-failed'),
        (['reference-not-found'] * 60, 'reference-not-found'),
    ],
)
def test_faults_are_counted_and_the_first_50_are_told(codes: list[str], expected: str) -> None:
    problem = refused([Fault(pointer='', code=code, detail='') for code in codes])

    assert (problem.answer_status, problem.answer_code) == (422, expected)
    assert len(problem.errors) == min(len(codes), 50)
    count = f'{len(codes)} faults' if len(codes) > 1 else 'One fault'
    assert problem.detail == f'{count} in what was sent.'


def test_nothing_there_is_said_in_one_way() -> None:
    assert (not_found().answer_status, not_found().answer_code) == (404, 'not-found')
    said = [file for file in modules() if 'There is nothing at this address' in file.read_text()]
    assert [file.name for file in said] == ['errors.py']


def table_of_codes() -> str:
    """The tables of the page."""
    parts = []
    for subject, codes in SUBJECTS.items():
        rows = (
            f'| {code.status} | `{code.name}` | {code.when} | {"yes" if code.may_repeat else ""} |'
            for code in codes
        )
        parts += [f'### {subject}', '', '| status | code | when | repeat |', '|---|---|---|---|']
        parts += [*rows, '']
    parts += ['### Faults', '', '| code | when |', '|---|---|']
    parts += [f'| `{name}` | {when} |' for name, when in FAULTS.items()]
    return '\n'.join(parts)


def test_the_page_has_the_register() -> None:
    assert table_of_codes() in PAGE, f'put these tables there:\n\n{table_of_codes()}'
