"""What the package promises to those who import it."""

import re
import tomllib
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import backstay

#: Modules that must be importable before Django is configured: settings are made with them.
WITHOUT_SETTINGS = [
    'backstay',
    'backstay.cli',
    'backstay.errors',
    'backstay.services',
    'backstay.settings',
    'backstay.testing',
    'backstay.testing.plugin',
    'backstay.testing.postgres',
]


#: What services, the template and the examples of the documents may import.
FACES = [
    'backstay',
    'backstay.caller',
    'backstay.contributing',
    'backstay.errors',
    'backstay.events',
    'backstay.identity',
    'backstay.journal',
    'backstay.operations',
    'backstay.payloads',
    'backstay.resources',
    'backstay.seeding',
    'backstay.services',
    'backstay.settings',
    'backstay.tasks',
    'backstay.testing',
]


def modules_of(package: Path) -> list[str]:
    """The dotted names of all modules below a package; what the template copies is none of it."""
    template = package / 'template' / 'service'
    files = sorted(file for file in package.rglob('*.py') if template not in file.parents)
    names = ['.'.join(file.relative_to(package.parent).with_suffix('').parts) for file in files]
    return [name.removesuffix('.__init__') for name in names if not name.endswith('.__main__')]


MODULES = modules_of(Path(backstay.__file__).parent)


@pytest.mark.parametrize('module', WITHOUT_SETTINGS)
def test_needs_no_settings_to_be_imported(module: str, run_python: Any, tmp_path: Path) -> None:
    code = (
        f'import {module}; from django.conf import settings; raise SystemExit(settings.configured)'
    )

    ran = run_python('-W', 'error', '-c', code, cwd=tmp_path, ENV=None, DJANGO_SETTINGS_MODULE=None)

    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize('module', MODULES)
def test_every_module_can_be_imported(module: str) -> None:
    assert (
        import_module(module).__doc__ is not None
        or '.migrations' in module
        or ('.management' in module)
    )


@pytest.mark.parametrize('module', MODULES)
def test_what_is_exported_exists_and_is_named_once(module: str) -> None:
    imported = import_module(module)
    exported = getattr(imported, '__all__', [])

    assert len(set(exported)) == len(exported)  # ruff sorts them (RUF022)
    assert [name for name in exported if not hasattr(imported, name)] == []


def test_the_version_is_that_of_the_distribution(root: Path) -> None:
    declared = tomllib.loads((root / 'pyproject.toml').read_text())['project']['version']

    assert backstay.__version__ == declared == version('backstay')


def test_types_are_shipped(root: Path) -> None:
    assert (root / 'src' / 'backstay' / 'py.typed').exists()


@pytest.mark.parametrize('face', FACES[1:])
def test_a_face_exports_its_names_and_imports_them_by_itself(face: str) -> None:
    imported = import_module(face)

    assert imported.__all__
    for name in imported.__all__:
        assert not isinstance(getattr(imported, name), ModuleType), name


_IMPORT = re.compile(r'^ *(?:from (backstay[\w.]*) import|import (backstay[\w.]*))', re.MULTILINE)


def test_the_template_and_the_documents_import_faces_alone(root: Path) -> None:
    template = root / 'src' / 'backstay' / 'template' / 'service'
    texts = [
        *(file for file in template.rglob('*') if file.suffix in ('.py', '.jinja')),
        *(root / 'docs').rglob('*.md'),
        root / 'README.md',
    ]
    # This page is for work inside of the package, where a kind of value belongs.
    texts.remove(root / 'docs' / 'how-to' / 'extend-the-core.md')
    found = {
        (file.relative_to(root).as_posix(), module)
        for file in texts
        for match in _IMPORT.findall(file.read_text())
        if (module := ''.join(match)) not in FACES
    }

    assert found == set()
