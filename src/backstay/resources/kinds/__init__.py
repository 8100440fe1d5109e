"""Kinds of values: one row for each, from which everything else is read.

    texts        short and long texts, choices, files
    numbers      integers, floats, decimals
    booleans     true and false
    moments      dates, times, datetimes, durations
    identifiers  UUIDs and IP addresses
    documents    JSON, arrays, bytes
    encrypted    texts that are stored only as ciphertext

How to add one: docs/how-to/extend-the-core.md.
"""

from backstay.resources.kinds.booleans import BOOLEAN
from backstay.resources.kinds.documents import ARRAY, BINARY, JSON
from backstay.resources.kinds.encrypted import BLIND_INDEXED, ENCRYPTED
from backstay.resources.kinds.identifiers import IP, UUIDS
from backstay.resources.kinds.moments import DATE, DATETIME, DURATION, TIME
from backstay.resources.kinds.numbers import DECIMAL, FLOAT, INTEGER
from backstay.resources.kinds.registered import KINDS, kind_of, register
from backstay.resources.kinds.texts import CHOICE, FILE, LONG_TEXT, TEXT
from backstay.resources.kinds.value_kind import ValueKind

for _kind in (
    TEXT,
    LONG_TEXT,
    CHOICE,
    INTEGER,
    FLOAT,
    DECIMAL,
    BOOLEAN,
    DATE,
    TIME,
    DATETIME,
    DURATION,
    UUIDS,
    IP,
    FILE,
    BINARY,
    JSON,
    ARRAY,
    ENCRYPTED,
    BLIND_INDEXED,
):
    register(_kind)

__all__ = [
    'ARRAY',
    'BINARY',
    'BLIND_INDEXED',
    'BOOLEAN',
    'CHOICE',
    'DATE',
    'DATETIME',
    'DECIMAL',
    'DURATION',
    'ENCRYPTED',
    'FILE',
    'FLOAT',
    'INTEGER',
    'IP',
    'JSON',
    'KINDS',
    'LONG_TEXT',
    'TEXT',
    'TIME',
    'UUIDS',
    'ValueKind',
    'kind_of',
    'register',
]
