"""The steps as a pipeline calls them: what they print, hand on, and refuse."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backstay.pipelines.__main__ import main
from backstay.pipelines.bill import bill_of
from backstay.pipelines.git import Repository
from backstay.pipelines.github import tell_outputs
from tests.pipelines.conftest import Commit, git

Program = Callable[..., Callable[[], list[Any]]]


@pytest.fixture(autouse=True)
def _run(repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A run of a pipeline that was started by a push to main."""
    monkeypatch.chdir(repository.folder)
    event = tmp_path / 'event.json'
    event.write_text(json.dumps({'repository': {'default_branch': 'main'}}))
    for name, value in {
        'GITHUB_EVENT_PATH': str(event),
        'GITHUB_EVENT_NAME': 'push',
        'GITHUB_REF': 'refs/heads/main',
        'GITHUB_REPOSITORY': 'Acme/Billing',
        'GITHUB_SERVER_URL': 'https://github.example',
        'GITHUB_ACTOR': 'ann',
        'GITHUB_TOKEN': 'a token',
        'GITHUB_OUTPUT': str(tmp_path / 'output'),
    }.items():
        monkeypatch.setenv(name, value)


def outputs(tmp_path: Path) -> dict[str, str]:
    """What later steps get, read as GitHub reads it."""
    found, lines = {}, iter((tmp_path / 'output').read_text().splitlines())
    for line in lines:
        name, _, border = line.partition('<<')
        value: list[str] = []
        while (each := next(lines)) != border:
            value.append(each)
        found[name] = '\n'.join(value)
    return found


