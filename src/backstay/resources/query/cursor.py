"""Cursors: where a page begins, as a text that only we can write.

Stage: reading, and writing the links of an answer. It refuses whatever was not signed for the same
question of the same caller (`CursorError`), always with one text, so that trying teaches nothing.

A cursor is the base64url of a row's order keys and the time, encrypted under a key that is derived
from the site's and from what the cursor is bound to (rule F13). It must not be read:
the primary key ends every order, also where the caller may not see it (rule L9). AES-SIV (RFC
5297) needs no random number, so that one answer has the same bytes, and the same ETag, each time it
is asked for within a minute.
"""

import datetime as dt
import hmac
import json
import time
import zlib
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import CursorError, PageError
from backstay.resources.kinds import ValueKind
from backstay.resources.query.nodes import Condition, CursorPage, Key, OffsetPage, Query

MAX_CURSOR_AGE = timedelta(hours=24)
#: Longer cursors are not read; one by a date and an id has about 100 characters.
MAX_CURSOR_CHARACTERS = 4_096


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
    """Return a hash of what a cursor is bound to: resource, filter, its values, order, caller.

    Mask, count and size of the page are not part of it: they may change from page to page.
    """
    resource = f'{readable.resource.__module__}.{readable.resource.__qualname__}'
    question = repr((resource, where, tuple(values), tuple(order), caller_key))
    return sha256(question.encode(errors='surrogatepass')).hexdigest()


def binding_of(readable: Readable, query: Query, caller_key: str) -> str:
    """Return the binding of the cursors that belong in the answer to a query."""
    shape = query.shape
    if not isinstance(shape.page, CursorPage | OffsetPage):
        raise TypeError('only a page has cursors')
    values = query.values[: shape.page.limit_slot]
    return binding(readable, shape.where, values, shape.order, caller_key)


def encrypt(keys: Sequence[Any], backwards: bool, binding: str, key: str) -> str:
    """Return the cursor next to a row. `keys` are its order keys, as Python or JSON has them.

    Raises PageError where they are too long for a link.
    """
    payload = [int(backwards), _now(), *map(_plain, keys)]
    text = json.dumps(payload, ensure_ascii=False, separators=(',', ':')).encode()
    shorter = zlib.compress(text)
    data = b'z' + shorter if len(shorter) < len(text) else b' ' + text
    data += b' ' * (-(len(data) + _TAG_BYTES) % _STEP_BYTES)
    cursor = urlsafe_b64encode(_cipher(binding, key).encrypt(data, None)).decode()
    if len(cursor) > MAX_CURSOR_CHARACTERS:
        raise PageError(
            'More rows follow, and the values that this order compares are too long for a cursor. '
            'Order by shorter values, or let the filter leave fewer rows.'
        )
    return cursor


def decrypt(cursor: str, kinds: Sequence[ValueKind], binding: str, *keys: str) -> Boundary:
    """Return the boundary that a cursor names; `kinds` are those of the order's keys.

    It may be encrypted under any of the secret `keys`.

    Raises CursorError for every fault: forged, cut, of another question or caller, or too old.
    """
    try:
        if len(cursor) > MAX_CURSOR_CHARACTERS:
            raise ValueError
        data = _decrypted(b64decode(cursor, b'-_', validate=True), binding, keys)
        # What follows the end of compressed data is not looked at.
        text = zlib.decompressobj().decompress(data[1:]) if data[:1] == b'z' else data
        backwards, made, *values = json.loads(text)
        if _now() - made > MAX_CURSOR_AGE // _MINUTE:
            raise ValueError
        pairs = zip(kinds, values, strict=True)
        typed = tuple(None if raw is None else kind.from_key(raw) for kind, raw in pairs)
    except (InvalidTag, ValueError):
        raise CursorError('The cursor is not valid here; start again without it.') from None
    return Boundary(typed, bool(backwards))


_MINUTE = timedelta(minutes=1)
_TAG_BYTES = 16
#: Cursors grow by steps: their length does not tell that of a key, and base64 has no bits to spare.
_STEP_BYTES = 24


def _now() -> int:
    """Return the time in minutes."""
    return int(time.time()) // 60


def _decrypted(data: bytes, binding: str, keys: Sequence[str]) -> bytes:
    for key in keys[:-1]:
        with suppress(InvalidTag):
            return _cipher(binding, key).decrypt(data, None)
    return _cipher(binding, keys[-1]).decrypt(data, None)


def _cipher(binding: str, key: str) -> AESSIV:
    return AESSIV(hmac.digest(key.encode(), b'backstay.cursor.2.' + binding.encode(), 'sha512'))


def _plain(value: Any) -> Any:
    """Return a key as JSON has it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case date() | dt.time():
            return value.isoformat()
        case timedelta():
            return value // timedelta(microseconds=1)
    return str(value)
