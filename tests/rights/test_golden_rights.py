"""The exact SQL of rights, on both engines; no database is asked.

    REWRITE_GOLDEN_SQL=1 python -m pytest tests/rights/test_golden_rights.py

writes the files anew. Review what changed in them like code.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from backstay.caller import GUEST, Caller
from backstay.resources import Resource
from backstay.resources.declaration.readable import Readable
from backstay.resources.plan.plan import make_plan
from tests.resources.test_golden_sql import ENGINES, LOCKED, broken, shown
from tests.rights.asking import query_of
from tests.rights.callers import CALLERS
from tests.rights.resources import (
    HouseResource,
    IssueResource,
    LandResource,
    OpinionResource,
    PrintingResource,
    TextResource,
    VerdictResource,
    WorkResource,
    WriterResource,
)

pytestmark = LOCKED

_GOLDEN = Path(__file__).parent / 'golden'
_BOB, _ROOT, _KEY = CALLERS['operator'], CALLERS['root'], CALLERS['key']
_STARS = {'field': 'stars', 'op': '>', 'value': 3}

CASES: dict[str, tuple[type[Resource], Caller, dict[str, Any]]] = {
    'rows_by_a_constant': (WorkResource, GUEST, {'mask': 'id,title'}),
    'rows_by_a_scope': (OpinionResource, _KEY, {'mask': 'id,stars'}),
    'rows_by_the_caller': (WriterResource, CALLERS['customer'], {'mask': 'id,name'}),
    'rows_by_a_list': (LandResource, _BOB, {'mask': 'code'}),
    'rows_of_a_complement': (LandResource, CALLERS['customer'], {'mask': 'code'}),
    'rows_of_who_may_see_all': (HouseResource, _ROOT, {'mask': 'id,name'}),
    'fields_by_grant': (OpinionResource, _BOB, {'mask': 'id,stars,text'}),
    'relations_by_grant': (PrintingResource, _KEY, {'mask': 'isbn,opinions{stars},stock'}),
    'one_that_may_be_hidden': (HouseResource, _BOB, {'mask': 'name,country{name}'}),
    'filter_of_a_guarded_field': (
        OpinionResource,
        _BOB,
        {'mask': 'id', 'filter': {'not': [{'field': 'text', 'value': 'x'}]}},
    ),
    'filter_of_a_relation': (
        PrintingResource,
        _KEY,
        {'mask': 'id', 'filter': {'none': {'model': 'Opinion', 'where': [_STARS]}}},
    ),
    'order_of_a_guarded_field': (IssueResource, GUEST, {'mask': 'id', 'sort': 'rating'}),
    'order_of_one_that_may_be_hidden': (
        VerdictResource,
        _KEY,
        {'mask': 'id', 'sort': 'copy.stock'},
    ),
    'count_of_what_is_seen': (WorkResource, GUEST, {'mask': 'id', 'count': 'exact'}),
    'count_of_what_a_filter_settles': (
        HouseResource,
        _BOB,
        {'mask': '{}', 'count': 'exact', 'filter': {'field': 'id', 'value': 1}},
    ),
    'filter_of_a_computed_field': (
        TextResource,
        GUEST,
        {'mask': '{}', 'filter': {'field': 'double_price', 'op': '>', 'value': 1}},
    ),
}


@pytest.mark.parametrize('engine', ENGINES)
@pytest.mark.parametrize('name', CASES)
def test_the_sql_is_what_was_reviewed(name: str, engine: str) -> None:
    resource, caller, options = CASES[name]
    query = query_of(resource, caller, **options)
    plan = make_plan(Readable(resource, caller.standing()), query.shape, ENGINES[engine])
    text = f'{broken(plan.sql)}\n-- {shown(plan.parameters)}\n'
    path = _GOLDEN / engine / f'{name}.sql'
    if os.environ.get('REWRITE_GOLDEN_SQL'):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def test_every_golden_file_belongs_to_a_case() -> None:
    files = {(path.parent.name, path.stem) for path in _GOLDEN.rglob('*.sql')}

    assert files == {(engine, name) for engine in ENGINES for name in CASES}
