"""Tables of the generated models, made once, and a site of their resources."""

import json
import os
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import clear_url_caches

from backstay.caller import Caller
from backstay.resources import ResourceRouter, view_set_of
from backstay.resources.declaration.registry import _registry
from tests.columns.made import COLUMNS, SAMPLE, Column
from tests.rights.site import AT_ITS_WORD, MADE

#: The share of the columns that is tried: `make prove` sets it, otherwise it is a sample.
_SHARE = float(os.environ.get('PROVE', 0))
CHOSEN = COLUMNS[:: max(1, round(1 / _SHARE))] if _SHARE else SAMPLE

Ask = Callable[..., Any]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if 'column' in metafunc.fixturenames:
        metafunc.parametrize('column', CHOSEN, ids=lambda each: each.name)


@pytest.fixture(scope='package')
def urls(django_db_setup: None, django_db_blocker: Any) -> Iterator[ModuleType]:
    """URLs of the generated resources, which are known, and have tables, for these tests alone."""
    known = dict(_registry)
    router = ResourceRouter()
    for column in CHOSEN:
        router.register(column.prefix, view_set_of(column.resource, **AT_ITS_WORD))
    module: Any = ModuleType('tests.columns.site')
    module.urlpatterns = router.urls
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            for column in CHOSEN:
                editor.create_model(column.model)
        yield module
        with connection.schema_editor() as editor:
            for column in CHOSEN:
                editor.delete_model(column.model)
    _registry.clear()
    _registry.update(known)


@pytest.fixture
def ask(urls: ModuleType, db: None, settings: Any) -> Iterator[Ask]:
    """Ask about the rows of a column: `ask('post', column, '', {...})`."""
    settings.ROOT_URLCONF = urls
    clear_url_caches()
    MADE['columns'] = Caller(kind='account', account_id=1, name='columns')

    def ask(method: str, column: Column, path: str = '', body: Any = None, **headers: str) -> Any:
        return Client(raise_request_exception=False).generic(
            method.upper(),
            f'/{column.prefix}/{path}',
            '' if body is None else json.dumps(body),
            content_type='application/json',
            HTTP_AUTHORIZATION='Caller columns',
            **headers,  # type: ignore[arg-type]
        )

    yield ask
    del MADE['columns']
    clear_url_caches()
