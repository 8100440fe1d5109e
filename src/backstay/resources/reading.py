"""Reading a resource: from what is asked to the rows of one compiled statement.

`read_rows` is the face for services that answer in an envelope of their own. The caller's grants
are in the statement, as in every read; what is asked is said in the language of queries
(docs/reference/queries.md).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import connections

from backstay.caller import Caller
from backstay.resources.audited_reads import record_read
from backstay.resources.conf import export_timeout, statement_timeout
from backstay.resources.declaration.resource import Resource
from backstay.resources.execute import Rows, run, stream
from backstay.resources.plan.cache import plans
from backstay.resources.plan.plan import Plan
from backstay.resources.query.asked import Asked
from backstay.resources.query.filters import parse_filter
from backstay.resources.query.mask import parse
from backstay.resources.query.nodes import AllRows, OffsetPage, Page, Query, Shape
from backstay.resources.query.order import parse_order
from backstay.resources.unindexed import warn

FilterSpec = Mapping[str, Any] | Sequence[Any]


def plan_of(asked: Asked, shape: Shape) -> Plan:
    """Return the compiled statement for a shape of what is asked, from the cache of plans."""
    warn(asked.resource, shape)
    return plans.plan(asked.readable, shape, connections[asked.using])


def rows_of(asked: Asked, plan: Plan, query: Query) -> Rows:
    """Run a plan for the caller, within the site's limit of time."""
    rows = run(plan, query, asked.facts, using=asked.using, timeout=statement_timeout())
    if plan.audited:
        record_read(asked, plan, rows.objects)
    return rows


def stream_of(asked: Asked, plan: Plan, query: Query) -> Iterator[tuple[bytes, list[str]]]:
    """Run a plan of all rows, one row after the other, within the limit of exports."""
    rows = stream(plan, query, asked.facts, using=asked.using, timeout=export_timeout())
    if plan.audited:
        record_read(asked, plan, None)
    return rows


def read(asked: Asked, query: Query) -> Rows:
    """Compile and run a query. Raises a Problem when it takes too long."""
    return rows_of(asked, plan_of(asked, query.shape), query)


def read_rows(
    resource: type[Resource],
    caller: Caller,
    *,
    filter: FilterSpec = (),  # noqa: A002 what the language calls it
    ordering: str = '',
    limit: int | None = None,
    offset: int = 0,
    count: bool = False,
    mask: str = '',
    origin: str = '',
    using: str = 'default',
) -> Rows:
    """Return the JSON of the rows that the caller may see, and with `count` their number.

    Without `limit` every row comes, and `count` is not found. `origin` is scheme and host, which
    URLs begin with. Raises a Problem for what is not in the language, and when it takes too long.
    """
    asked = Asked(resource=resource, caller=caller, origin=origin, using=using)
    values: list[Any] = []
    spec = dict(filter) if isinstance(filter, Mapping) else list(filter)
    where = parse_filter(spec, asked.readable, values)
    page: Page = AllRows()
    if limit is not None:
        page = OffsetPage(limit_slot=len(values), offset_slot=len(values) + 1)
        values += (limit, offset)
    shape = Shape(
        mask=parse(mask) if mask else None,
        where=where,
        order=parse_order(ordering, asked.readable),
        page=page,
        count='exact' if count and limit is not None else 'none',
    )
    return read(asked, Query(shape=shape, values=tuple(values)))
