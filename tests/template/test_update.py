"""`backstay update` over versions of the template, into services with edits (contract T15)."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from backstay.template import TemplateError
from backstay.template.commands import main
from backstay.template.git import git, run_git
from backstay.template.rendering import HERE, render
from backstay.template.stamp import NAME, Stamp, read_stamp
from backstay.template.update import Updated, abort, finish, update
from tests.template.services import ANSWERS, change, commit, content_of, template, wheel

#: What the second version says in the place of the first, and the third of the second.
SECOND = {
    'Makefile': ('export ENV ?= local\n', 'export ENV ?= local\nexport SECOND := 2\n'),
    'models_py': ('max_length=50', 'max_length=60'),
    'README_md': ('prints where the documentation and the admin are', 'prints everything'),
    'tasks_py': ('timedelta(hours=1)', 'timedelta(hours=2)'),
    'pyproject_toml': ("'pytest>=8.3',\n", "'pytest>=8.4',\n"),
}
THIRD = {
    **SECOND,
    'Makefile': ('export ENV ?= local\n', 'export ENV ?= local\nexport THIRD := 3\n'),
    'models_py': ('max_length=50', 'max_length=70'),
    'Procfile': ('web: backstay serve', 'web: backstay serve --print'),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Three versions of the template, as their releases brought them."""

    templates: dict[str, Path]
    wheels: Path

    def service(self, folder: Path, version: str = '1.0.0') -> Path:
        """A committed service that this version wrote; old wheels are where it looks for them."""
        answers = render(self.templates[version], folder, ANSWERS, version=version)
        Stamp(version=version, answers=answers).write(folder)
        (folder / 'wheels').symlink_to(self.wheels)
        git(folder, 'init', '--quiet')
        return commit(folder)

    def update(self, folder: Path, version: str, **answers: str) -> Updated:
        """What `backstay update` of this version does there."""
        template = self.templates[version]
        return update(folder, answers, template=template, version=version)


@pytest.fixture(scope='module')
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    folder = tmp_path_factory.mktemp('versions')
    templates = {
        '1.0.0': template(folder / 'one'),
        '2.0.0': template(folder / 'two', **SECOND),
        '3.0.0': template(folder / 'three', **THIRD),
    }
    (templates['3.0.0'] / 'service' / 'LICENSE').write_text('Ours.\n')
    for version, each in templates.items():
        wheel(each, version, folder / 'wheels')
    return Versions(templates=templates, wheels=folder / 'wheels')


