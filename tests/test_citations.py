"""Citations lead to pages of this repository, and to rules that exist there."""

import re
from pathlib import Path

from tests.test_house_rules import files_of, lines_with

PAGE = 'docs/reference/rules.md'
#: "rule M7", "rules L2 and L4", "rules F1, F3 and F12".
CITED = re.compile(r'\b[Rr]ules? ([MFRL]\d+(?:(?:,| and|, and| or| to) [MFRL]\d+)*)')
#: Pages that a reader of this repository cannot open.
ELSEWHERE = re.compile(
    r'\bRR\d\b'
    r'|\bleak rules?\b'
    r'|\bcommerce contract\b'
    r'|\b[Cc]ontract,? (of commerce|(section )?[L\d])'
    r'|\b(DESIGN|STYLE|field-notes)\b(?! = )'
)


def rules_of(root: Path) -> list[str]:
    """The numbers of the rules, in the order of the page."""
    return re.findall(r'^\| ([MFRL]\d+) \|', (root / PAGE).read_text(), re.MULTILINE)


def test_every_rule_that_is_cited_exists(root: Path) -> None:
    known = {*rules_of(root)}
    cited = {
        (str(file.relative_to(root)), rule)
        for file in files_of(root)
        if file.suffix in {'.py', '.md'}
        for group in CITED.findall(file.read_text())
        for rule in re.findall(r'[MFRL]\d+', group)
    }

    assert {each for each in cited if each[1] not in known} == set()
    assert len({rule for _, rule in cited}) > 20


def test_rules_are_numbered_without_gaps(root: Path) -> None:
    rules = rules_of(root)

    for letter in 'MFRL':
        numbers = [int(rule[1:]) for rule in rules if rule[0] == letter]
        assert numbers == [*range(1, len(numbers) + 1)], letter


def test_no_text_cites_what_is_not_in_the_repository(root: Path) -> None:
    found = {line.partition(':')[0] for line in lines_with(ELSEWHERE, root)} - {
        str(Path(__file__).relative_to(root))
    }

    assert found == set()
