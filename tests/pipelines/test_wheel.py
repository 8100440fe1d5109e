"""What is released: the wheel that `make dist` builds, file by file."""

import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

METADATA = {'METADATA', 'WHEEL', 'RECORD', 'entry_points.txt', 'licenses/LICENSE'}


@pytest.fixture(scope='module')
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree that was built from, with a version of its own."""
    root = Path(__file__).parents[2]
    if not (root / '.git').exists():
        pytest.skip('not a git checkout: nothing tells which files are the repository')
    copy = tmp_path_factory.mktemp('dist') / 'tree'
    git = ['git', 'clone', '--quiet', '--no-hardlinks', str(root), str(copy)]
    subprocess.run(git, check=True)  # noqa: S603 fixed arguments
    _bring_up_to_date(root, copy)
    subprocess.run(
        [sys.executable, '.ci/dist'],
        cwd=copy,
        check=True,
        env={**os.environ, 'VERSION': '7.8.9', 'GITHUB_REPOSITORY': 'o/backstay'},
        stdout=subprocess.DEVNULL,
    )
    return copy


def _bring_up_to_date(root: Path, copy: Path) -> None:
    """What is not committed yet is part of the next release."""
    for name in files_of(root):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, copy / name)
    for name in {*files_of(copy)} - {*files_of(root)}:
        (copy / name).unlink()


def files_of(root: Path, below: str = '.') -> list[str]:
    """The files that git has or would take."""
    listed = subprocess.run(  # noqa: S603 fixed arguments
        ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', below],  # noqa: S607
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return sorted({name for name in listed.split('\0') if name and (root / name).is_file()})


@pytest.fixture(scope='module')
def wheel(dist: Path) -> zipfile.ZipFile:
    (path,) = (dist / 'dist').glob('*.whl')
    assert path.name == 'backstay-7.8.9-py3-none-any.whl'
    return zipfile.ZipFile(path)


def test_it_has_every_file_of_the_package_and_nothing_else(
    wheel: zipfile.ZipFile, root: Path
) -> None:
    ours = {name.removeprefix('src/') for name in files_of(root, 'src/backstay')}
    described = {f'backstay-7.8.9.dist-info/{name}' for name in METADATA}
    assert {*wheel.namelist()} == ours | described


@pytest.mark.parametrize(
    'name',
    [
        'backstay/py.typed',
        'backstay/operations/migrations/0001_initial.py',
        'backstay/template/copier.yml',
        'backstay/template/service/Makefile.jinja',
        'backstay/template/service/.gitignore.jinja',
        'backstay/template/service/.pre-commit-config.yaml',
        'backstay/template/service/requirements/uv.lock',
    ],
)
def test_it_has_what_a_glob_forgets(wheel: zipfile.ZipFile, name: str) -> None:
    assert name in wheel.namelist()


def test_it_says_the_version_of_the_release_and_the_tree_stays(
    wheel: zipfile.ZipFile, dist: Path, root: Path
) -> None:
    assert b"__version__ = '7.8.9'" in wheel.read('backstay/__init__.py')
    assert (dist / 'pyproject.toml').read_text() == (root / 'pyproject.toml').read_text()


def test_it_asks_for_ranges(wheel: zipfile.ZipFile) -> None:
    """P57: a consumer may take a newer patch of anything."""
    metadata = Parser().parsestr(wheel.read('backstay-7.8.9.dist-info/METADATA').decode())
    required = metadata.get_all('Requires-Dist', [])
    assert len(required) > 20
    for requirement in required:
        assert '==' not in requirement.partition(';')[0], requirement
        assert '>=' in requirement, requirement
    assert {'celery', 'postgres', 'redis', 'sentry'} <= {*metadata.get_all('Provides-Extra', [])}


def test_the_bill_of_materials_stands_beside_it(dist: Path) -> None:
    assert (dist / 'dist' / 'backstay-7.8.9.cdx.json').exists()
