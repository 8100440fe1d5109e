"""Plain English in what people read: code, documents and templates, without the worst slips."""

import re
from pathlib import Path

import pytest

from tests.test_house_rules import files_of

#: People are they; the rest are slips that were found in this repository.
SLIPS = re.compile(r"\b([Hh]e|[Hh]is|[Hh]im|belongs? into|how manieth)\b(?!')")
READ = ('.py', '.md', '.html', '.jinja', '.txt', '.yaml', '.toml')


def is_read(path: str) -> bool:
    """Whether people read the file as ours; texts of a seeding speak of made-up people."""
    return path.endswith(READ) and not re.search(r'words\.py|/tests?/|^tests/|\.github/', path)


def test_no_text_has_a_slip(root: Path) -> None:
    found = [
        f'{path}:{number}: {line.strip()}'
        for file in files_of(root)
        if is_read(path := file.relative_to(root).as_posix())
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if SLIPS.search(line)
    ]

    assert found == []


@pytest.mark.parametrize('text', ['what he may see', 'His row.', 'it belongs into a log'])
def test_a_slip_is_recognised(text: str) -> None:
    assert SLIPS.search(text)


@pytest.mark.parametrize('text', ['this row', 'where the key is', 'history', 'belongs in a log'])
def test_other_words_are_not_taken_for_one(text: str) -> None:
    assert not SLIPS.search(text)
