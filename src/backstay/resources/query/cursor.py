"""Cursors: where a page begins, as a text that only we can write.

Stage: reading, and writing the links of an answer. It refuses whatever was not signed for the same
question of the same caller (`CursorError`), always with one text, so that trying teaches nothing.

A cursor is the base64url of a row's order keys, the time, and an HMAC-SHA-256 of both (commerce
contract 5.6). What it is bound to goes into the signature and not into the text, which holds no
value that the caller could not read.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.core.signing import BadSignature, TimestampSigner
from django.utils.dateparse import parse_duration

from backstay.resources.declaration.kinds import Kind
from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import CursorError, PageError
from backstay.resources.query.nodes import Condition, CursorPage, Key, Query

MOST_AGE = timedelta(hours=24)
#: What is read at most; a cursor by a date and an id has about 100 characters.
MOST_CHARACTERS = 4_096


@dataclass(frozen=True, slots=True)
class Boundary:
    """The row next to which a page lies: its order keys, in Python's own types."""

    keys: tuple[Any, ...]
    #: Whether the page lies before the row.
    backwards: bool


def binding(
    readable: Readable,
    where: Condition,
    values: Sequence[Any],
    order: Sequence[Key],
    caller_key: str,
) -> str:
    """What a cursor is good for: resource, filter with its values, order and caller.

    Mask, count and size of the page are not part of it: they may change from page to page.
    """
    resource = f'{readable.resource.__module__}.{readable.resource.__qualname__}'
    question = repr((resource, where, tuple(values), tuple(order), caller_key))
    return sha256(question.encode(errors='surrogatepass')).hexdigest()


def binding_of(readable: Readable, query: Query, caller_key: str) -> str:
    """The binding of the cursors that belong into the answer to a query."""
    shape = query.shape
    if not isinstance(shape.page, CursorPage):
        raise TypeError('only a page by cursor has cursors')
    values = query.values[: shape.page.limit_slot]
    return binding(readable, shape.where, values, shape.order, caller_key)


def sign(keys: Sequence[Any], backwards: bool, binding: str, key: str) -> str:
    """The cursor that lies next to a row. `keys` are its order keys, as Python or JSON has them.

    Raises PageError where they are too long for a link.
    """
    payload = [int(backwards), *map(_plain, keys)]
    cursor: str = _signer(binding, key).sign_object(payload, serializer=_Utf8Json, compress=True)
    if len(cursor) > MOST_CHARACTERS:
        raise PageError('The values that this order compares are too long for cursors.')
    return cursor


def unsign(cursor: str, kinds: Sequence[Kind], binding: str, key: str) -> Boundary:
    """The boundary that a cursor names; `kinds` are those of the order's keys.

    Raises CursorError for every fault: forged, cut, of another question or caller, or too old.
    """
    try:
        if len(cursor) > MOST_CHARACTERS:
            raise ValueError
        backwards, *keys = _signer(binding, key).unsign_object(
            cursor, serializer=_Utf8Json, max_age=MOST_AGE
        )
        typed = tuple(_typed(kind, raw) for kind, raw in zip(kinds, keys, strict=True))
    except (BadSignature, ValueError):
        raise CursorError('The cursor is not valid here; start again without it.') from None
    return Boundary(typed, bool(backwards))


class _Utf8Json:
    """Half as long as Django's own for text that is not English."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(',', ':')).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


def _signer(binding: str, key: str) -> TimestampSigner:
    # '~' stands in a URL as it is. Django's setting of fallback keys is not asked: a cursor lives
    # for a day, and starting again costs a client nothing.
    return TimestampSigner(key=key, sep='~', salt=f'backstay.cursor.1.{binding}', fallback_keys=[])


def _plain(value: Any) -> Any:
    """A key as JSON has it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value // timedelta(microseconds=1)
    return str(value)


def _typed(kind: Kind, raw: Any) -> Any:
    return raw if raw is None or kind not in _TYPES else _TYPES[kind](raw)


def _moment(raw: str) -> datetime:
    moment = datetime.fromisoformat(raw)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _length(raw: int | str) -> timedelta | None:
    return parse_duration(raw) if isinstance(raw, str) else timedelta(microseconds=raw)


#: How a kind is read back, where JSON has no type for it.
_TYPES: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.FLOAT: float,
    Kind.DECIMAL: lambda raw: Decimal(str(raw)),
    Kind.DATE: date.fromisoformat,
    Kind.TIME: time.fromisoformat,
    Kind.DATETIME: _moment,
    Kind.DURATION: _length,
    Kind.UUID: UUID,
}
