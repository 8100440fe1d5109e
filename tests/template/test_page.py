"""What docs/reference/template.md says of questions, lines and findings is true."""

import re
from pathlib import Path

import pytest

from backstay.template.rendering import HERE, questions_of
from tests.template.services import content_of, make

PAGE = (Path(__file__).parents[2] / 'docs' / 'reference' / 'template.md').read_text()


def test_it_lists_every_question_and_default() -> None:
    rows = re.findall(r'^\| `(\w+)` \| ([^|]+) \|', PAGE.partition('## Files')[0], re.MULTILINE)
    defaults = {
        name: str(each.get('default', 'asked')).lower().replace('[= ', '{').replace(' =]', '}')
        for name, each in questions_of(HERE).items()
    }

    assert {name: shown.strip('`') for name, shown in rows} == defaults


@pytest.mark.parametrize(('column', 'example'), [(1, True), (2, False)])
def test_it_counts_the_lines_that_a_service_owns(
    column: int, example: bool, tmp_path: Path
) -> None:
    files = content_of(make(tmp_path / 'service', example=example))
    counted = {
        path.replace('billing/', '<service>/'): len(content.splitlines())
        for path, content in files.items()
        if path.endswith('.py') and content
    }
    rows = re.findall(r'^\| `([^`]+\.py)` \| (\d+) \| (\d+) \|', PAGE, re.MULTILINE)
    together = re.search(r'^\| together \| \*\*(\d+)\*\* \| \*\*(\d+)\*\* \|', PAGE, re.MULTILINE)

    assert {row[0]: int(row[column]) for row in rows if int(row[column])} == counted
    assert together
    assert int(together[column]) == sum(counted.values()) < 250


def test_it_counts_the_settings(tmp_path: Path) -> None:
    settings = (make(tmp_path / 'service') / 'config/settings.py').read_text()

    assert f'have {len(settings)} characters here' in PAGE.replace('\n', ' ')
