"""`backstay check`: everything that can be known before a release, told in one run."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.checks import Error, register, registry
from django.core.management import CommandError, call_command
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.views import APIView

pytestmark = pytest.mark.django_db


class Undescribed(APIView):
    """drf-spectacular cannot tell what it answers."""

    def get(self, _: Any) -> Any:
        """Nothing."""


class Misdescribed(APIView):
    """Its description is not OpenAPI."""

    @extend_schema(operation={'operationId': 'it', 'summary': 5, 'responses': {}})
    def get(self, _: Any) -> Any:
        """Nothing."""


urlpatterns = [path('undescribed/', Undescribed.as_view())]
misdescribed = ModuleType('misdescribed')
misdescribed.urlpatterns = [path('misdescribed/', Misdescribed.as_view())]  # type: ignore[attr-defined]


def check(*arguments: str) -> tuple[str, str]:
    """What it tells, and what it tells of mistakes."""
    told, mistakes = io.StringIO(), io.StringIO()
    try:
        call_command('check', *arguments, stdout=told, stderr=mistakes)
    except CommandError as error:
        mistakes.write(str(error))
    return told.getvalue(), mistakes.getvalue()


@pytest.fixture
def _wrong_system() -> Iterator[None]:
    """A check of Django that fails."""

    def complain(**_: Any) -> list[Error]:
        return [Error('The wind is wrong.', id='sample.E001')]

    register(complain, 'sample')
    yield
    registry.registry.registered_checks.discard(complain)  # type: ignore[arg-type]


@pytest.fixture
def _no_migration(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An app whose models have no migration."""
    (tmp_path / 'nothing_written').mkdir()
    (tmp_path / 'nothing_written' / '__init__.py').touch()
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {'operations': 'nothing_written'}
    yield
    sys.modules.pop('nothing_written', None)


def test_a_site_without_mistakes_passes() -> None:
    told, mistakes = check()
    assert told.splitlines()[-3:] == ['system: ok', 'migrations: ok', 'openapi: ok']
    assert mistakes == ''


@pytest.mark.usefixtures('_wrong_system', '_no_migration')
def test_every_mistake_is_told_in_one_run_which_fails_once(
    settings: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """L58."""
    settings.ROOT_URLCONF = __name__
    told, mistakes = check()
    assert 'ok' not in told
    assert '(sample.E001) The wind is wrong.' in mistakes
    assert 'Create model DemoLoad' in mistakes
    assert 'Write them: backstay makemigrations' in mistakes
    assert 'undescribed' in capfd.readouterr().err.lower()
    assert mistakes.endswith('failed: system, migrations, openapi')


def test_a_document_that_is_not_openapi_is_a_mistake_with_its_place(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'misdescribed', misdescribed)
    settings.ROOT_URLCONF = 'misdescribed'
    mistakes = check()[1].splitlines()
    assert mistakes[0].startswith('openapi: $.paths')
    assert mistakes[0].endswith("5 is not of type 'string'")


@pytest.mark.usefixtures('_wrong_system', '_no_migration')
def test_who_chooses_among_the_checks_gets_those_alone() -> None:
    assert check('--tag', 'sample')[1].startswith('SystemCheckError')
    assert check('--tag', 'urls') == ('System check identified no issues (0 silenced).\n', '')
    assert check('operations')[1].startswith('SystemCheckError')
    assert 'sample' in check('--list-tags')[0].split()
