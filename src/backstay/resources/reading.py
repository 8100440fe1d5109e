"""Reading a resource in Python: the rows of one compiled statement, for services that answer in an
envelope of their own.

The caller's grants are in the statement, as in every read. What is asked is said in the language of
queries (docs/reference/queries.md).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections

from backstay.caller import Caller, Facts
from backstay.resources.conf import statement_timeout
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.execute import Rows, run
from backstay.resources.plan.cache import plans
from backstay.resources.query.filters import parse_filter
from backstay.resources.query.mask import parse
from backstay.resources.query.nodes import AllRows, OffsetPage, Page, Query, Shape
from backstay.resources.query.order import parse_order

FilterSpec = Mapping[str, Any] | Sequence[Any]


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
    """The JSON of the rows that the caller may see, and with `count` how many there are in all.

    Without `limit` every row comes, and `count` is not found. `origin` is scheme and host, which
    URLs begin with. Raises a Problem for what is not in the language, and when it takes too long.
    """
    readable = Readable(resource, caller.standing())
    values: list[Any] = []
    where = parse_filter(_plain(filter), readable, values)
    page: Page = AllRows()
    if limit is not None:
        page = OffsetPage(limit_slot=len(values), offset_slot=len(values) + 1)
        values += (limit, offset)
    shape = Shape(
        mask=parse(mask) if mask else None,
        where=where,
        order=parse_order(ordering, readable),
        page=page,
        count='exact' if count and limit is not None else 'none',
    )
    query = Query(shape=shape, values=tuple(values))
    plan = plans.plan(readable, shape, connections[using])
    return run(plan, query, Facts(caller, origin), using=using, timeout=statement_timeout())


def _plain(spec: FilterSpec) -> Any:
    return dict(spec) if isinstance(spec, Mapping) else list(spec)
