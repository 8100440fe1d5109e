"""Reads that the audit records: those that touch a resource with `audited_reads`.

The line is written before the answer leaves, so that nothing is read without one. It names the rows
by their keys as far as the answer shows them, and never a value.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from backstay.caller import Caller
from backstay.resources.declaration.resource import Resource
from backstay.resources.plan.plan import Plan
from backstay.resources.plan.stages import Selection, ShowField
from backstay.resources.query.asked import Asked

#: Keys that a line names; an export may have any number of rows.
_MOST_KEYS = 1_000


def record_read(asked: Asked, plan: Plan, objects: Sequence[bytes] | None) -> None:
    """Record a read of an API, of a command or of a task; `objects` is None for an export."""
    lookup = asked.resource.options.lookup
    shown = {name for name, _ in plan.selection.members}
    detail: dict[str, Any] = {
        'of': asked.resource.options.name,
        'fields': [*_names(plan.selection)],
    }
    if asked.lookup is not None:
        detail['lookup'] = asked.lookup
    if objects is not None:
        detail['rows'] = len(objects)
        if lookup in shown:
            detail['keys'] = [json.loads(each)[lookup] for each in islice(objects, _MOST_KEYS)]
    _record(asked.caller, plan.audited, detail)


def record_pages(caller: Caller, resource: type[Resource], keys: Iterable[Any]) -> None:
    """Record that pages of the admin showed the rows of a resource with these keys."""
    if resource.options.audited_reads and (shown := [*map(str, islice(keys, _MOST_KEYS))]):
        _record(caller, [resource], {'of': resource.options.name, 'in': 'admin', 'keys': shown})


def _record(caller: Caller, resources: Iterable[type[Resource]], detail: Mapping[str, Any]) -> None:
    # A project whose resources do not ask for it need not have the tables of the audit.
    from backstay.audit import record

    for each in sorted(each.options.name for each in resources):
        record('read', account_id=caller.account_id, by=caller, resource=each, **detail)


def _names(selection: Selection) -> Iterable[str]:
    for name, member in selection.members:
        if isinstance(member, ShowField):
            yield name
        else:
            yield from (f'{name}.{inner}' for inner in _names(member.selection))
