"""The plan: one compiled statement for every request of a shape, and the passes that make it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Combinable

from backstay.engine.json_text import JsonArray, JsonValue, Unless
from backstay.engine.pages import Cut, select_all, select_page
from backstay.engine.slots import NUMBER, Slot, bind
from backstay.resources.declaration.readable import Readable
from backstay.resources.plan import rights
from backstay.resources.plan.conditions import condition
from backstay.resources.plan.counts import add_count
from backstay.resources.plan.masks import refuse_costly, resolve_mask
from backstay.resources.plan.nodes import Draft, Selection
from backstay.resources.plan.objects import Patch, json_object, lists, patches
from backstay.resources.plan.order import add_order, cut_page, ordering
from backstay.resources.plan.values import written
from backstay.resources.query.nodes import (
    CursorPage,
    Leaf,
    OffsetPage,
    OneRow,
    Op,
    Page,
    Query,
    Shape,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A compiled statement with open slots, and what is to be done with its rows.

    A row has the JSON of one object, then the count where it is asked for, then the keys of the
    order as a JSON array where the page is cut by cursors; of one object, its version where the
    resource has one that the caller may read.
    """

    sql: str
    #: Parameters, those of open slots being `Parameter`s.
    parameters: tuple[Any, ...]
    counted: bool
    keyed: bool
    versioned: bool
    selection: Selection
    patches: tuple[Patch, ...]
    #: Paths of the lists in a row with their caps, inner ones first.
    lists: tuple[tuple[tuple[str, ...], int], ...]

    def bind(self, query: Query, facts: Mapping[str, Any]) -> tuple[Any, ...]:
        """The parameters of one execution."""
        return bind(self.parameters, query.values, facts)


def restrict_rows(draft: Draft) -> Draft:
    """Start from the rows that the caller may see; of one object, from the one that is asked."""
    rows = rights.rows(draft.readable)
    page = draft.shape.page
    if isinstance(page, OneRow):
        lookup = draft.readable.resource.options.lookup
        is_it = Leaf(field=lookup, op=Op.EQ, slot=page.lookup_slot)
        rows = rows.filter(condition(is_it, draft.readable))
    return replace(draft, rows=rows)


def add_filter(draft: Draft) -> Draft:
    """Leave the rows that the filter lets pass."""
    if draft.rows is None:
        return draft
    return replace(draft, rows=draft.rows.filter(condition(draft.shape.where, draft.readable)))


#: The stages of a plan, in order. Each takes and returns a draft, and may refuse it.
PASSES: tuple[Callable[[Draft], Draft], ...] = (
    resolve_mask,
    refuse_costly,
    restrict_rows,
    add_filter,
    add_count,
    add_order,
    cut_page,
)


def make_plan(readable: Readable, shape: Shape, connection: BaseDatabaseWrapper) -> Plan:
    """The plan of a shape, on the engine of the connection."""
    draft = Draft(readable=readable, shape=shape, page_size=_page_size(readable, shape))
    for apply_pass in PASSES:
        draft = apply_pass(draft)
    return write_sql(draft, connection)


def write_sql(draft: Draft, connection: BaseDatabaseWrapper) -> Plan:
    """Write the JSON of the rows and have Django compile it all to one statement."""
    if draft.selection is None or draft.page is None:
        raise ValueError('the draft has not passed all passes')
    columns: dict[str, Combinable] = {'json_': json_object(draft.selection, connection.vendor)}
    if version := _version(draft):
        columns['version_'] = version
    cut = _cut(draft, connection.vendor)
    if cut.limit is None:
        sql, params = select_all(draft.page, cut, columns, connection)
    else:
        if draft.count is not None:
            columns['json_'] = Unless(models.F('pk'), columns['json_'], otherwise='NULL')
        if _has_cursors(draft.shape.page):
            columns['keys_'] = _keys(draft)
        sql, params = select_page(draft.page, cut, columns, draft.count, connection)
    return Plan(
        sql=sql,
        parameters=tuple(params),
        counted=draft.count is not None,
        keyed='keys_' in columns,
        versioned='version_' in columns,
        selection=draft.selection,
        patches=tuple(patches(draft.selection)),
        lists=tuple(lists(draft.selection)),
    )


def _version(draft: Draft) -> Combinable | None:
    """The version of one object, where the caller may read it."""
    readable = draft.readable
    field = readable.fields.get(readable.resource.options.version)
    if field is None or not isinstance(draft.shape.page, OneRow):
        return None
    shown = rights.where_readable(readable, field.name)
    if isinstance(shown, bool):
        return models.F(field.attname) if shown else None
    return models.Case(models.When(shown, then=models.F(field.attname)))


def _page_size(readable: Readable, shape: Shape) -> int:
    """What a page may hold; the cost must not depend on the limit, which is a value."""
    return 1 if isinstance(shape.page, OneRow) else readable.resource.options.max_page_size


def _cut(draft: Draft, vendor: str) -> Cut:
    order = [ordering(key, vendor) for key in draft.order]
    match draft.shape.page:
        case OffsetPage(limit_slot=limit, offset_slot=offset):
            return Cut(limit=_whole(limit), offset=_whole(offset), order=order)
        case CursorPage(limit_slot=limit):
            return Cut(limit=_whole(limit), order=order)
    return Cut(order=order)


def _has_cursors(page: Page) -> bool:
    return isinstance(page, CursorPage) or (isinstance(page, OffsetPage) and page.is_last)


def _whole(slot: int) -> Slot:
    return Slot(slot, NUMBER)


def _keys(draft: Draft) -> JsonArray:
    keys: Sequence[JsonValue] = [
        JsonValue(key.expression, written(key.field, nullable=key.nullable, is_key=True))
        for key in draft.order
    ]
    return JsonArray(*keys)
