"""The secret key of a developer's machine (contract T5)."""

import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.signing import Signer

from backstay.settings import load
from backstay.settings.master_keys import parse_master_keys

FILE = Path('env') / '.env.local.secrets'


def key_of(base_dir: Path, env: str = 'local') -> str:
    """The secret key that a process gets."""
    return load(base_dir, {'ENV': env}).secret_key.get_secret_value()


def test_is_made_at_the_first_start_and_kept(tmp_path: Path) -> None:
    first = key_of(tmp_path)

    assert len(first) >= 50
    assert key_of(tmp_path) == first


def test_differs_between_machines(tmp_path: Path) -> None:
    (tmp_path / 'one').mkdir()
    (tmp_path / 'two').mkdir()

    assert key_of(tmp_path / 'one') != key_of(tmp_path / 'two')


def test_a_master_key_is_made_and_kept_beside_it(tmp_path: Path) -> None:
    first = load(tmp_path, {'ENV': 'local'}).encryption_keys.get_secret_value()

    (key,) = parse_master_keys(first).values()
    assert len(key) == 32
    assert load(tmp_path, {'ENV': 'local'}).encryption_keys.get_secret_value() == first


def test_signs(tmp_path: Path) -> None:
    signer = Signer(key=key_of(tmp_path), fallback_keys=[])

    assert signer.unsign(signer.sign('value')) == 'value'


def test_file_is_readable_for_its_owner_only(tmp_path: Path) -> None:
    key_of(tmp_path)

    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_file_begins_with_a_warning(tmp_path: Path) -> None:
    key_of(tmp_path)

    assert 'never commit' in (tmp_path / FILE).read_text().splitlines()[0]


@pytest.mark.parametrize('before', ['REDIS_URL=redis://:secret@host\n', 'PORT=9000', '# mine\n'])
def test_other_lines_of_the_file_are_kept(tmp_path: Path, before: str) -> None:
    (tmp_path / 'env').mkdir()
    (tmp_path / FILE).write_text(before)

    key = key_of(tmp_path)

    assert (tmp_path / FILE).read_text().startswith(before)
    assert key_of(tmp_path) == key


def test_secrets_of_the_process_make_no_file(tmp_path: Path) -> None:
    keys = load(tmp_path, {'ENV': 'test'}).encryption_keys.get_secret_value()
    load(
        tmp_path, {'ENV': 'local', 'SECRET_KEY': 'test-key-' * 6, 'BACKSTAY_ENCRYPTION_KEYS': keys}
    )

    assert not (tmp_path / FILE).exists()


def test_of_tests_is_made_for_each_process_and_not_kept(tmp_path: Path) -> None:
    assert key_of(tmp_path, 'test') != key_of(tmp_path, 'test')
    assert not (tmp_path / 'env').exists()


def test_file_is_ignored_by_git(tmp_path: Path, root: Path) -> None:
    git = shutil.which('git')
    assert git
    shutil.copy(root / '.gitignore', tmp_path)
    key_of(tmp_path)
    subprocess.run([git, 'init', '-q'], cwd=tmp_path, check=True)  # noqa: S603 fixed arguments

    seen = subprocess.run(  # noqa: S603 fixed arguments
        [git, 'status', '--porcelain', '-uall'],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )

    assert seen.stdout.split() == ['??', '.gitignore']
