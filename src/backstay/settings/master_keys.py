"""Master keys of encrypted columns, as one variable of the environment holds them."""

import base64
import binascii
import re
from collections.abc import Mapping

_KEY_BYTES = 32


def parse_master_keys(text: str) -> Mapping[str, bytes]:
    """Return the keys of `name:base64,name:base64` by name, in their order.

    Raises ValueError, whose text names a key at most by its name.
    """
    keys: dict[str, bytes] = {}
    for each in filter(None, (part.strip() for part in text.split(','))):
        name, colon, encoded = each.partition(':')
        if not (colon and re.fullmatch(r'[\w.-]{1,64}', name, re.ASCII)):
            raise ValueError('give name:key,name:key, the newest first; 32 bytes in base64 each')
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b''
        if len(key) != _KEY_BYTES:
            raise ValueError(f'the key {name!r} is not 32 bytes in base64')
        if name in keys:
            raise ValueError(f'the key {name!r} is given twice')
        keys[name] = key
    return keys
