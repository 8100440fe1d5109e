"""Answers of writes: compiled reads of the rows that were written.

They know no HTTP: an `Answer` says what happened, and its caller makes headers of it.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from backstay.resources.errors import FilterError, ParameterError
from backstay.resources.execute import Rows
from backstay.resources.query.asked import Asked
from backstay.resources.query.json_text import shown
from backstay.resources.query.nodes import Query
from backstay.resources.query.parameters import read_shape
from backstay.resources.query.preconditions import etag_of
from backstay.resources.query.values import read
from backstay.resources.reading import plan_of
from backstay.resources.reading import read as read_rows
from backstay.resources.write.change import Batch, Change, Intent
from backstay.resources.write.children import list_paths
from backstay.resources.write.finding import seen_values
from backstay.resources.write.members import columns_of

#: The status of a request with a single change, by what the change did.
_STATUS = {'create': 201, 'update': 200, 'delete': 204, 'restore': 200}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer of a write: its status, and the object or the results that it shows."""

    status: int
    #: JSON; None where there is nothing that the caller may see.
    text: bytes | None = None
    #: The lookup value of the one object, as its path has it.
    lookup: str = ''
    #: The tag of the one object, without quotes.
    etag: str = ''
    #: JSON pointers to the lists in the object that were cut.
    truncated: tuple[str, ...] = ()
    #: Whether an earlier request with the same key did the work.
    is_replayed: bool = False
    #: The changes that were written, for callers in Python; () for a replay.
    changes: Sequence[Change] = ()


def refuse_impossible(asked: Asked, *, many: bool) -> None:
    """Refuse parameters and masks that make no sense here, before anything is written."""
    if asked.whole_lists:
        known = {*list_paths(asked.resource, asked.caller.standing(writing=True))}
        for path in sorted(asked.whole_lists - known):
            raise ParameterError(f'`{shown(path)}` is no list that may be written here.')
    if many:
        for name in asked.parameters:
            raise ParameterError(f'Bulk writes take no parameter `{shown(name)}`.')
    elif _is_shown(asked):
        plan_of(asked, read_shape(asked))
    else:
        read_shape(asked)


def answer_of(batch: Batch) -> Answer:
    """Answer a batch that is written, in its transaction.

    A request about many rows is answered with a result for each operation: its position, its
    status, and the lookup value of its row as `id`, or the problem for which it was refused.
    """
    asked, changes = batch.asked, batch.changes
    if not batch.many:
        (written,) = changes
        return _one(asked, _STATUS[written.verb], _lookup_of(asked, written), changes=changes)
    results: list[dict[str, Any]] = []
    for change in changes:
        result: dict[str, Any] = {'index': change.asked.index}
        if problem := change.refusal():
            result |= {'status': problem.answer_status, 'error': problem.body('')}
        else:
            result |= {'status': _STATUS[change.verb], 'id': _lookup_of(asked, change)}
        results.append(result)
    return Answer(
        status=200,
        text=_write_results(asked, [change.asked for change in changes], results),
        changes=changes,
    )


def answer_again(asked: Asked, intents: Sequence[Intent], stored: Answer) -> Answer:
    """Answer a repeated request with the rows as the caller may see them now."""
    if stored.text is not None:
        text = _write_results(asked, intents, json.loads(stored.text)['results'])
        return Answer(status=stored.status, text=text, is_replayed=True)
    field = asked.readable.fields.get(asked.resource.options.lookup)
    value = None
    if field is not None:
        with suppress(FilterError):
            value = read(field, stored.lookup)
    return _one(asked, stored.status, value, is_replayed=True)


def etag_now(asked: Asked, change: Change) -> str:
    """Return the tag of a row as the caller would see it; '' if they do not see it."""
    rows = _rows(asked, _lookup_of(asked, change))
    return etag_of(rows.objects[0], rows.version) if rows else ''


def _one(asked: Asked, status: int, value: Any, **more: Any) -> Answer:
    """Return the answer with one object, and without it if the caller does not see it."""
    rows = None if status == 204 else _rows(asked, value)
    lookup = '' if value is None else str(value)
    if rows is None:
        return Answer(status=status, lookup=lookup, **more)
    (text,) = rows.objects
    return Answer(
        status=status,
        text=text,
        lookup=lookup,
        etag=etag_of(text, rows.version),
        truncated=tuple(pointer for _, pointer in rows.truncated),
        **more,
    )


def _rows(asked: Asked, value: Any) -> Rows | None:
    """Return the row with this lookup value under the request's mask; None if it is not seen."""
    if value is None or not _is_shown(asked):
        return None
    rows = read_rows(asked, Query(shape=read_shape(asked), values=(value,)))
    return rows if rows.objects else None


def _is_shown(asked: Asked) -> bool:
    """Whether the caller could be shown any row that they write."""
    return bool(asked.readable.grants) and asked.resource.options.lookup in asked.readable.fields


def _lookup_of(asked: Asked, change: Change) -> Any:
    field = asked.resource.fields()[asked.resource.options.lookup]
    return getattr(change.row, field.attname)


def _write_results(asked: Asked, intents: Sequence[Intent], results: list[dict[str, Any]]) -> bytes:
    _hide_unseen(asked, intents, results)
    return json.dumps({'results': results}, default=str, separators=(',', ':')).encode()


def _hide_unseen(asked: Asked, intents: Sequence[Intent], results: list[dict[str, Any]]) -> None:
    """Remove the ids of rows that the request did not name by id and the caller does not see."""
    found = [
        result
        for intent, result in zip(intents, results, strict=True)
        if 'id' in result and intent.verb in ('create', 'upsert')
    ]
    if not found or asked.readable.always_shows(asked.resource.options.lookup):
        return
    attribute = asked.resource.fields()[asked.resource.options.lookup].attname
    to_python = columns_of(asked.resource.options.model)[attribute].to_python
    seen: set[Any] = set()
    if _is_shown(asked):
        batch = Batch(asked=asked, resource=asked.resource, changes=())
        wanted = [to_python(result['id']) for result in found]
        seen = seen_values(batch, asked.readable, attribute, wanted)
    for result in found:
        if to_python(result['id']) not in seen:
            del result['id']
