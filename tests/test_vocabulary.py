"""The words of the vocabulary stand where it says."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import backstay

_ROW = re.compile(r'^\| `(\w+)` \| (.+) \| `([\w.]+)` \|$', re.MULTILINE)
PAGE = Path(backstay.__file__).parents[2] / 'docs' / 'explanation' / 'vocabulary.md'
WORDS = _ROW.findall(PAGE.read_text())


def test_each_word_has_one_row() -> None:
    words = [word for word, _, _ in WORDS]

    assert len(words) > 30
    assert len(words) == len(set(words))


@pytest.mark.parametrize(('word', 'meaning', 'module'), WORDS, ids=[row[0] for row in WORDS])
def test_the_word_is_defined_where_its_row_says(word: str, meaning: str, module: str) -> None:
    assert meaning.endswith('.')
    assert hasattr(import_module(module), word)
