"""What is stored of an encrypted value: a header, and the ciphertext of AES-256-GCM.

    e5 01 | key 16 | place 8 |            nonce 12 | ciphertext and tag
    e5 02 | key 16 | place 8 | index 20 | nonce 12 | ciphertext and tag

`key` is the id of the data key, `place` a digest of the place that the value belongs to, `index`
the blind index of a value that is found by equality. The associated data are the header and the
place itself, so that nothing can be moved, exchanged or cut. No text in UTF-8 begins with `e5 01`.
"""

import os
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backstay.encryption.errors import NotReadable, NotSealable

KEY_BYTES = 32
INDEX_BYTES = 20
#: Of these, the number of the key.
INDEX_NUMBER_BYTES = 4
_NONCE_BYTES = 12
_TAG_BYTES = 16
_PLAIN, _INDEXED = b'\xe5\x01', b'\xe5\x02'
#: Where the parts of the header begin, from 0.
KEY_AT, _PLACE_AT, INDEX_AT = 2, 18, 26


class Sealed(bytes):
    """A stored value, as the database has it. It is read through the row that it belongs to."""

    #: The text, once it was decrypted or before it was stored, and when that was. Never pickled.
    text: str | None = None
    epoch: int = 0
    #: Whether this process encrypted it, so that its key may not be committed yet.
    is_fresh: bool = False
    #: The row from whose attribute it was taken.
    row: Any = None

    def __repr__(self) -> str:
        return f'<Sealed: {len(self)} bytes>'

    def __reduce__(self) -> tuple[Any, ...]:
        return Sealed, (bytes(self),)

    def of(self, row: Any) -> 'Sealed':
        """Return the same value, which tells the row that it was taken from."""
        taken = Sealed(self)
        taken.text, taken.epoch, taken.is_fresh = self.text, self.epoch, self.is_fresh
        taken.row = row
        return taken

    @property
    def is_whole(self) -> bool:
        """Whether it has the form of a stored value."""
        least = _header_bytes(self) + _NONCE_BYTES + _TAG_BYTES
        return self[:KEY_AT] in (_PLAIN, _INDEXED) and len(self) >= least

    @property
    def key_id(self) -> UUID:
        """The id of its data key. Raises NotReadable for what is no stored value."""
        if not self.is_whole:
            raise NotReadable('What is stored is no encrypted value.')
        return UUID(bytes=self[KEY_AT:_PLACE_AT])

    @property
    def place(self) -> bytes:
        """The digest of the place that it belongs to."""
        return self[_PLACE_AT:INDEX_AT]

    @property
    def digest(self) -> bytes:
        """Its blind index; empty where it has none."""
        return self[INDEX_AT : _header_bytes(self)]

    @property
    def index_number(self) -> int:
        """The number of the key of its blind index; 0 where it has none."""
        return int.from_bytes(self.digest[:INDEX_NUMBER_BYTES], 'big')

    def without_index(self) -> 'Sealed':
        """Return it without its blind index, after which it cannot be decrypted."""
        return Sealed(_PLAIN + self[KEY_AT:INDEX_AT] + self[INDEX_AT + len(self.digest) :])


def _header_bytes(value: bytes) -> int:
    return INDEX_AT + (INDEX_BYTES if value[:KEY_AT] == _INDEXED else 0)


def packed(parts: Sequence[str]) -> bytes:
    """Return texts as bytes, of which no other texts have the same.

    >>> packed(['a', 'bc']) == packed(['ab', 'c'])
    False
    """
    texts = [each.encode() for each in parts]
    return b''.join(len(each).to_bytes(4, 'big') + each for each in texts)


def place_of(parts: Sequence[str]) -> bytes:
    """Return the digest of a place."""
    return sha256(packed(parts)).digest()[: INDEX_AT - _PLACE_AT]


def seal(text: str, key_id: UUID, key: bytes, parts: Sequence[str], index: bytes = b'') -> Sealed:
    """Encrypt a text for a place."""
    header = (_INDEXED if index else _PLAIN) + key_id.bytes + place_of(parts) + index
    try:
        plain = text.encode()
    except UnicodeEncodeError:  # which would show the text
        raise NotSealable('Half of a surrogate pair is no text.') from None
    return Sealed(header + encrypt(key, plain, header + packed(parts)))


def unseal(sealed: Sealed, key: bytes, parts: Sequence[str]) -> str:
    """Decrypt a value at its place. Raises NotReadable where it was changed or moved."""
    size = _header_bytes(sealed)
    plain = decrypt(key, sealed[size:], sealed[:size] + packed(parts))
    return plain.decode()


def encrypt(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    """Return a random nonce and the ciphertext with its tag."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def decrypt(key: bytes, cipher: bytes, bound_to: bytes) -> bytes:
    """Return what `encrypt` was given. Raises NotReadable for another key, place or ciphertext."""
    try:
        return AESGCM(key).decrypt(cipher[:_NONCE_BYTES], cipher[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        raise NotReadable('A value was changed or moved, or is under another key.') from None
