"""What the platform's tests share."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

RunPython = Callable[..., subprocess.CompletedProcess[str]]


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
