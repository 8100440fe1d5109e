"""What the platform's tests share."""

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest
from django.test import TransactionTestCase
from hypothesis import settings

from tests.emptying import empty_tables
from tests.remembering import remember_urls

ROOT = Path(__file__).resolve().parent.parent

RunPython = Callable[..., subprocess.CompletedProcess[str]]

# How long an example takes, benchmarks measure: a test may run on a busy machine.
settings.register_profile('untimed', deadline=None)
settings.load_profile('untimed')

TransactionTestCase._fixture_teardown = empty_tables
remember_urls()

# All that is imported and collected lives to the end. To look for garbage in it again and again
# took 7 % of the processor time of a run.
gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage again, among what the tests make."""
    gc.freeze()
    gc.enable()


#: What asks no database, or brings its own: it runs once, on SQLite's turn.
ENGINE_FREE = (
    'services/listsum/',
    'tests/events/test_addresses.py',
    'tests/contributing/',
    'tests/operations/test_body_limit.py',
    'tests/operations/test_headers.py',
    'tests/operations/test_logs.py',
    'tests/operations/test_proxies.py',
    'tests/operations/test_run.py',
    'tests/operations/test_serve.py',
    'tests/operations/test_slashes.py',
    'tests/resources/query/',
    'tests/resources/test_checks.py',
    'tests/pipelines/',
    'tests/seeding/test_draws.py',
    'tests/seeding/test_values.py',
    'tests/security/test_asvs.py',
    'tests/security/test_source.py',
    'tests/security/test_threat_model.py',
    'tests/settings/',
    'tests/template/',
    'tests/threads/test_documents.py',
    'tests/test_citations.py',
    'tests/test_codes.py',
    'tests/test_docs.py',
    'tests/test_documents.py',
    'tests/test_house_rules.py',
    'tests/test_openapi_conformance.py',
    'tests/test_public_api.py',
    'tests/test_services.py',
    'tests/testing/test_postgres.py',
    'tests/testing/test_runner.py',
)


def is_engine_free(path: Path) -> bool:
    """Return whether the tests in this file ask no database, or bring their own."""
    return path.relative_to(ROOT).as_posix().startswith(ENGINE_FREE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out, where they are not wanted, even the import of tests that ask no database."""
    unwanted = config.option.markexpr == 'not engine_free'
    return True if unwanted and is_engine_free(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks no database, or only that of a site which it starts."""
    for item in items:
        fixtures = getattr(item, 'fixturenames', ())
        if is_engine_free(item.path) or ('start_site' in fixtures and 'db' not in fixtures):
            item.add_marker(pytest.mark.engine_free)


@pytest.fixture(scope='session')
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope='session')
def run_python() -> RunPython:
    """Runs this Python with arguments, in the checkout unless told otherwise.

    Variables given by name are added to the environment; a variable given as None is removed.
    """

    def run(
        *arguments: str, cwd: Path = ROOT, timeout: float = 60, **variables: str | None
    ) -> subprocess.CompletedProcess[str]:
        merged = {**os.environ, **variables}
        return subprocess.run(  # noqa: S603 our own interpreter and arguments
            [sys.executable, *arguments],
            cwd=cwd,
            env={name: value for name, value in merged.items() if value is not None},
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return run


@pytest.fixture
def write_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., dict[str, str]]]:
    """Writes a package with a service of this name and prefixes; gives `find` its modules."""
    monkeypatch.syspath_prepend(tmp_path)
    packages = []

    def write(name: str, *prefixes: str, more: str = '') -> dict[str, str]:
        package = f'made_{name}'
        packages.append(package)
        (tmp_path / package).mkdir()
        (tmp_path / package / '__init__.py').write_text('')
        (tmp_path / package / 'urls.py').write_text(_URLS)
        urls = dict.fromkeys(prefixes, f'{package}.urls')
        (tmp_path / package / 'service.py').write_text(
            'from backstay.services import Service\n'
            f'service = Service(name={name!r}, title={name!r}, apps=(), urls={urls!r}, {more})\n'
        )
        return {name: package}

    yield write
    for module in list(sys.modules):
        if module.split('.')[0] in packages:
            del sys.modules[module]


_URLS = """
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response


@extend_schema(responses=str)
@api_view()
def show(request, rest):
    return Response(rest)


urlpatterns = [path('<path:rest>', show)]
"""


@pytest.fixture
def check_workflows(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`make workflows` as a module."""
    monkeypatch.setattr(sys, 'dont_write_bytecode', True)
    loader = SourceFileLoader('check_workflows', str(root / '.ci' / 'check-workflows'))
    spec = spec_from_loader('check_workflows', loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module
