"""What a run releases (L66, L67), against real repositories of git."""

import json
from pathlib import Path
from typing import Any

import pytest

from backstay.pipelines.errors import RefusedError
from backstay.pipelines.git import Repository
from backstay.pipelines.releasing import Occasion, plan, stamp
from backstay.pipelines.versions import Version
from tests.pipelines.conftest import Commit, add, clone, git

PUSH = Occasion(event='push', ref='refs/heads/main', default_branch='main')


def planned(repository: Repository, shipped: tuple[str, ...] = ()) -> tuple[str, str]:
    found = plan(PUSH, repository, shipped)
    return str(found.version or ''), found.reason


class TestTheVersion:
    def test_is_the_first_where_there_was_none(
        self, repository: Repository, commit: Commit
    ) -> None:
        assert planned(repository) == ('', 'no commit yet changes what is released')
        commit('feat: add names')
        assert planned(repository) == ('0.1.0', 'minor after None')

    def test_follows_the_highest_that_this_branch_has(
        self, repository: Repository, commit: Commit
    ) -> None:
        commit('feat: a', tag='v1.9.0')
        commit('feat: b', tag='v1.10.0')
        commit('fix: c', tag='latest')
        assert planned(repository) == ('1.10.1', 'patch after 1.10.0')

    def test_does_not_move_for_what_is_not_shipped(
        self, repository: Repository, commit: Commit
    ) -> None:
        commit('feat: a', tag='v1.0.0')
        commit('docs page: say why', file='docs/a.md')
        assert planned(repository, ('src',)) == (
            '',
            'no commit since 1.0.0 changes what is released',
        )
        commit('engine: ask once', file='src/b.py')
        assert planned(repository, ('src',))[0] == '1.0.1'

    def test_comes_with_notes_of_its_commits_alone(
        self, repository: Repository, commit: Commit
    ) -> None:
        commit('feat: old', tag='v1.0.0')
        commit('fix: new')
        assert 'new' in plan(PUSH, repository).notes
        assert 'old' not in plan(PUSH, repository).notes


class TestARunThatReleasesNothing:
    """L66."""

    @pytest.mark.parametrize(
        ('change', 'reason'),
        [
            ({'ref': 'refs/heads/topic'}, 'only main is released, not refs/heads/topic'),
            ({'ref': 'refs/tags/v1.0.0'}, 'only main is released, not refs/tags/v1.0.0'),
            ({'is_fork': True}, 'a fork releases nothing'),
            ({'is_template': True}, 'a template releases nothing'),
            ({'event': 'pull_request'}, 'a pull_request releases nothing'),
            ({'event': 'schedule'}, 'a schedule releases nothing'),
        ],
    )
    def test_says_why(
        self, repository: Repository, commit: Commit, change: dict[str, Any], reason: str
    ) -> None:
        commit('feat: add names')
        given = {'event': 'push', 'ref': 'refs/heads/main', 'default_branch': 'main', **change}
        found = plan(Occasion(**given), repository)
        assert (found.version, found.reason) == (None, reason)

    def test_is_told_from_what_github_says(self, tmp_path: Path) -> None:
        event = tmp_path / 'event.json'
        event.write_text(json.dumps({'repository': {'default_branch': 'trunk', 'fork': True}}))
        variables = {
            'GITHUB_EVENT_PATH': str(event),
            'GITHUB_EVENT_NAME': 'push',
            'GITHUB_REF': 'refs/heads/trunk',
        }
        assert Occasion.of(variables).why_not() == 'a fork releases nothing'
        with pytest.raises(RefusedError, match='GITHUB_EVENT_PATH is not set'):
            Occasion.of({})


class TestAReleaseThatFailedAfterItsTag:
    """L67."""

    def test_is_finished_under_the_same_version(
        self, repository: Repository, commit: Commit
    ) -> None:
        commit('feat: a', tag='v1.0.0')
        commit('feat: b')
        first = plan(PUSH, repository)
        assert first.version
        assert repository.claim(first.version)
        git(repository.folder, 'fetch', '--quiet', '--tags')

        again = plan(PUSH, repository)
        assert (again.version, again.is_again, again.notes) == (first.version, True, first.notes)
        assert not repository.claim(first.version)
        assert git(repository.folder, 'ls-remote', '--tags', 'origin').count('refs/tags/v1.1') == 1

    def test_leaves_the_next_version_to_the_next_commit(
        self, repository: Repository, commit: Commit
    ) -> None:
        commit('feat: a', tag='v1.0.0')
        commit('fix: b', tag='v1.0.1')
        commit('fix: c')
        assert planned(repository)[0] == '1.0.2'


