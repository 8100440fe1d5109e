"""The weekly pull request, against a real repository; make, uv and gh are stand-ins."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backstay.pipelines import upkeep
from backstay.pipelines.__main__ import main
from backstay.pipelines.git import Repository
from tests.pipelines.conftest import Commit, git

Program = Callable[..., Callable[[], list[Any]]]

PYPROJECT = """dependencies = ['backstay[postgres]>=1.2.0,<2', 'django>=5.2,<5.3']
dev = ['backstay[pipelines,template]>=1.2.0,<2']
"""
#: What `make lock` and `make update` would do to a service.
MAKE = """
case "$1" in
  lock) echo "$LOCKED" > run.lock;;
  update) if [ -n "$CONFLICT" ]; then
      echo half > README.md
      printf 'Updated from 1 to 2, with conflicts in:\\n  README.md\\nResolve them\\n'; exit 1
    fi
    [ -z "$TEMPLATE" ] || echo "$TEMPLATE" > README.md;;
esac
"""
#: As many pull requests as `$OPEN` says.
GH = (
    """case "$*" in "pr list"*) echo "${OPEN:-[]}";; *) echo https://github.example/pull/7;; esac"""
)


@pytest.fixture(autouse=True)
def service(
    repository: Repository, program: Program, monkeypatch: pytest.MonkeyPatch, commit: Commit
) -> Path:
    """A service on main, to which nothing is new."""
    folder = repository.folder
    files = {'pyproject.toml': PYPROJECT, 'run.lock': 'old\n', 'README.md': 'ours\n'}
    for name, text in files.items():
        (folder / name).write_text(text)
        git(folder, 'add', name)
    commit('feat: begin')
    monkeypatch.chdir(folder)
    monkeypatch.setenv('GITHUB_REF', 'refs/heads/main')
    monkeypatch.setenv('LOCKED', 'old')
    monkeypatch.setattr('sys.executable', '/nowhere/python')
    program('make', MAKE)
    program('uv', 'echo backstay==${NEWEST:-1.4.0}')
    return folder


def brought(folder: Path, name: str) -> str:
    """A file of the branch, at the remote."""
    return git(folder, 'show', f'origin/{upkeep.BRANCH}:{name}')


def test_where_nothing_is_new_nothing_is_proposed(service: Path, program: Program) -> None:
    calls = program('gh', GH)

    assert main(['upkeep']) == 0

    assert calls() == []
    assert upkeep.BRANCH not in git(service, 'ls-remote', 'origin')


def test_newer_packages_and_a_newer_template_are_one_pull_request(
    service: Path, program: Program, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    calls = program('gh', GH)
    monkeypatch.setenv('LOCKED', 'newer')
    monkeypatch.setenv('TEMPLATE', 'theirs')

    assert main(['upkeep']) == 0

    assert brought(service, 'run.lock') == 'newer\n'
    assert brought(service, 'README.md') == 'theirs\n'
    assert git(service, 'log', '--format=%s', f'main..{upkeep.BRANCH}').splitlines() == [
        'chore: follow the newer template',
        'build: lock newer packages',
    ]
    (_list, (create, _)) = calls()
    assert create[:6] == ['pr', 'create', '--head', upkeep.BRANCH, '--base', 'main']
    assert '/pull/7' in capsys.readouterr().out


def test_the_next_week_writes_it_anew(
    service: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = program('gh', GH)
    for locked in ('newer', 'newest'):
        git(service, 'checkout', '--quiet', 'main')
        monkeypatch.setenv('LOCKED', locked)
        assert main(['upkeep']) == 0
        monkeypatch.setenv('OPEN', '[{"number": 7}]')

    assert brought(service, 'run.lock') == 'newest\n'
    assert [arguments[:2] for arguments, _ in calls()] == [
        ['pr', 'list'],
        ['pr', 'create'],
        ['pr', 'list'],
        ['pr', 'edit'],
    ]


@pytest.mark.parametrize(
    ('newest', 'wanted'), [('2.0.1', '>=2.0.1,<3'), ('1.9.9', '>=1.2.0,<2'), ('10.0.0', '<11')]
)
def test_a_platform_that_the_requirement_excludes_is_proposed(
    newest: str, wanted: str, service: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program('gh', GH)
    monkeypatch.setenv('NEWEST', newest)
    monkeypatch.setenv('LOCKED', newest)

    assert main(['upkeep']) == 0

    text = brought(service, 'pyproject.toml')
    assert text.count(wanted) == 2
    assert "'django>=5.2,<5.3'" in text


def test_conflicts_are_left_to_people(
    service: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = program('gh', GH)
    monkeypatch.setenv('LOCKED', 'newer')
    monkeypatch.setenv('CONFLICT', 'yes')

    assert main(['upkeep']) == 0

    assert brought(service, 'README.md') == 'ours\n'
    assert 'in `README.md`: `make update`' in calls()[-1][0][-1]


def test_a_step_that_fails_fails_the_run(service: Path, program: Program, capsys: Any) -> None:
    program('gh', GH)
    program('make', 'echo no such package >&2; exit 2')

    assert main(['upkeep']) == 1
    assert 'refused: make lock: no such package' in capsys.readouterr().err
