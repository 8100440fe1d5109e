"""The pages on resources and queries: their examples are run, their tables are compared."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.test import Client

from backstay.resources import checks, errors, kinds
from backstay.resources.declaration.resource import Options
from backstay.resources.kinds.operators import SPELLINGS
from backstay.resources.management.commands.explain import Command
from backstay.resources.query.lookups import _OPERATORS as LOOKUPS

DOCS = Path(__file__).resolve().parents[3] / 'docs'
RESOURCES = (DOCS / 'reference' / 'resources.md').read_text()
QUERIES = (DOCS / 'reference' / 'queries.md').read_text()
ERRORS = (DOCS / 'reference' / 'errors.md').read_text()
EXPLAIN = (DOCS / 'how-to' / 'explain-a-read.md').read_text()


def examples() -> Iterator[Any]:
    """Each request of the page with the answer below it, where it shows one."""
    blocks = re.findall(
        r'^```http\n(.*?)^```\n(?:\n```(json|csv)\n(.*?)^```)?', QUERIES, re.DOTALL | re.MULTILINE
    )
    for request, kind, answer in blocks:
        yield pytest.param(request, kind, answer, id=request.splitlines()[0][:60])


@pytest.mark.parametrize(('request_text', 'kind', 'shown'), list(examples()))
@pytest.mark.usefixtures('products')
def test_an_example_answers_what_the_page_shows(request_text: str, kind: str, shown: str) -> None:
    head, _, body = request_text.partition('\n\n')
    first, *header_lines = head.splitlines()
    method, path = first.split(' ', 1)
    headers = dict(line.split(': ', 1) for line in header_lines)

    response = Client().generic(
        method,
        path,
        body.strip(),
        content_type=headers.pop('Content-Type', 'application/octet-stream'),
        headers=headers,
    )

    if kind == 'csv':
        assert response.getvalue().decode() == shown.replace('\n', '\r\n')
    elif kind == 'json':
        assert told(response.json()) == json.loads(shown)
    else:
        assert response.status_code == 200


def told(body: dict[str, Any]) -> dict[str, Any]:
    """A body without what is another in every request."""
    return {name: each for name, each in body.items() if name not in ('instance', 'request_id')}


def test_the_page_of_queries_has_examples() -> None:
    assert len(list(examples())) >= 8


def first_column(page: str, heading: str) -> list[str]:
    """The code in the first column of the table under a heading."""
    section = page.partition(f'\n## {heading}\n')[2].partition('\n## ')[0]
    return re.findall(r'^\| `([^`]+)`', section, re.MULTILINE)


def test_every_option_of_meta_is_described() -> None:
    known = {*Options.__dataclass_fields__, 'fields', 'filterable', 'orderable'}

    assert set(first_column(RESOURCES, 'Meta')) == known


def test_every_type_of_column_is_described() -> None:
    section = RESOURCES.partition('\n## Columns\n')[2].partition('\n## ')[0]
    described = set(re.findall(r'`(\w+Field)`', section))

    # Those that stand for others: BigIntegerField is one of IntegerField's kin.
    assert {
        column.__name__
        for kind in kinds.KINDS
        for column in kind.columns
        if column.__module__.startswith('django.')
    } - {'BigIntegerField'} <= described


def test_every_check_is_described() -> None:
    source = Path(checks.__file__).read_text()
    numbers = {f'backstay.{number}' for number in re.findall(r"'(E\d{3})'", source)}
    described = set(first_column(RESOURCES, 'Checks'))

    assert {number for number in numbers if number < 'backstay.E04'} <= described


def test_every_code_is_described() -> None:
    codes = {
        each.code
        for each in vars(errors).values()
        if isinstance(each, type)
        and issubclass(each, errors.Problem)
        and each is not errors.Problem
    }
    rows = re.findall(r'^\| (\d{3}) \| `([a-z-]+)`', ERRORS, re.MULTILINE)

    assert codes <= {code for _, code in rows}


def test_every_operator_is_described() -> None:
    operators = QUERIES.partition('### Operators')[2].partition('### Structure')[0]
    spelled = set(re.findall(r'[`, ]([a-z_]+|[=!<>]=?)[`,]', operators.replace('`', '``')))

    assert set(SPELLINGS) <= spelled
    for lookup in set(LOOKUPS) - {'exact'}:
        assert f'__{lookup}' in operators


def test_every_option_of_the_command_is_described() -> None:
    parser = Command().create_parser('backstay', 'explain')
    own = {
        option
        for each in parser._actions
        for option in each.option_strings
        if option.startswith('--')
    }
    common = {
        option
        for each in load_command_class(get_commands()['check'], 'check')
        .create_parser('backstay', 'check')
        ._actions
        for option in each.option_strings
    }

    described = set(re.findall(r'`(--[a-z]+)', EXPLAIN))
    assert own - common - {'--database'} <= described
