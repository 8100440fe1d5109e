"""The README's resource compiles to the README's SQL."""

import re
import sys
from pathlib import Path
from typing import Any

import django
import pytest
from django.db import connection

from backstay.resources.plan.plan import make_plan
from backstay.resources.query.asked import Asked
from backstay.resources.query.parameters import read_query
from tests.bookshop import models

README = (Path(__file__).resolve().parents[2] / 'README.md').read_text()


def block(language: str) -> str:
    """The README's only code in a language."""
    (found,) = re.findall(rf'^```{language}\n(.*?)^```', README, re.DOTALL | re.MULTILINE)
    return str(found)


def squeezed(sql: str) -> str:
    """The statement however its lines are broken."""
    return re.sub(r'\s+', '', sql)


@pytest.mark.skipif(django.VERSION >= (6,), reason='the README shows the Django in the lock')
@pytest.mark.skipif(connection.vendor != 'postgresql', reason='the README shows PostgreSQL')
def test_the_resource_of_the_readme_compiles_to_its_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'bookshop', models)
    monkeypatch.setitem(sys.modules, 'bookshop.models', models)
    declared: dict[str, Any] = {'__name__': 'readme'}
    exec(block('python'), declared)  # noqa: S102 our own document
    address = re.search(r'GET /books/\?(\S+)`', README)
    assert address is not None
    asked = dict(each.split('=', 1) for each in address[1].split('&'))

    parameters = {name: [value] for name, value in asked.items()}
    request = Asked(resource=declared['BookResource'], parameters=parameters)
    query = read_query(request)

    assert squeezed(make_plan(request.readable, query.shape, connection).sql) == squeezed(
        block('sql')
    )
