"""What this repository promises of its own files."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

#: Where packages come from is a matter of the machine: https://…/simple, --index-url, registries.
REGISTRY = re.compile(
    r'--(extra-)?index-url|find-links|https?://[^\s\'")]*'
    r'(/simple\b|pypi|pythonhosted|artifactory|nexus|verdaccio|registry)',
    re.IGNORECASE,
)
#: The home of somebody, or the folder of somebody's checkout.
MACHINE = re.compile(r'(?<![\w.:/-])/(home|Users|root|work|workspace)/\w')


def files_of(root: Path) -> list[Path]:
    """Every file that git has or would take, this one left out: it holds the patterns."""
    git = shutil.which('git')
    if git is None or not (root / '.git').exists():
        pytest.skip('not a git checkout: nothing tells which files are the repository')
    listed = subprocess.run(  # noqa: S603 fixed arguments
        [git, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    files = {root / name for name in listed.stdout.split('\0') if name} - {Path(__file__)}
    return sorted(file for file in files if file.is_file())


def lines_with(pattern: re.Pattern[str], root: Path) -> list[str]:
    """Where the pattern is found: file, line number, line."""
    return [
        f'{file.relative_to(root)}:{number}: {line.strip()}'
        for file in files_of(root)
        for number, line in enumerate(_lines_of(file), 1)
        if pattern.search(line)
    ]


def _lines_of(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except UnicodeDecodeError:
        return []  # not text


def test_no_file_names_a_package_registry(root: Path) -> None:
    assert lines_with(REGISTRY, root) == []


def test_no_file_names_a_folder_of_a_machine(root: Path) -> None:
    assert lines_with(MACHINE, root) == []


@pytest.mark.parametrize('text', ['--index-url x', 'https://pypi.org/simple/', 'http://h/simple'])
def test_a_registry_is_recognised(text: str) -> None:
    assert REGISTRY.search(text)


@pytest.mark.parametrize('text', ["'/home/ann/x'", 'cd /work/main', '(/Users/ann)', '/root/x'])
def test_a_folder_of_a_machine_is_recognised(text: str) -> None:
    assert MACHINE.search(text)


@pytest.mark.parametrize('text', ['https://example.com/home/ann', 'a/work/b', '/homes/x'])
def test_other_paths_are_not_taken_for_one(text: str) -> None:
    assert not MACHINE.search(text)


def test_locks_have_a_hash_for_everything_and_no_address(root: Path) -> None:
    locks = sorted((root / 'requirements').glob('*.lock'))

    assert len(locks) >= 3
    for lock in locks:
        text = lock.read_text()
        assert '://' not in text
        for entry in re.split(r'\n(?=[a-z0-9])', text.strip(), flags=re.IGNORECASE):
            assert re.match(r'[\w.\[\]-]+==\S+', entry), entry
            assert '--hash=sha256:' in entry, entry


def test_make_alone_prints_every_verb(root: Path) -> None:
    make = shutil.which('make')
    assert make
    verbs = re.findall(r'^([a-z-]+):.*## ', (root / 'Makefile').read_text(), re.MULTILINE)

    # Inside `make check` it would also say which folder it enters.
    command = [make, '--no-print-directory']
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603

    assert {'run', 'test', 'test-next', 'check', 'lock'} <= set(verbs)
    assert [line.split()[1] for line in ran.stdout.splitlines()] == verbs


def test_ci_calls_make_check_and_nothing_else(root: Path) -> None:
    script = (root / '.ci' / 'run').read_text().splitlines()
    commands = [line for line in script if line and not line.startswith('#')]

    assert commands == ['set -euo pipefail', 'cd "$(dirname "$0")/.."', 'make check']


class TestOurOwnChecks:
    @pytest.fixture
    def workflow(self, root: Path) -> Path:
        """What every push runs; what holds for all workflows is tested in `tests/pipelines`."""
        return root / '.github' / 'workflows' / 'check.yaml'

    def test_can_only_read(self, workflow: Path) -> None:
        assert yaml.safe_load(workflow.read_text())['permissions'] == {'contents': 'read'}

    def test_runs_make_check(self, workflow: Path) -> None:
        (job,) = yaml.safe_load(workflow.read_text())['jobs'].values()
        *checkout, check = job['steps']

        assert check['run'] == 'make check'
        assert [step['name'] for step in checkout] == ['Check out']
