"""The table of OWASP's ASVS: every line of levels 1 and 2, each with a test or with who decides."""

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / 'docs/reference/asvs.md'
#: Each line of ASVS 5.0.0 at levels 1 and 2: its number and its level.
LEVELS = dict(map(str.split, Path(__file__).with_name('asvs-levels.txt').read_text().splitlines()))
#: Who may decide, where no test holds a line.
DECIDERS = ('Backstay', "Service's author", "Site's owner")
#: What is not simply met says so first.
STATES = ('Not met', 'In part', 'Does not apply')
LEAST_SHARE = 0.6


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    number: str
    level: str
    what: str
    held: str

    @property
    def tests(self) -> list[str]:
        """The tests that it cites."""
        return re.findall(r'`([\w/]+\.py::[\w:]+)`', self.held)

    @property
    def state(self) -> str:
        """How far it is met."""
        return next((state for state in STATES if self.what.startswith(state)), 'Met')


@cache
def lines() -> tuple[Line, ...]:
    """The table, over all its chapters."""
    rows = re.findall(r'^\| (V[\d.]+) \| (\d) \| (.+?) \| (.+) \|$', PAGE.read_text(), re.MULTILINE)
    return tuple(Line(*row) for row in rows)


@cache
def names_in(file: str) -> frozenset[str]:
    """The tests of a file as pytest names them behind the file, without running it."""
    found: set[str] = set()
    for node in ast.parse((ROOT / file).read_text()).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f'{node.name}::' if isinstance(node, ast.ClassDef) else ''
        found |= {
            f'{prefix}{each.name}'
            for each in inner
            if isinstance(each, ast.FunctionDef) and each.name.startswith('test_')
        }
    return frozenset(found)


def test_every_line_of_both_levels_is_there_once_and_in_order() -> None:
    assert [(line.number, line.level) for line in lines()] == [*LEVELS.items()]
    assert Counter(LEVELS.values()) == {'1': 70, '2': 183}


def test_every_test_that_is_cited_exists() -> None:
    cited = {test for line in lines() for test in line.tests}
    missing = {
        test
        for test in cited
        if not (ROOT / test.partition('::')[0]).exists()
        or test.partition('::')[2] not in names_in(test.partition('::')[0])
    }

    assert missing == set()
    assert len(cited) > 100


def test_every_other_line_names_who_decides() -> None:
    for line in lines():
        cites_only = ', '.join(f'`{test}`' for test in line.tests)
        assert line.held == cites_only if line.tests else line.held.startswith(DECIDERS), line
        if not line.tests:
            decider, _, reason = line.held.partition(': ')
            assert decider in DECIDERS, line.number
            assert len(reason) > 20, line.number


def test_three_lines_of_five_are_held_by_a_test() -> None:
    assert len([line for line in lines() if line.tests]) / len(lines()) >= LEAST_SHARE


def test_what_is_not_met_says_so_and_is_counted() -> None:
    states = Counter(line.state for line in lines())
    held = [line for line in lines() if line.tests]
    absent = [line for line in held if line.state == 'Does not apply']

    said = PAGE.read_text().partition('\n## ')[0].replace('\n', ' ')
    counts = f'{states["Met"]} are met, {states["In part"]} in part, {states["Not met"]} are not'
    assert f'Of {len(LEVELS)} lines {counts}, and {states["Does not apply"]} do not apply' in said
    share = 100 * len(held) / len(LEVELS)
    assert f'{len(held)} ({share:.0f} %) cite a test, {len(absent)} of them one that' in said


@pytest.mark.parametrize('cited', ['tests/security/test_asvs.py::test_nothing_of_this_name'])
def test_a_test_that_is_not_there_is_missed(cited: str) -> None:
    file, _, name = cited.partition('::')
    assert name not in names_in(file)
    assert 'test_a_test_that_is_not_there_is_missed' in names_in(file)
