"""Asking a resource as a caller does, without HTTP: read, plan, run."""

import json
from typing import Any

from django.db import connection
from django.db.backends.sqlite3.base import Database

from backstay.caller import Caller, Facts
from backstay.resources import Resource
from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import QueryTooDeep
from backstay.resources.execute import Rows, run
from backstay.resources.plan.cache import plans
from backstay.resources.plan.plan import Plan
from backstay.resources.query.filters import parse_filter
from backstay.resources.query.mask import parse
from backstay.resources.query.nodes import CountMode, CursorPage, OffsetPage, Page, Query, Shape
from backstay.resources.query.order import parse_order

ORIGIN = 'https://shop.test'


def query_of(
    resource: type[Resource],
    caller: Caller,
    mask: str | None = None,
    *,
    filter: Any = (),  # noqa: A002 the word of the API
    sort: Any = '',
    limit: int = 1_000,
    count: CountMode = 'none',
    cursor: bool = False,
) -> Query:
    """What the caller asks of the resource."""
    readable = Readable(resource, caller.standing())
    values: list[Any] = []
    where = parse_filter([*filter] if filter == () else filter, readable, values)
    page: Page = CursorPage(limit_slot=len(values))
    values.append(limit)
    if not cursor:
        page = OffsetPage(limit_slot=len(values) - 1, offset_slot=len(values))
        values.append(0)
    shape = Shape(
        mask=None if mask is None else parse(mask),
        where=where,
        order=parse_order(sort, readable),
        page=page,
        count=count,
    )
    return Query(shape=shape, values=tuple(values))


def plan_of(resource: type[Resource], caller: Caller, query: Query) -> Plan:
    """The plan of a query for callers of this standing."""
    return plans.plan(Readable(resource, caller.standing()), query.shape, connection)


def ask(resource: type[Resource], caller: Caller, mask: str | None = None, **options: Any) -> Rows:
    """The answer."""
    query = query_of(resource, caller, mask, **options)
    return run(plan_of(resource, caller, query), query, Facts(caller, ORIGIN))


def ask_if_readable(
    resource: type[Resource], caller: Caller, mask: str | None = None, **options: Any
) -> Rows | None:
    """The answer; None where SQLite before 3.46 does not read a statement nested so deep."""
    try:
        return ask(resource, caller, mask, **options)
    except QueryTooDeep:
        if connection.vendor == 'sqlite' and Database.sqlite_version_info < (3, 46):
            return None
        raise


def objects(rows: Rows) -> list[Any]:
    """The objects of an answer."""
    return [json.loads(each) for each in rows.objects]
