"""What this repository promises of its own files."""

import ast
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
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


class TestTheShapeOfTheCode:
    """Figures that may only fall. Each says where it is to come to."""

    #: `noqa` and `type: ignore` in every Python file.
    MAX_SUPPRESSIONS = 283
    #: Of the package's functions, those that are private and used once.
    MAX_USED_ONCE = 0.18
    #: Names that two classes have.
    SHARED_NAMES: frozenset[str] = frozenset()

    def test_no_more_warnings_are_silenced(self, root: Path) -> None:
        found = lines_with(SUPPRESSION, root)
        assert len([line for line in found if '.py:' in line]) <= self.MAX_SUPPRESSIONS

    def test_few_functions_are_private_and_used_once(self, root: Path) -> None:
        functions = list(_functions(root))
        once = [f'{module}: {name}' for module, name, uses in functions if _is_a_jump(name, uses)]
        assert len(once) / len(functions) <= self.MAX_USED_ONCE, once

    def test_no_two_classes_have_one_name(self, root: Path) -> None:
        places: dict[str, list[str]] = defaultdict(list)
        for module, tree in _modules(root).items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(module)
        shared = {name for name, where in places.items() if len(where) > 1}
        assert shared - NAMED_BY_DJANGO <= self.SHARED_NAMES, {n: places[n] for n in shared}

    def test_packages_do_not_import_each_other_in_a_circle(self, root: Path) -> None:
        imported: dict[str, set[str]] = defaultdict(set)
        modules = _modules(root)
        for module, tree in modules.items():
            for name in _imports(tree, modules):
                imported[_floor(module)].add(_floor(name))
        graph = {floor: others - {floor, ''} for floor, others in imported.items()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            pytest.fail(' -> '.join(error.args[1]))


SUPPRESSION = re.compile(r'#\s*(noqa|type:\s*ignore)')
#: Every declaration, command and migration of Django has such a class.
NAMED_BY_DJANGO = {'Command', 'Meta', 'Migration'}
#: Modules of a package that stand above it: they join what is below to the site.
ABOVE = {'admin', 'apps', 'management', 'resources', 'site', 'urls', 'views'}


@cache
def _modules(root: Path) -> dict[str, ast.Module]:
    """Return the modules of the package by their dotted names, without `backstay.`."""
    package = root / 'src' / 'backstay'
    found = {}
    for file in package.rglob('*.py'):
        parts = file.relative_to(package).with_suffix('').parts
        name = '.'.join(part for part in parts if part != '__init__')
        found[name] = ast.parse(file.read_text())
    return found


def _functions(root: Path) -> Iterator[tuple[str, str, int]]:
    """Each function: its module, its name, and how often the module says that name."""
    for module, tree in _modules(root).items():
        if 'migrations' in module.split('.'):
            continue
        nodes = list(ast.walk(tree))
        said = Counter(node.id for node in nodes if isinstance(node, ast.Name))
        said.update(node.attr for node in nodes if isinstance(node, ast.Attribute))
        for node in nodes:
            if isinstance(node, ast.FunctionDef):
                yield module, node.name, said[node.name]


def _is_a_jump(name: str, uses: int) -> bool:
    return name.startswith('_') and not name.startswith('__') and uses == 1


def _imports(tree: ast.AST, modules: dict[str, ast.Module]) -> Iterator[str]:
    """Return what a module of the package imports of it when it is loaded."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id='TYPE_CHECKING')) | ast.FunctionDef():
                continue
            case ast.ImportFrom(module=str(module)) if module.split('.')[0] == 'backstay':
                within = module.removeprefix('backstay').strip('.')
                for alias in node.names:
                    name = f'{within}.{alias.name}'.strip('.')
                    yield name if name in modules else within
            case _:
                yield from _imports(node, modules)


def _floor(module: str) -> str:
    """Return the package that a module belongs to; inside `resources`, the layer.

    `journal.models` stands on `journal`, `journal.admin` on `journal.admin`, and
    `resources.plan.cache` on `resources.plan`.
    """
    first, *rest = module.split('.')
    if rest and (first == 'resources' or rest[0] in ABOVE):
        return f'{first}.{rest[0]}'
    return first