class TestAReleaseThatWasNeverPublished:
    """Claimed by its tag, and then something failed: the next push takes it up whole."""

    @pytest.fixture
    def first(self, commit: Commit) -> None:
        commit('feat: published', tag='v1.0.0')

    def plan(self, repository: Repository, *published: Version) -> tuple[str, str]:
        found = plan(PUSH, repository, (), published)
        return str(found.version or ''), found.notes

    def test_gives_its_notes_to_the_next(
        self, first: None, repository: Repository, commit: Commit
    ) -> None:
        commit('feat: half way', tag='v1.1.0')
        commit('fix: after it')

        version, notes = self.plan(repository, Version(1, 0, 0))
        assert version == '1.1.1'
        assert 'half way' in notes
        assert 'after it' in notes
        assert 'published' not in notes
        assert self.plan(repository, Version(1, 0, 0), Version(1, 1, 0))[1].count('- ') == 1

    def test_is_released_also_where_what_follows_would_release_nothing(
        self, first: None, repository: Repository, commit: Commit
    ) -> None:
        commit('feat: half way', tag='v1.1.0')
        commit('docs: say so')

        version, notes = self.plan(repository, Version(1, 0, 0))
        assert (version, 'half way' in notes) == ('1.1.1', True)

    def test_does_not_hide_that_more_has_come(
        self, first: None, repository: Repository, commit: Commit
    ) -> None:
        commit('fix: half way', tag='v1.0.1')
        commit('feat: more')

        assert self.plan(repository, Version(1, 0, 0))[0] == '1.1.0'

    def test_was_the_very_first(self, repository: Repository, commit: Commit) -> None:
        commit('feat: half way', tag='v0.1.0')
        commit('fix: after it')

        version, notes = self.plan(repository)
        assert (version, 'half way' in notes) == ('0.1.1', True)

    def test_is_finished_as_it_is_where_its_own_run_is_repeated(
        self, first: None, repository: Repository, commit: Commit
    ) -> None:
        commit('feat: half way', tag='v1.1.0')

        version, notes = self.plan(repository, Version(1, 0, 0))
        assert (version, 'half way' in notes) == ('1.1.0', True)

    def test_where_tags_are_older_than_releases_versions_go_on(
        self, first: None, repository: Repository, commit: Commit
    ) -> None:
        commit('feat: by hand', tag='v2.3.0')
        commit('feat: more')

        assert self.plan(repository)[0] == '2.4.0'


class TestACommitWithoutAType:
    @pytest.mark.parametrize(
        'file',
        [
            'README.md',
            'docs/a.md',
            'app/notes.md',
            'tests/test_a.py',
            '.github/workflows/main.yaml',
            'LICENSE',
            'requirements/dev.lock',
        ],
    )
    def test_releases_nothing_where_no_image_changes(
        self, file: str, repository: Repository, commit: Commit
    ) -> None:
        commit('feat: a', tag='v1.0.0')
        commit('Say it better', file=file)
        assert planned(repository)[0] == ''

    @pytest.mark.parametrize(
        'file', ['app/a.py', 'Dockerfile', 'requirements/run.lock', 'env/.env', 'pyproject.toml']
    )
    def test_releases_what_an_image_has(
        self, file: str, repository: Repository, commit: Commit
    ) -> None:
        commit('feat: a', tag='v1.0.0')
        commit('Do it better', file=file)
        assert planned(repository)[0] == '1.0.1'


