"""Writing the journal: any number of changes in one statement.

The ORM would make a parameter of each column of each row; a thousand changes go faster as one JSON
array, which both engines read as rows.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connections
from django.utils import timezone
from django.utils.duration import duration_iso_string
from structlog.contextvars import get_contextvars

from backstay.caller import Caller
from backstay.journal.models import Entry

#: Called in the transaction, with its database, when entries were written that are to be told.
on_pending: list[Callable[[str], None]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of one row."""

    verb: str
    aggregate: str
    resource: str
    object_id: str
    tenant: str = ''
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    pending: bool = False
    #: Whether the row is new for certain, so that nothing was written about it before.
    is_first: bool = False


def record(caller: Caller, steps: Sequence[Step], *, using: str = 'default') -> None:
    """Write the steps, in their order. The caller holds the rows locked, in a transaction."""
    if not steps:
        return
    connection = connections[using]
    counted = not all(step.is_first for step in steps)
    rows = json.dumps(_rows(steps), cls=_Encoder)
    written = (_POSTGRESQL if connection.vendor == 'postgresql' else _SQLITE)[counted]
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            written.format(table=connection.ops.quote_name(Entry._meta.db_table)),
            (
                connection.ops.adapt_datetimefield_value(now),
                get_contextvars().get('request_id', ''),
                caller.key[:300],
                caller.name[:300],
                rows,
            ),
        )
    if any(step.pending for step in steps):
        for tell in on_pending:
            tell(using)


def _rows(steps: Sequence[Step]) -> list[list[Any]]:
    """What differs from step to step; `offset` numbers those of one object in the batch."""
    seen: dict[tuple[str, str], int] = {}
    rows = []
    for step in steps:
        key = (step.aggregate, step.object_id)
        seen[key] = offset = seen.get(key, 0) + 1
        rows.append(
            [
                step.verb,
                step.aggregate,
                step.object_id,
                step.resource,
                step.tenant,
                step.before,
                step.after,
                step.pending,
                offset,
            ]
        )
    return rows


_COLUMNS = (
    'at, request_id, actor, actor_name, verb, aggregate, object_id, resource, tenant, '
    '"before", "after", pending, sequence'
)
_LAST = (
    'COALESCE((SELECT MAX(e.sequence) FROM {table} e'
    ' WHERE e.aggregate = %(aggregate)s AND e.object_id = %(object)s), 0) + '
)


def _postgresql(counted: bool) -> str:
    last = _LAST.replace('%(aggregate)s', 'v->>1').replace('%(object)s', 'v->>2')
    return (
        # Its order is that of the array, and so is that of the ids.
        f'INSERT INTO {{table}} ({_COLUMNS})'  # noqa: S608 constants
        ' SELECT %s, %s, %s, %s, v->>0, v->>1, v->>2, v->>3, v->>4,'
        " NULLIF(v->5, 'null'), NULLIF(v->6, 'null'), (v->>7)::boolean,"
        f' {last if counted else ""}(v->>8)::bigint'
        ' FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS steps(v, n) ORDER BY n'
    )


def _sqlite(counted: bool) -> str:
    last = _LAST.replace('%(aggregate)s', 'value->>1').replace('%(object)s', 'value->>2')
    return (
        f'INSERT INTO {{table}} ({_COLUMNS})'  # noqa: S608 constants
        ' SELECT %s, %s, %s, %s, value->>0, value->>1, value->>2, value->>3, value->>4,'
        " NULLIF(value->5, 'null'), NULLIF(value->6, 'null'), value->>7,"
        f' {last if counted else ""}(value->>8)'
        ' FROM json_each(%s) ORDER BY key'
    )


_POSTGRESQL = {counted: _postgresql(counted) for counted in (False, True)}
_SQLITE = {counted: _sqlite(counted) for counted in (False, True)}


class _Encoder(json.JSONEncoder):
    """What JSON lacks, without losing a digit; Django's own encoder cuts microseconds."""

    def default(self, value: Any) -> Any:
        match value:
            case datetime() | date() | time():
                return value.isoformat()
            case timedelta():
                return duration_iso_string(value)
            case bytes() | memoryview():
                return b64encode(value).decode()
            case Decimal() | UUID():
                return str(value)
        return super().default(value)