@pytest.fixture(scope='module')
def written(versions: Versions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return versions.service(tmp_path_factory.mktemp('written') / 'service')


@pytest.fixture
def service(written: Path, tmp_path: Path) -> Path:
    """A service of version 1."""
    return shutil.copytree(written, tmp_path / 'service', symlinks=True)


def has_marks(file: Path) -> bool:
    return '<<<<<<< ' in file.read_text()


def test_what_nobody_edited_becomes_what_the_new_version_writes(
    service: Path, versions: Versions, tmp_path: Path
) -> None:
    done = versions.update(service, '3.0.0')

    commit(service)
    assert content_of(service) == content_of(versions.service(tmp_path / 'fresh', '3.0.0'))
    assert (done.before.version, done.after.version) == ('1.0.0', '3.0.0')
    assert done.conflicts == ()
    assert {*done.changed} == {
        'LICENSE',
        'Makefile',
        'Procfile',
        'README.md',
        'billing/models.py',
        'billing/tasks.py',
        'pyproject.toml',
    }


def test_edits_stay_over_three_versions(service: Path, versions: Versions) -> None:
    change(service / 'Makefile', '.DEFAULT_GOAL := help', '.DEFAULT_GOAL := run')
    change(service / 'billing/models.py', 'return self.name', 'return self.name.title()')
    (service / 'billing/ours.py').write_text('OURS = 1\n')
    (service / 'CONTRIBUTING.md').unlink()
    commit(service)

    for version in ('2.0.0', '3.0.0'):
        assert versions.update(service, version).conflicts == ()
        commit(service)

    makefile, models = (
        (service / 'Makefile').read_text(),
        (service / 'billing/models.py').read_text(),
    )
    assert '.DEFAULT_GOAL := run' in makefile
    assert 'THIRD := 3' in makefile
    assert 'SECOND' not in makefile
    assert 'self.name.title()' in models
    assert 'max_length=70' in models
    assert (service / 'billing/ours.py').exists()
    assert not (service / 'CONTRIBUTING.md').exists()
    assert read_stamp(service).version == '3.0.0'


@pytest.mark.parametrize('seed', range(3))
def test_no_edit_is_lost(seed: int, service: Path, versions: Versions) -> None:
    """Forty lines are put anywhere: each is there afterwards, in a conflict or not."""
    random = Random(seed)
    files = [path for path in git(service, 'ls-files', '-z').split('\0') if path and path != NAME]
    files = [path for path in files if (service / path).is_file()]
    for number in range(40):
        file = service / random.choice(files)
        lines = file.read_text().splitlines(keepends=True)
        lines.insert(random.randint(0, len(lines)), f'edit {number}.\n')
        file.write_text(''.join(lines))
    commit(service)

    done = versions.update(service, '3.0.0')

    text = '\n'.join((service / path).read_text() for path in files)
    assert [number for number in range(40) if f'edit {number}.\n' not in text] == []
    assert {path for path in files if has_marks(service / path)} == {*done.conflicts}
    assert {*done.conflicts} <= {*done.changed}


def test_only_lines_that_overlap_are_conflicts(service: Path, versions: Versions) -> None:
    change(service / 'billing/models.py', 'max_length=50', 'max_length=55')
    change(service / 'Makefile', '.DEFAULT_GOAL := help', '.DEFAULT_GOAL := run')
    commit(service)

    done = versions.update(service, '2.0.0')

    assert done.conflicts == ('billing/models.py',)
    models = (service / 'billing/models.py').read_text()
    assert models.count('<<<<<<< ') == models.count('>>>>>>> ') == 1
    assert 'max_length=55' in models
    assert 'max_length=60' in models
    assert 'UU billing/models.py' in git(service, 'status', '--porcelain')
    assert read_stamp(service).version == '1.0.0'


def test_the_stamp_is_raised_once_conflicts_are_resolved(service: Path, versions: Versions) -> None:
    models = service / 'billing/models.py'
    change(models, 'max_length=50', 'max_length=55')
    commit(service)
    versions.update(service, '2.0.0')

    with pytest.raises(TemplateError, match=r'conflicts are left in billing/models.py'):
        finish(service)
    git(service, 'add', '--all')  # the marks are still there
    with pytest.raises(TemplateError, match=r'conflicts are left in billing/models.py'):
        finish(service)
    assert read_stamp(service).version == '1.0.0'
    git(service, 'checkout', 'HEAD', '--', 'billing/models.py')
    assert finish(service).after.version == '2.0.0'
    commit(service)

    assert read_stamp(service).version == '2.0.0'
    assert 'max_length=55' in models.read_text()
    with pytest.raises(TemplateError, match='no update is under way'):
        finish(service)


def test_an_update_with_conflicts_can_be_undone(service: Path, versions: Versions) -> None:
    change(service / 'billing/models.py', 'max_length=50', 'max_length=55')
    before = content_of(commit(service))
    assert versions.update(service, '3.0.0').conflicts
    with pytest.raises(TemplateError, match='an update is under way: end it'):
        versions.update(service, '3.0.0')

    abort(service)

    assert content_of(service) == before
    assert git(service, 'status', '--porcelain') == ''


def test_a_file_that_was_moved_is_followed(service: Path, versions: Versions) -> None:
    git(service, 'mv', 'billing/tasks.py', 'billing/cleaning.py')
    commit(service)

    assert versions.update(service, '2.0.0').conflicts == ()

    assert 'hours=2' in (service / 'billing/cleaning.py').read_text()
    assert not (service / 'billing/tasks.py').exists()


def test_a_file_that_was_deleted_stays_deleted(service: Path, versions: Versions) -> None:
    (service / 'Procfile').unlink()
    commit(service)

    done = versions.update(service, '3.0.0')

    assert done.left_out == ('Procfile',)
    assert done.conflicts == ()
    assert not (service / 'Procfile').exists()


def test_the_example_can_be_taken_out_later(service: Path, versions: Versions) -> None:
    versions.update(service, '1.0.0', example='false')
    commit(service)

    mentions = [path for path, content in content_of(service).items() if b'ruit' in content]
    assert mentions == ['billing/migrations/0001_initial.py']  # a database may have had it
    assert read_stamp(service).answers['example'] is False


def test_a_version_with_the_same_template_touches_three_lines(
    service: Path, versions: Versions
) -> None:
    """As docs/reference/template.md says."""
    update(service, template=versions.templates['1.0.0'], version='2.0.0')

    touched = git(service, 'diff', '--staged', '--numstat').split('\n')
    assert touched == ['1\t1\t.backstay.yaml', '2\t2\tpyproject.toml', '']


def test_a_service_may_be_a_folder_of_its_repository(service: Path, versions: Versions) -> None:
    whole = service.parent
    (service / '.git').rename(whole / '.git')
    (whole / 'README.md').write_text('All of us.\n')
    commit(whole)

    assert versions.update(service, '2.0.0').conflicts == ()

    assert 'SECOND' in (service / 'Makefile').read_text()
    assert (whole / 'README.md').read_text() == 'All of us.\n'
    assert git(whole, 'status', '--porcelain').count('service/') == 6


def test_what_somebody_ignores_everywhere_is_updated_too(
    service: Path, versions: Versions, tmp_path: Path
) -> None:
    mine = tmp_path / 'ignored'
    mine.write_text('Makefile\nbilling/\n')
    git(service, 'config', 'core.excludesFile', str(mine))

    versions.update(service, '2.0.0')

    assert 'SECOND' in (service / 'Makefile').read_text()


def test_an_old_template_comes_from_where_packages_come_from(
    service: Path, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    (service / 'wheels').unlink()
    commit(service)
    for installer in ('UV', 'PIP'):
        monkeypatch.setenv(f'{installer}_FIND_LINKS', str(versions.wheels))
        monkeypatch.setenv(f'{installer}_NO_INDEX', '1')

    assert versions.update(service, '2.0.0').after.version == '2.0.0'

    assert 'SECOND' in (service / 'Makefile').read_text()


def leave(_service: Path) -> None:
    """As it is."""


def edit(service: Path) -> None:
    (service / 'Makefile').write_text('ours')


def add_what_comes(service: Path) -> None:
    (service / 'LICENSE').write_text('Mine.\n')


def forget_git(service: Path) -> None:
    (service / '.git').rename(service.parent / 'git')


def forget_commits(service: Path) -> None:
    git(service, 'update-ref', '-d', 'HEAD')


def forget_stamp(service: Path) -> None:
    (service / NAME).unlink()


def break_stamp(service: Path) -> None:
    (service / NAME).write_text('version: [')


def break_version(service: Path) -> None:
    change(service / NAME, 'version: 1.0.0', 'version: newest')


def forget_the_name(service: Path) -> None:
    change(service / NAME, '  service: billing\n', '')


def come_from_nowhere(service: Path) -> None:
    change(service / NAME, 'version: 1.0.0', 'version: 0.0.7')
    commit(service)


@pytest.mark.parametrize(
    ('prepare', 'version', 'told'),
    [
        (edit, '3.0.0', 'there are changes that are not committed; commit or stash them first'),
        (add_what_comes, '3.0.0', 'the template brings LICENSE, which is here and not in git'),
        (forget_git, '3.0.0', 'not a git repository'),
        (forget_commits, '3.0.0', 'nothing is committed yet'),
        (forget_stamp, '3.0.0', 'go to the folder of a service'),
        (break_stamp, '3.0.0', 'cannot be read: bring it back with `git checkout'),
        (break_version, '3.0.0', 'cannot be read: bring it back with `git checkout'),
        (forget_the_name, '3.0.0', 'cannot be read: bring it back with `git checkout'),
        (leave, '0.9.0', 'backstay 1.0.0 wrote this service, and 0.9.0 is installed'),
        (come_from_nowhere, '3.0.0', 'backstay==0.0.7 wrote this service, and cannot be had'),
    ],
)
def test_what_cannot_be_updated_is_left_as_it_was(
    prepare: Callable[[Path], None],
    version: str,
    told: str,
    service: Path,
    versions: Versions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for installer in ('UV_OFFLINE', 'PIP_NO_INDEX'):  # nobody is asked whether 0.0.7 exists
        monkeypatch.setenv(installer, '1')
    prepare(service)
    before, status = content_of(service), run_git(service, 'status', '--porcelain').stdout

    with pytest.raises(TemplateError, match=f'(?s){told}'):
        update(service, template=versions.templates['3.0.0'], version=version)

    assert content_of(service) == before
    assert run_git(service, 'status', '--porcelain').stdout == status


@pytest.mark.parametrize('answers', [{'tasks': 'cron'}, {'colour': 'red'}, {'service': 'A B'}])
def test_an_answer_that_is_none_is_refused(
    answers: dict[str, str], service: Path, versions: Versions
) -> None:
    with pytest.raises(TemplateError):
        versions.update(service, '3.0.0', **answers)

    assert git(service, 'status', '--porcelain') == ''


def test_the_command_says_what_to_do(
    service: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From version 1 to this one, whose template it has: only what the version decides differs."""
    change(service / NAME, 'version: 1.0.0', 'version: 0.0.1')
    change(service / 'pyproject.toml', '[postgres,redis]>=1.0.0,<2', '[postgres,redis]>=0,<1')
    commit(service)
    (service / 'wheels').unlink()
    wheel(HERE, '0.0.1', service / 'wheels')
    commit(service)
    monkeypatch.chdir(service)

    assert main(['update']) == 1
    assert 'with conflicts in:\n  pyproject.toml\n' in capsys.readouterr().out
    assert main(['update', '--continue']) == 2
    assert 'conflicts are left in pyproject.toml' in capsys.readouterr().err
    assert main(['update', '--abort']) == 0
    assert main(['update', '--abort']) == 2
    git(service, 'rm', '-r', '--quiet', 'pyproject.toml')
    commit(service)
    assert main(['update']) == 0
    assert 'deleted by you, and so left out: pyproject.toml' in capsys.readouterr().out
    commit(service)
    assert main(['update']) == 0
    assert 'nothing to do' in capsys.readouterr().out
