"""Running a plan: the only place that holds a connection."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import OperationalError, connections

from backstay.engine import Trouble, engine_of, trouble_of
from backstay.errors import Problem
from backstay.resources.errors import QueryTooDeep, QueryTooSlow
from backstay.resources.finishing import Finisher, is_finished
from backstay.resources.plan.plan import Plan
from backstay.resources.query.nodes import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The answer of one statement."""

    #: The JSON of each object.
    objects: list[bytes]
    #: The number of rows in all; None unless asked.
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
        columns = engine.columns(connection, plan.sql, plan.bind(query, facts), timeout)
    except OperationalError as error:
        if problem := _problem_of(error):
            raise problem from None
        raise
    raw, *others = columns or ([],)
    count = None
    if plan.counted:
        *others, counts = others
        count = int(counts[0] or 0)
    objects = [each for each in raw if each is not None]
    truncated: list[tuple[int, str]] = []
    if not is_finished(plan, objects):
        finisher = Finisher(plan)
        for at, each in enumerate(objects):
            objects[at], cuts = finisher.finish(each)
            truncated += ((at, cut) for cut in cuts)
    keys = [each for each in others[0] if each is not None] if plan.keyed and others else []
    versions = others[0] if plan.versioned and others else ()
    version = next((int(each) for each in versions if each is not None), None)
    return Rows(objects=objects, count=count, version=version, keys=keys, truncated=truncated)


def stream(
    plan: Plan,
    query: Query,
    facts: Mapping[str, Any],
    *,
    using: str = 'default',
    timeout: float,
) -> Iterator[tuple[bytes, list[str]]]:
    """Yield the JSON of one object after the other, with pointers to the lists in it that were cut.

    The first is found when this returns, so that the usual failures are known before an answer
    begins: raises QueryTooSlow or QueryTooDeep. Where the time ends later, the iterator raises.
    """
    rows = _streamed(plan, query, facts, using, timeout)
    try:
        first = next(rows, None)
    except OperationalError as error:
        if problem := _problem_of(error):
            raise problem from None
        raise
    return iter(()) if first is None else chain((first,), rows)


def _streamed(
    plan: Plan, query: Query, facts: Mapping[str, Any], using: str, timeout: float
) -> Iterator[tuple[bytes, list[str]]]:
    connection = connections[using]
    texts = engine_of(connection).stream(connection, plan.sql, plan.bind(query, facts), timeout)
    finisher = Finisher(plan, rationed=False)
    for text in texts:
        row = text.encode()
        yield (row, []) if is_finished(plan, (row,)) else finisher.finish(row)


def fetch(using: str, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a statement that is no plan. Raises QueryTooSlow as `run` does."""
    with connections[using].cursor() as cursor:
        try:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())
        except OperationalError as error:
            if problem := _problem_of(error):
                raise problem from None
            raise


def explain(
    plan: Plan,
    query: Query,
    facts: Mapping[str, Any],
    *,
    using: str = 'default',
    analyze: bool = False,
) -> list[str]:
    """Return the lines of the database's own explanation of the statement."""
    connection = connections[using]
    words = engine_of(connection).explanation(analyze=analyze)
    with connection.cursor() as cursor:
        cursor.execute(f'{words} {plan.sql}', plan.bind(query, facts))
        return [str(row[-1]) for row in cursor.fetchall()]


def _problem_of(error: OperationalError) -> Problem | None:
    """Return the problem of a request that asked too much; None for other faults."""
    match trouble_of(error):
        case Trouble.TIMEOUT:
            return QueryTooSlow(
                'The query takes too long; ask for less, or filter by an indexed field.'
            )
        case Trouble.TOO_DEEP:
            return QueryTooDeep('The query is nested deeper than the database reads; ask for less.')
    return None
