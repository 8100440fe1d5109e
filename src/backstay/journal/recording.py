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
from backstay.engine import engine_of
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


def record(caller: Caller, steps: Sequence[Step], *, using: str = 'default') -> None:
    """Write the steps, in their order. The caller holds the rows locked, in a transaction."""
    if not steps:
        return
    connection = connections[using]
    rows = json.dumps(_rows(steps), cls=_Encoder)
    table = connection.ops.quote_name(Entry._meta.db_table)
    last = _LAST.format(table=table)
    sent = engine_of(connection).sent_rows(_SENT)
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT.format(table=table, last=last, sent=sent),
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


def _rows(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """What differs from step to step; `offset` numbers those of one object in the batch."""
    seen: dict[tuple[str, str], int] = {}
    rows: list[dict[str, Any]] = []
    for step in steps:
        key = (step.aggregate, step.object_id)
        seen[key] = offset = seen.get(key, 0) + 1
        rows.append(
            {
                'verb': step.verb,
                'aggregate': step.aggregate,
                'object_id': step.object_id,
                'resource': step.resource,
                'tenant': step.tenant,
                'before': step.before,
                'after': step.after,
                'pending': step.pending,
                'offset': offset,
                'n': len(rows),
            }
        )
    return rows


#: What a step sends, with its types; the columns of the same names, but for the last two.
_SENT = {
    'verb': 'text',
    'aggregate': 'text',
    'object_id': 'text',
    'resource': 'text',
    'tenant': 'text',
    'before': 'jsonb',
    'after': 'jsonb',
    'pending': 'boolean',
    'offset': 'bigint',
    'n': 'bigint',
}
_COLUMNS = ', '.join(f'"{name}"' for name in _SENT if name not in ('offset', 'n'))
#: A key may be one that another row had before: databases number anew after a restart, a copy or a
#: migration, so the last number of an object is always looked up.
_LAST = (
    'COALESCE((SELECT MAX(e.sequence) FROM {table} e'
    ' WHERE e.aggregate = sent.aggregate AND e.object_id = sent.object_id), 0) + '
)
#: The order of the ids is that of the steps.
_INSERT = (
    f'INSERT INTO {{table}} (at, request_id, actor, actor_name, sequence, {_COLUMNS})'  # noqa: S608
    f' SELECT %s, %s, %s, %s, {{last}}"offset", {_COLUMNS} FROM {{sent}} ORDER BY n'
)


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
