"""Running a plan: the only place that holds a connection.

Rows are bytes of JSON from the database to the response. They are only read by Python where a plan
has patches, or where a list was cut.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from django.db import OperationalError, connections

from backstay.engine import Trouble, engine_of, trouble_of
from backstay.engine.json_text import CUT_MARK
from backstay.errors import Problem
from backstay.resources.errors import QueryTooDeep, QueryTooSlow
from backstay.resources.plan.objects import Patch
from backstay.resources.plan.plan import Plan
from backstay.resources.query.nodes import Query

_CUT_BYTES = json.dumps(CUT_MARK).encode()
#: A round trip each; psycopg would make one for every 100 rows.
_ROWS_PER_FETCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What one statement answered."""

    #: The JSON of each object.
    objects: list[bytes]
    #: How many rows there are in all; None unless asked.
    count: int | None = None
    #: The version of the one object; None where the resource has none, or does not show it.
    version: int | None = None
    #: The order's keys of each object, as JSON arrays; only for pages cut by cursors.
    keys: list[bytes]
    #: Nested lists that were cut: the index of their object, and a JSON pointer from there.
    truncated: list[tuple[int, str]]


def run(
    plan: Plan,
    query: Query,
    facts: Mapping[str, Any],
    *,
    using: str = 'default',
    timeout: float | None = None,
) -> Rows:
    """Run the statement and take its rows.

    Raises QueryTooSlow when the database needs more than `timeout` seconds, QueryTooDeep when it
    cannot read the statement; the connection stays usable.
    """
    connection = connections[using]
    engine = engine_of(connection)
    try:
        return _rows(plan, engine.columns(connection, plan.sql, plan.bind(query, facts), timeout))
    except OperationalError as error:
        if problem := _problem_of(error):
            raise problem from None
        raise


def stream(
    plan: Plan, query: Query, facts: Mapping[str, Any], *, using: str = 'default'
) -> Iterator[tuple[bytes, list[str]]]:
    """The JSON of one object after the other, in constant memory, with pointers to its cut lists.

    The statement has run when this returns, so that a failure of it is known before an answer
    begins.
    """
    rows = _streamed(plan, query, facts, using)
    first = next(rows, None)
    return iter(()) if first is None else chain((first,), rows)


def _streamed(
    plan: Plan, query: Query, facts: Mapping[str, Any], using: str
) -> Iterator[tuple[bytes, list[str]]]:
    with connections[using].chunked_cursor() as cursor:
        try:
            cursor.execute(plan.sql, plan.bind(query, facts))
        except OperationalError as error:
            if problem := _problem_of(error):
                raise problem from None
            raise
        while rows := cursor.fetchmany(_ROWS_PER_FETCH):
            for row in rows:
                yield _patched(plan, row[0].encode())


def explain(
    plan: Plan,
    query: Query,
    facts: Mapping[str, Any],
    *,
    using: str = 'default',
    analyze: bool = False,
) -> list[str]:
    """The lines of the database's own explanation of the statement."""
    connection = connections[using]
    words = engine_of(connection).explanation(analyze=analyze)
    with connection.cursor() as cursor:
        cursor.execute(f'{words} {plan.sql}', plan.bind(query, facts))
        return [str(row[-1]) for row in cursor.fetchall()]


def _rows(plan: Plan, columns: Sequence[Sequence[bytes | None]]) -> Rows:
    raw, *others = columns if columns else ([],)
    count = None
    if plan.counted:
        *others, counts = others
        count = int(counts[0] or 0)
    objects = [each for each in raw if each is not None]
    truncated: list[tuple[int, str]] = []
    if plan.patches or _CUT_BYTES in b''.join(objects):
        patched = [_patched(plan, each) for each in objects]
        objects = [each for each, _ in patched]
        truncated = [(at, cut) for at, (_, cuts) in enumerate(patched) for cut in cuts]
    keys = [each for each in others[0] if each is not None] if plan.keyed and others else []
    versions = others[0] if plan.versioned and others else ()
    version = next((int(each) for each in versions if each is not None), None)
    return Rows(objects=objects, count=count, version=version, keys=keys, truncated=truncated)


# Patches: what Python does to a row.


def _patched(plan: Plan, row: bytes) -> tuple[bytes, list[str]]:
    """A row after its lists were cut and its patches made, and pointers to the lists cut."""
    if not plan.patches and _CUT_BYTES not in row:
        return row, []
    value = json.loads(row)
    cut: list[str] = []
    for path, cap in plan.lists:
        _visit(value, path, '', partial(_cut, cap=cap, cut=cut))
    for patch in plan.patches:
        _visit(value, patch.path, '', partial(_apply, patch=patch))
    return json.dumps(value, ensure_ascii=False, separators=(',', ':')).encode(), cut


def _apply(found: Any, _: str, *, patch: Patch) -> Any:
    return patch.function(found)


def _cut(found: list[Any], pointer: str, *, cap: int, cut: list[str]) -> list[Any]:
    if not found or found[-1] != CUT_MARK:
        return found
    cut.append(pointer)
    return found[:cap]


def _visit(
    value: Any, path: Sequence[str], pointer: str, change: Callable[[Any, str], Any]
) -> None:
    """Replace what lies at `path` by what `change` makes of it, in every element of lists."""
    name, *rest = path
    if isinstance(value, list):
        for index, element in enumerate(value):
            _visit(element, path, f'{pointer}/{index}', change)
    elif isinstance(value, dict) and name in value:
        if rest:
            _visit(value[name], rest, f'{pointer}/{name}', change)
        else:
            value[name] = change(value[name], f'{pointer}/{name}')


def _problem_of(error: OperationalError) -> Problem | None:
    """What the client is told where it asked too much; None for other faults."""
    match trouble_of(error):
        case Trouble.TIMEOUT:
            return QueryTooSlow(
                'The query takes too long; ask for less, or filter by an indexed field.'
            )
        case Trouble.TOO_DEEP:
            return QueryTooDeep('The query is nested deeper than the database reads; ask for less.')
    return None