class TestPlan:
    @pytest.fixture(autouse=True)
    def _asks_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv('GITHUB_TOKEN')

    def test_tells_later_jobs_what_is_released(
        self, commit: Commit, tmp_path: Path, capsys: Any
    ) -> None:
        commit('feat: add names\n\nversion<<x\nversion=9.9.9')
        assert main(['plan']) == 0
        told = outputs(tmp_path)
        assert (told['release'], told['version']) == ('true', '0.1.0')
        assert told['notes'].startswith('### Added\n\n- feat: add names')
        assert 'reason: minor after None' in capsys.readouterr().out

    def test_tells_why_nothing_is(
        self, commit: Commit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """L59: what is left out is left out with a reason."""
        commit('feat: add names')
        monkeypatch.setenv('GITHUB_EVENT_NAME', 'pull_request')
        assert main(['plan']) == 0
        assert outputs(tmp_path) == {
            'release': 'false',
            'version': '',
            'reason': 'a pull_request releases nothing',
            'notes': '',
        }


def test_an_output_cannot_become_another(tmp_path: Path) -> None:
    hostile = 'a\nversion=9.9.9\nEOF\nimage<<EOF\nevil\nEOF'
    tell_outputs({'notes': hostile})
    assert outputs(tmp_path) == {'notes': hostile}


class TestClaim:
    def test_pushes_the_tag_once(self, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        monkeypatch.setenv('VERSION', '1.2.3')
        assert [main(['claim']), main(['claim'])] == [0, 0]
        assert capsys.readouterr().out.splitlines() == [
            'v1.2.3 is ours',
            'v1.2.3 stands here already',
        ]

    @pytest.mark.parametrize('version', ['', '1.2', '--force', '$(id)', '1.2.3;id'])
    def test_takes_versions_alone(
        self, version: str, monkeypatch: pytest.MonkeyPatch, capsys: Any, repository: Repository
    ) -> None:
        monkeypatch.setenv('VERSION', version)
        assert main(['claim']) == 1
        assert 'refused: VERSION is ' in capsys.readouterr().err
        assert git(repository.folder, 'ls-remote', '--tags', 'origin') == ''


class TestImage:
    #: Docker, as far as it matters: it knows no image yet, and writes what it pushed.
    DOCKER = """
        case "$*" in *imagetools*) exit 1;; esac
        for word in "$@"; do
          case $word in --metadata-file=*)
            echo '{"containerimage.digest": "sha256:abc"}' > "${word#--metadata-file=}"
          esac
        done
    """

    def test_of_a_run_that_releases_nothing_is_only_built(self, program: Program) -> None:
        calls = program('docker')
        assert main(['image']) == 0
        (login, token), (arguments, _) = calls()
        assert (login[0], token) == ('login', 'a token'), 'it may be built from private images'
        assert arguments[:2] == ['buildx', 'build']
        assert '--push' not in arguments

    def test_gets_a_private_index_as_a_secret_of_the_build(
        self, program: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = program('docker')
        monkeypatch.delenv('GITHUB_TOKEN')
        monkeypatch.setenv('PIP_EXTRA_INDEX_URL', 'https://ann:hunter2@index.example/')
        assert main(['image']) == 0
        ((arguments, _),) = calls()
        assert 'id=package-index,env=PIP_EXTRA_INDEX_URL' in arguments
        assert 'hunter2' not in ' '.join(arguments)

    def test_is_pushed_and_named_by_its_digest(
        self, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = program('docker', self.DOCKER)
        monkeypatch.setenv('VERSION', '1.2.3')
        assert main(['image']) == 0
        assert outputs(tmp_path) == {'image': 'ghcr.io/acme/billing@sha256:abc'}
        login, _look, _create, (build, _) = calls()
        assert login[1] == 'a token'
        assert 'a token' not in ' '.join(login[0])
        assert {'--push', '--provenance=mode=max', '--sbom=true'} <= {*build}
        assert '--tag=ghcr.io/acme/billing:1.2.3' in build

    def test_that_is_there_already_is_not_built_again(
        self, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """L67."""
        calls = program('docker', 'case "$*" in *imagetools*) echo sha256:old;; esac')
        monkeypatch.setenv('VERSION', '1.2.3')
        assert main(['image']) == 0
        assert outputs(tmp_path) == {'image': 'ghcr.io/acme/billing@sha256:old'}
        assert not [each for each, _ in calls() if each[:2] == ['buildx', 'build']]

    def test_that_cannot_be_built_fails(self, program: Program, capsys: Any) -> None:
        program('docker', 'case $1 in buildx) exit 1;; esac')
        assert main(['image']) == 1
        assert capsys.readouterr().err == 'refused: docker buildx failed\n'


class TestAnnounce:
    @pytest.fixture(autouse=True)
    def _version(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv('VERSION', '1.2.3')
        monkeypatch.setenv('NOTES', '### Added\n\n- names')

    def test_makes_a_release_with_notes_and_files(self, program: Program) -> None:
        calls = program('gh', 'case "$*" in *view*) exit 1;; esac')
        assert main(['announce', 'a.whl', 'b.json']) == 0
        _view, (create, said), (upload, _) = calls()
        assert create == [
            'release',
            'create',
            'v1.2.3',
            '--verify-tag',
            '--title=v1.2.3',
            '--notes-file=-',
        ]
        assert said == '### Added\n\n- names'
        assert upload == ['release', 'upload', 'v1.2.3', '--clobber', 'a.whl', 'b.json']

    def test_leaves_one_that_is_there(self, program: Program) -> None:
        calls = program('gh')
        assert main(['announce']) == 0
        assert [arguments[1] for arguments, _ in calls()] == ['view']

    def test_fails_with_what_gh_says(self, program: Program, capsys: Any) -> None:
        program('gh', 'echo no rights >&2; exit 1')
        assert main(['announce']) == 1
        assert capsys.readouterr().err == 'refused: gh release create: no rights\n'


class TestBill:
    LOCK = (
        'Django==5.2.13 \\\n    --hash=sha256:aa\n'
        'psycopg[binary, pool]==3.2.9 ; python_version < "3.14" \\\n    --hash=sha256:bb\n'
        'ruamel.yaml==0.18 \\\n    --hash=sha256:cc\n'
    )

    def test_names_every_package_of_the_lock(self) -> None:
        text = bill_of(self.LOCK, name='billing', version='1.2.3', made_at='2026-01-01T00:00:00Z')
        bill = json.loads(text)
        assert [each['purl'] for each in bill['components']] == [
            'pkg:pypi/django@5.2.13',
            'pkg:pypi/psycopg@3.2.9',
            'pkg:pypi/ruamel-yaml@0.18',
        ]
        assert bill['metadata']['component']['purl'] == 'pkg:pypi/billing@1.2.3'
        assert (bill['bomFormat'], bill['specVersion']) == ('CycloneDX', '1.6')

    def test_of_one_commit_is_always_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
    ) -> None:
        monkeypatch.setenv('VERSION', '1.2.3')
        (tmp_path / 'run.lock').write_text(self.LOCK)
        assert [main(['bill', str(tmp_path / 'run.lock')]) for _ in range(2)] == [0, 0]
        printed = capsys.readouterr().out
        assert printed[: len(printed) // 2] == printed[len(printed) // 2 :]

    def test_of_our_own_lock_is_whole(self, root: Path) -> None:
        lock = (root / 'requirements' / 'run.lock').read_text()
        bill = json.loads(bill_of(lock, name='backstay', version='1.0.0', made_at=''))
        names = {each['name'] for each in bill['components']}
        assert len(bill['components']) == sum(line[0].isalnum() for line in lock.splitlines())
        assert {'django', 'djangorestframework', 'psycopg', 'httptools'} <= names


def test_a_step_outside_of_a_pipeline_says_so(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.delenv('GITHUB_EVENT_PATH')
    assert main(['plan']) == 1
    assert capsys.readouterr().err == (
        'refused: GITHUB_EVENT_PATH is not set; this step belongs in a pipeline\n'
    )


@pytest.mark.parametrize('arguments', [[], ['fly'], ['plan', '--force'], ['gate', '--min', '1']])
def test_an_unknown_step_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_the_steps_need_nothing_but_python(run_python: Any, tmp_path: Path, root: Path) -> None:
    ran = run_python(
        '-S', '-I', '-c',
        f'import sys; sys.path.insert(0, {str(root / "src")!r}); '
        'from backstay.pipelines.__main__ import main; main(["claim"])',
        cwd=tmp_path,
        VERSION='',
    )  # fmt: skip
    assert "refused: VERSION is '', and no version such as 1.2.3" in ran.stderr
    assert 'Traceback' not in ran.stderr


def test_the_page_says_of_each_step_what_its_help_says(root: Path, capsys: Any) -> None:
    def told(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main([*arguments, '--help'])
        assert ended.value.code == 0
        return str(capsys.readouterr().out)

    page = (root / 'docs/reference/pipelines.md').read_text()
    _, steps = page.split('## The steps', 1)
    rows = dict(
        re.findall(r'^\| `([a-z-]+)` \| (.+) \|$', steps.partition('\n## ')[0], re.MULTILINE)
    )
    assert {*rows} == {*re.findall(r'^    ([a-z-]+)\b', told(), re.MULTILINE)}
    for verb, says in rows.items():
        assert says in ' '.join(told(verb).split()), verb
