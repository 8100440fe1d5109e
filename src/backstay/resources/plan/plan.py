"""The plan: one compiled statement for every request of a shape, and the passes that make it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Combinable

from backstay.engine import engine_of
from backstay.engine.json_text import JsonArray, Unless
from backstay.engine.pages import NOT_COUNTED, Cut, select_all, select_page
from backstay.engine.slots import bind
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.plan import rights
from backstay.resources.plan.conditions import condition
from backstay.resources.plan.counts import count_rows
from backstay.resources.plan.masks import refuse_costly, resolve_mask
from backstay.resources.plan.objects import NestedList, Patch, json_object, lists, patches
from backstay.resources.plan.order import add_order, cut_page, ordering
from backstay.resources.plan.reached import reached
from backstay.resources.plan.stages import FilteredRows, PageRows, Selection, VisibleRows
from backstay.resources.plan.values import json_value
from backstay.resources.query.nodes import Leaf, OneRow, Op, Page, Query, Shape


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
    #: The lists in a row, outer ones first.
    lists: tuple[NestedList, ...]
    #: The resources that it touches and whose reads are recorded.
    audited: frozenset[type[Resource]]

    def bind(self, query: Query, facts: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the parameters of one execution."""
        return bind(self.parameters, query.values, facts)


def make_plan(readable: Readable, shape: Shape, connection: BaseDatabaseWrapper) -> Plan:
    """Return the plan of a shape, compiled for the engine of the connection.

    Raises a Problem where the mask does not fit the resource or would read too many rows.
    """
    selection = resolve_mask(readable, shape)
    refuse_costly(selection, _page_size(readable, shape.page))
    visible = restrict_rows(selection, shape.page)
    filtered = add_filter(visible, shape)
    ordered = add_order(filtered, shape)
    page = cut_page(ordered, shape.page)
    return write_sql(page, shape, connection)


def restrict_rows(selection: Selection, page: Page) -> VisibleRows:
    """Return the rows that the caller may see; for one object, the row with its lookup value.

    >>> sql(restrict_rows(selection, OneRow(lookup_slot=0)).rows)
    'SELECT id FROM book WHERE id = $0'
    """
    readable = selection.readable
    rows = rights.rows(readable)
    if isinstance(page, OneRow):
        lookup = readable.resource.options.lookup
        is_it = Leaf(field=lookup, op=Op.EQ, slot=page.lookup_slot)
        rows = rows.filter(condition(is_it, readable))
    return VisibleRows(selection=selection, rows=rows)


def add_filter(visible: VisibleRows, shape: Shape) -> FilteredRows:
    """Return the visible rows that pass the filter.

    >>> where = Leaf(field='price', op=Op.GE, slot=0)
    >>> sql(add_filter(visible, shape(where=where)).rows)
    'SELECT id FROM book WHERE price >= $0'
    """
    readable = visible.selection.readable
    rows = visible.rows.filter(condition(shape.where, readable))
    count = count_rows(readable, shape, rows)
    return FilteredRows(selection=visible.selection, rows=rows, count=count)


def write_sql(page: PageRows, shape: Shape, connection: BaseDatabaseWrapper) -> Plan:
    """Write the JSON of the rows, and compile everything to one statement with Django's compiler.

    >>> plan = write_sql(page, shape(page=AllRows()), connection)
    >>> plan.counted, plan.keyed, plan.versioned
    (False, False, False)
    """
    filtered = page.ordered.filtered
    selection, count = filtered.selection, filtered.count
    engine = engine_of(connection)
    columns: dict[str, Combinable] = {'json_': json_object(selection, engine)}
    if isinstance(shape.page, OneRow):
        columns |= _version(selection.readable)
    order = [ordering(key, engine) for key in page.ordered.keys]
    cut = Cut(order=order, bounds=page.bounds)
    if not page.bounds:
        sql, params = select_all(page.rows, cut, columns, connection)
    else:
        if count is not NOT_COUNTED:
            columns['json_'] = Unless(models.F('pk'), columns['json_'], otherwise='NULL')
        if page.keyed:
            columns['keys_'] = JsonArray(
                *(
                    json_value(key.expression, key.field, nullable=key.nullable, is_key=True)
                    for key in page.ordered.keys
                )
            )
        sql, params = select_page(page.rows, cut, columns, count, connection)
    return Plan(
        sql=sql,
        parameters=tuple(params),
        counted=count is not NOT_COUNTED,
        keyed='keys_' in columns,
        versioned='version_' in columns,
        selection=selection,
        patches=tuple(patches(selection)),
        lists=tuple(lists(selection, _page_size(selection.readable, shape.page))),
        audited=frozenset(each for each in reached(selection, shape) if each.options.audited_reads),
    )


def _version(readable: Readable) -> dict[str, Combinable]:
    """Return the column with the version of one object, where the caller may read it."""
    field = readable.fields.get(readable.resource.options.version)
    shown = field is not None and rights.where_readable(readable, field.name)
    if field is None or shown is False:
        return {}
    version = models.F(field.attname)
    return {'version_': version if shown is True else models.Case(models.When(shown, version))}


def _page_size(readable: Readable, page: Page) -> int:
    """Return the most rows of a page; the cost must not depend on the limit, which is a value."""
    return 1 if isinstance(page, OneRow) else readable.resource.options.max_page_size
