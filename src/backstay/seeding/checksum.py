"""The checksum of rows: equal for equal values, on every engine and machine.

The rows of a model are cut into chunks by index. A chunk is hashed as canonical JSON, a model as
the hashes of its chunks, a seeding as the hashes of its models by name. So chunks can be written in
any order, and again, and the checksum of written rows is known without reading them.
"""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

#: Rows of one chunk. Another number gives other checksums.
CHUNK = 5000

_MICROSECOND = dt.timedelta(microseconds=1)


def canonical(value: Any) -> str:
    """Return a value or a list of them as canonical JSON: sorted keys, UTC, no exponents.

    >>> canonical([Decimal('1.50'), dt.timedelta(seconds=1), b'a', {'b': 1.5, 'a': None}])
    '["1.50",1000000,"61",{"a":null,"b":1.5}]'
    """
    return _ENCODER.encode(value)


def of_chunk(rows: Iterable[Sequence[Any]]) -> str:
    """Return the checksum of the rows of one chunk.

    Raises ValueError for a text or a number that not every database stores.
    """
    text = canonical(list(rows))
    # Escapes of characters beyond the first plane begin so too, and those can be stored.
    if ('\\u0000' in text or '\\ud' in text) and not _is_storable(json.loads(text)):
        raise ValueError('NUL and halves of surrogate pairs cannot be stored')
    return sha256(text.encode()).hexdigest()


def of_model(label: str, names: Sequence[str], chunks: Sequence[str]) -> str:
    """Return the checksum of a model from the names of its columns and those of its chunks."""
    return sha256(canonical([label, list(names), list(chunks)]).encode()).hexdigest()


def of_all(models: Iterable[tuple[str, int, str]]) -> str:
    """Return the checksum of several models, each with its label, number of rows and checksum."""
    return sha256(canonical(sorted(models)).encode()).hexdigest()


def _is_storable(value: Any) -> bool:
    """Whether each text in a JSON value is one that PostgreSQL takes too."""
    match value:
        case str():
            return '\0' not in value and not any('\ud800' <= each <= '\udfff' for each in value)
        case list():
            return all(map(_is_storable, value))
        case dict():
            return all(map(_is_storable, [*value, *value.values()]))
    return True


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return format(value, 'f')
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat()
        case dt.date() | dt.time():
            return value.isoformat()
        case dt.timedelta():
            return value // _MICROSECOND
        case UUID():
            return str(value)
        case bytes() | memoryview():
            return bytes(value).hex()
    raise TypeError(f'a {type(value).__name__} has no place in a checksum')


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(',', ':'), allow_nan=False, default=_plain)