class TestTwoReleasesAtOnce:
    def test_get_the_version_once(
        self, repository: Repository, commit: Commit, origin: Path, tmp_path: Path
    ) -> None:
        commit('feat: a', tag='v1.0.0')
        other = clone(origin, tmp_path / 'other')
        commit('fix: b')
        ours = plan(PUSH, repository).version
        add(clone(origin, tmp_path / 'third'), 'fix: c')
        git(other.folder, 'pull', '--quiet', 'origin', 'main')
        theirs = plan(PUSH, other).version

        assert ours == theirs == Version(1, 0, 1)
        assert other.claim(theirs)
        with pytest.raises(RefusedError, match=r'v1\.0\.1 stands at another commit'):
            repository.claim(ours)

    def test_of_two_services_are_both_recorded(self, tmp_path: Path) -> None:
        """L71: what is released is recorded where it is released, so nothing can race."""
        for name in ('a', 'b'):
            bare = tmp_path / f'{name}.git'
            git(tmp_path, 'init', '--quiet', '--bare', '--initial-branch=main', str(bare))
            service = clone(bare, tmp_path / name, 'feat: begin')
            version = plan(PUSH, service).version
            assert version
            assert service.claim(version)
        for name in ('a', 'b'):
            assert 'v0.1.0' in git(tmp_path / f'{name}.git', 'tag')


class TestTheTagOfTheContract:
    def there(self, repository: Repository) -> str:
        return git(repository.folder, 'ls-remote', 'origin', 'refs/tags/v1').split('\t')[0]

    def test_goes_forward(self, repository: Repository, commit: Commit) -> None:
        commit('feat: a')
        assert repository.move_forward('v1')
        commit('feat: b')
        assert repository.move_forward('v1')
        assert self.there(repository) == repository.head()
        assert repository.move_forward('v1')

    @pytest.mark.parametrize('annotated', [False, True])
    def test_never_goes_back_when_an_old_release_is_repeated(
        self, annotated: bool, repository: Repository, commit: Commit
    ) -> None:
        old, new = commit('feat: a'), commit('feat: b')
        options = ('--annotate', '--message=ours') if annotated else ()
        git(repository.folder, 'tag', *options, 'v1', new)
        git(repository.folder, 'push', '--quiet', 'origin', 'v1')
        stood = self.there(repository)
        git(repository.folder, 'tag', '--delete', 'v1')
        git(repository.folder, 'checkout', '--quiet', old)

        assert not repository.move_forward('v1')
        assert self.there(repository) == stood

    def test_goes_forward_from_an_annotated_one(
        self, repository: Repository, commit: Commit
    ) -> None:
        commit('feat: a')
        git(repository.folder, 'tag', '--annotate', '--message=ours', 'v1')
        git(repository.folder, 'push', '--quiet', 'origin', 'v1')
        commit('feat: b')

        assert repository.move_forward('v1')
        assert self.there(repository) == repository.head()

    def test_does_not_leave_its_history(
        self, repository: Repository, commit: Commit, origin: Path, tmp_path: Path
    ) -> None:
        other = clone(origin, tmp_path / 'other')
        git(other.folder, 'checkout', '--quiet', '-b', 'topic')
        git(other.folder, 'commit', '--quiet', '--allow-empty', '--message', 'apart')
        git(other.folder, 'push', '--quiet', 'origin', 'HEAD:refs/tags/v1')
        commit('feat: a')

        with pytest.raises(RefusedError, match='which this branch does not have'):
            repository.move_forward('v1')


@pytest.mark.parametrize('annotated', [False, True])
def test_a_version_is_ours_whichever_kind_its_tag_is(
    annotated: bool, repository: Repository, commit: Commit
) -> None:
    commit('feat: a')
    options = ('--annotate', '--message=ours') if annotated else ()
    git(repository.folder, 'tag', *options, 'v0.1.0')
    git(repository.folder, 'push', '--quiet', 'origin', 'v0.1.0')

    assert not repository.claim(Version(0, 1, 0))
    commit('feat: b')
    with pytest.raises(RefusedError, match='stands at another commit'):
        repository.claim(Version(0, 1, 0))


class TestStamp:
    def test_says_the_version_in_every_place(self, tmp_path: Path, root: Path) -> None:
        for name in ('pyproject.toml', 'src/backstay/__init__.py'):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text((root / name).read_text())
        stamp(tmp_path, Version(7, 8, 9))
        assert "\nversion = '7.8.9'\n" in (tmp_path / 'pyproject.toml').read_text()
        assert "\n__version__ = '7.8.9'\n" in (tmp_path / 'src/backstay/__init__.py').read_text()

    def test_refuses_a_place_that_says_none(self, tmp_path: Path) -> None:
        (tmp_path / 'pyproject.toml').write_text("name = 'x'\n")
        with pytest.raises(RefusedError, match=r'pyproject\.toml says no version'):
            stamp(tmp_path, Version(1, 0, 0))
