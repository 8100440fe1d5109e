"""The pages on writes: their examples are run, their tables are compared with what there is."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.management.color import no_style
from django.db import connection
from django.test import Client

from backstay.caller import Caller, Held
from backstay.errors import MAX_FAULTS, phrase_of
from backstay.resources import Hooks
from backstay.resources.http import writes
from backstay.resources.write.change import Change
from backstay.resources.write.children import MAX_CHILD_DEPTH, MAX_WRITTEN_ROWS
from tests.lending import models
from tests.rights.site import AT_ITS_WORD, MADE

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / 'docs'
WRITES = (DOCS / 'reference' / 'writes.md').read_text()
ERRORS = (DOCS / 'reference' / 'errors.md').read_text()
RESOURCES = (DOCS / 'reference' / 'resources.md').read_text()
PAGES = ('reference/writes.md', 'how-to/bulk.md', 'how-to/safe-retries.md')


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf'^```{language}\n(.*?)^```', text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope='module')
def library() -> Iterator[ModuleType]:
    """The site that the page of reference declares."""
    package, site = ModuleType('library'), ModuleType('tests.writes.documented')
    sys.modules |= {'library': package, 'library.models': models, site.__name__: site}
    exec(blocks(WRITES, 'python')[0], site.__dict__)  # noqa: S102 our own document
    for _prefix, view_set, _name in site.router.registry:
        view_set.authentication_classes = AT_ITS_WORD['authentication_classes']
    yield site
    for name in ('library', 'library.models', site.__name__):
        del sys.modules[name]


@pytest.fixture
def manager(db: None, settings: Any, library: ModuleType) -> Iterator[None]:
    """Who asks in the examples, and what there is; keys begin at 1."""
    settings.ROOT_URLCONF = library.__name__
    tables = [models.Branch, models.Item, models.Keyword, models.Note]
    starts = [{'table': each._meta.db_table, 'column': 'id'} for each in tables]
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_by_name_sql(no_style(), starts):
            cursor.execute(sql)
    branch = models.Branch.objects.create(name='North')
    models.Keyword.objects.create(word='maps')
    held = Held(over='branches', id=branch.pk, level=3)
    MADE['documented'] = Caller(kind='account', account_id=1, name='manager', scopes=(held,))
    yield
    del MADE['documented']


@pytest.mark.parametrize('page', PAGES)
@pytest.mark.usefixtures('manager')
def test_the_examples_answer_what_the_page_shows(page: str) -> None:
    exchanges = blocks((DOCS / page).read_text(), 'http')
    assert len(exchanges) >= 6
    for request, answer in zip(exchanges[::2], exchanges[1::2], strict=True):
        compare(send(request), answer)


def send(request: str) -> Any:
    head, _, body = request.partition('\n\n')
    first, *lines = head.splitlines()
    method, path = first.split(' ', 1)
    headers = dict(line.split(': ', 1) for line in lines)
    content_type = headers.pop('Content-Type', '')
    headers['Authorization'] = 'Caller documented'
    client = Client()
    return client.generic(method, path, body.strip(), content_type=content_type, headers=headers)


def compare(response: Any, shown: str) -> None:
    head, _, body = shown.partition('\n\n')
    first, *lines = head.splitlines()
    assert first == f'HTTP/1.1 {response.status_code} {phrase_of(response.status_code)}', (
        response.content
    )
    for line in lines:
        name, value = line.split(': ', 1)
        assert re.fullmatch(re.escape(value).replace('…', '[0-9a-f]+'), response[name]), line
    if body.strip():
        told = response.json()
        for name in ('instance', 'request_id'):
            told.pop(name, None)
        assert told == json.loads(body)
    else:
        assert response.content == b''


def section(page: str, heading: str) -> str:
    return page.partition(f'\n## {heading}\n')[2].partition('\n## ')[0]


def test_every_endpoint_is_described() -> None:
    for path in ('items/`', 'items/<lookup>/`', 'items/<lookup>/restore/`', 'items/bulk/`'):
        assert path in WRITES
    for name in writes.actions(_everything()):
        method = {'create': 'POST', 'destroy': 'DELETE', 'update': 'PUT'}.get(name)
        assert method is None or method in WRITES


def _everything() -> Any:
    from tests.lending.resources import ItemResource

    return ItemResource


def test_every_kind_of_hook_and_what_it_sees_is_described() -> None:
    hooks = section(WRITES, 'Hooks')
    for name in Hooks.__dataclass_fields__:
        assert f'| `{name}` |' in hooks
    for name in re.findall(r'^\| `(\w+)', hooks.partition('| of a change |')[2], re.MULTILINE):
        assert hasattr(Change, name)


def test_the_limits_are_those_of_the_code() -> None:
    limits = section(WRITES, 'Limits')
    assert f'{MAX_WRITTEN_ROWS:,}'.replace(',', ' ') in limits
    assert f'| relations below the row | {MAX_CHILD_DEPTH},' in limits
    assert f'| faults that are told | {MAX_FAULTS} |' in limits
    assert f'bulk {writes._BULK_BODY // 2**20} MiB' in limits


def test_every_option_about_writes_stands_in_the_table_of_options() -> None:
    named = set(re.findall(r'`Meta\.(\w+)', WRITES))
    assert {'version', 'soft_delete', 'natural_key', 'put', 'sensitive', 'tenant'} <= named
    described = set(re.findall(r'^\| `(\w+)` \|', section(RESOURCES, 'Meta'), re.MULTILINE))
    assert named - {'fields'} <= described


#: Codes of a fault inside of `errors`, and no codes of problems.
OF_FAULTS = {'invalid', 'row-twice', 'required', 'too-deep'}
CODE = re.compile(r"\bcode ?= ?'([a-z]+(?:-[a-z]+)*)'")
ROW = re.compile(r'^\| (?:\d{3} \| )?`([a-z]+(?:-[a-z]+)*)` \|', re.MULTILINE)


def codes_of(*parts: str) -> set[str]:
    """Every code of a problem that some part of the package answers."""
    files = (file for part in parts for file in (ROOT / 'src' / 'backstay' / part).rglob('*.py'))
    return {code for file in files for code in CODE.findall(file.read_text())} - OF_FAULTS


def test_every_code_of_a_write_is_in_the_page_of_errors() -> None:
    listed = {*ROW.findall(ERRORS)}
    ours = codes_of('resources/write', 'resources/http')
    assert 'idempotency-key-missing' in ours
    assert ours | {'bulk-refused', 'reference-not-found'} <= listed


def test_every_code_is_in_some_page() -> None:
    pages = (
        ERRORS,
        *((DOCS / 'reference' / name).read_text() for name in ('queries.md', 'identity.md')),
    )
    listed = {code for page in pages for code in ROW.findall(page)}
    # The admin's own question for a second factor is a page, and no API.
    assert codes_of('resources', 'identity', 'operations') - {'second-factor'} <= listed


def test_the_document_tells_no_code_that_the_pages_do_not() -> None:
    from tests.writes.test_openapi import MANAGER, codes

    listed = {*ROW.findall(ERRORS), *ROW.findall((DOCS / 'reference' / 'queries.md').read_text())}
    for path, operations in MANAGER['paths'].items():
        for method in {'post', 'put', 'patch', 'delete'} & operations.keys():
            for status in operations[method]['responses']:
                if status.isdigit() and int(status) >= 400:
                    assert {*codes(MANAGER, method, path, int(status))} <= listed
