"""Versions from commits (L65)."""

import re

import pytest

from backstay.pipelines.versions import Bump, ReleasedCommit, Version, bump_of, notes_of, parse

ONE = Version(1, 2, 3)


def commit(message: str, *, is_shipped: bool = True) -> ReleasedCommit:
    return ReleasedCommit(sha='0123456789abcdef', message=message, is_shipped=is_shipped)


@pytest.mark.parametrize(
    ('messages', 'version'),
    [
        (['docs: say why', 'test: try more', 'ci(pipeline): pin'], '1.2.3'),
        (['fix: add what was missing'], '1.2.4'),
        (['perf: ask once', 'docs: say so'], '1.2.4'),
        (['revert: feat: add names'], '1.2.4'),
        (['feat(api): add names'], '1.3.0'),
        (['fix: a', 'feat: b', 'fix: c'], '1.3.0'),
        (['feat!: drop names'], '2.0.0'),
        (['chore(deps)!: need Python 3.12'], '2.0.0'),
        (['fix: a\n\nBREAKING CHANGE: names are gone'], '2.0.0'),
        (['fix: a\n\nBREAKING-CHANGE: names are gone', 'feat: b'], '2.0.0'),
        ([], '1.2.3'),
    ],
)
def test_the_highest_of_the_commits_counts(messages: list[str], version: str) -> None:
    assert str(ONE.moved(bump_of(map(commit, messages)))) == version


@pytest.mark.parametrize(
    ('message', 'is_shipped', 'step'),
    [
        ('engine: prepare anew', True, Bump.PATCH),
        ('docs page: say why', False, Bump.NONE),
        ('engine: add cursors\n\nWhy.\n\nRelease: minor', True, Bump.MINOR),
        ('engine: drop cursors\n\nRelease: Major', True, Bump.MAJOR),
        ('engine: rename a test\n\nRelease: none', True, Bump.NONE),
        ('Merge what was asked for', True, Bump.PATCH),
        ('feature: is no type', False, Bump.NONE),
        ('It says BREAKING CHANGE: in a line', False, Bump.NONE),
        ('fix(a(b)): c', False, Bump.NONE),
        ('', False, Bump.NONE),
    ],
)
def test_a_commit_without_a_type_says_it_by_its_trailer_or_its_files(
    message: str, step: Bump, *, is_shipped: bool
) -> None:
    assert commit(message, is_shipped=is_shipped).step is step


def test_before_1_0_0_anything_may_change_with_a_minor_version() -> None:
    first = Version(0, 3, 4)
    assert [str(first.moved(step)) for step in Bump] == ['0.3.4', '0.3.5', '0.4.0', '0.4.0']


@pytest.mark.parametrize(
    'text', ['1.2', 'v1', '1.2.3-rc.1', '01.2.3', 'v1.2.3.4', '', 'va.b.c', '1.2.3\n']
)
def test_other_tags_are_no_versions(text: str) -> None:
    assert parse(text) is None


def test_versions_are_ordered_by_their_numbers() -> None:
    tags = ['v1.10.0', '1.9.9', 'v0.99.0', 'v2.0.0']
    assert [str(each) for each in sorted(filter(None, map(parse, tags)))] == [
        '0.99.0',
        '1.9.9',
        '1.10.0',
        '2.0.0',
    ]


class TestNotes:
    def test_name_what_users_notice_and_nothing_else(self) -> None:
        messages = ['feat: add names', 'docs: explain', 'fix(api): count', 'feat!: drop ids']
        assert notes_of(map(commit, messages)) == (
            '### Breaking\n\n- feat!: drop ids (012345678)\n\n'
            '### Added\n\n- feat: add names (012345678)\n\n'
            '### Fixed\n\n- fix(api): count (012345678)'
        ).replace('!', '\\!')

    def test_let_text_of_strangers_be_text(self) -> None:
        hostile = 'fix: @all [x](http://evil) <img src=x> `a` ${{ secrets.A }} #1 __b__'
        (line,) = [each for each in notes_of([commit(hostile)]).splitlines() if each[:2] == '- ']
        assert not re.search(r'(?<!\\)[\[\]<>`#_{}]', line)
        assert '@all' not in line
