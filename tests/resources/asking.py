"""Asking a resource as a request does, without HTTP: read, plan, run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from backstay.resources import Resource
from backstay.resources.declaration.readable import Readable
from backstay.resources.execute import run
from backstay.resources.plan.plan import Plan, make_plan
from backstay.resources.query.filters import parse_filter
from backstay.resources.query.json_text import load_json
from backstay.resources.query.mask import parse
from backstay.resources.query.nodes import (
    AllRows,
    Condition,
    CountMode,
    CursorPage,
    OffsetPage,
    OneRow,
    Page,
    Query,
    Shape,
)
from backstay.resources.query.order import parse_order

FACTS: Mapping[str, Any] = {'origin': 'https://shop.test'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: objects as JSON has them, and what a page knows beside them."""

    texts: tuple[str, ...]
    count: int | None = None
    keys: tuple[tuple[Any, ...], ...] = ()
    truncated: tuple[str, ...] = ()

    @property
    def objects(self) -> list[Any]:
        return [json.loads(text) for text in self.texts]

    def values(self, name: str = 'id') -> list[Any]:
        """One member of every object."""
        return [each[name] for each in self.objects]


def query_of(
    resource: type[Resource],
    mask: str | None = None,
    *,
    filter: Any = (),  # noqa: A002 the word of the API
    sort: Any = '',
    limit: int | None = 100,
    offset: int = 0,
    count: CountMode = 'none',
    one: Any = None,
    after: Sequence[Any] | None = None,
    before: Sequence[Any] | None = None,
    cursor: bool = False,
) -> Query:
    """A query. `one` asks for one object, `cursor`, `after` and `before` for a page by position."""
    readable = Readable(resource)
    values: list[Any] = []
    where = parse_filter(
        load_json(json.dumps([*filter] if filter == () else filter)), readable, values
    )
    page: Page
    if one is not None:
        page = OneRow(lookup_slot=_slot(values, one))
    elif cursor or after is not None or before is not None:
        page = _cursor_page(values, limit, after, before)
    elif limit is None:
        page = AllRows()
    else:
        page = OffsetPage(limit_slot=_slot(values, limit), offset_slot=_slot(values, offset))
    shape = Shape(
        mask=None if mask is None else parse(mask),
        where=where,
        order=() if one is not None else parse_order(sort, readable),
        page=page,
        count=count,
    )
    return Query(shape=shape, values=tuple(values))


def plan_of(
    resource: type[Resource], query: Query, using: BaseDatabaseWrapper = connection
) -> Plan:
    """The plan of a query, compiled anew."""
    return make_plan(Readable(resource), query.shape, using)


def answer_to(resource: type[Resource], query: Query, timeout: float | None = None) -> Answer:
    """The answer to a query that is already made."""
    rows = run(plan_of(resource, query), query, FACTS, timeout=timeout)
    return Answer(
        texts=tuple(each.decode() for each in rows.objects),
        count=rows.count,
        keys=tuple(tuple(json.loads(each)) for each in rows.keys),
        truncated=tuple(f'/{at}{pointer}' for at, pointer in rows.truncated),
    )


def ask(resource: type[Resource], mask: str | None = None, **options: Any) -> Answer:
    """The answer to a query, made as `query_of` says."""
    return answer_to(resource, query_of(resource, mask, **options))


def ask_where(
    resource: type[Resource], where: Condition, *values: Any, mask: str = 'id'
) -> list[Any]:
    """The objects under a condition, by primary key: also for what no request can spell."""
    page = OffsetPage(limit_slot=len(values), offset_slot=len(values) + 1)
    order = parse_order('id', Readable(resource))
    shape = Shape(mask=parse(mask), where=where, order=order, page=page)
    return answer_to(resource, Query(shape=shape, values=(*values, 1_000, 0))).objects


def _cursor_page(
    values: list[Any],
    limit: int | None,
    after: Sequence[Any] | None,
    before: Sequence[Any] | None,
) -> CursorPage:
    limit_slot = _slot(values, limit)
    keys = before if before is not None else after or ()
    slots = tuple(None if key is None else _slot(values, key) for key in keys)
    return CursorPage(limit_slot=limit_slot, key_slots=slots, backwards=before is not None)


def _slot(values: list[Any], value: Any) -> int:
    values.append(value)
    return len(values) - 1
