"""Errors of encrypted values. None of their texts holds a value or a key.

EncryptionError
├── NotSealable       a value cannot be encrypted where it is written
├── NotReadable       a stored value cannot be decrypted
└── KeyDestroyed      the key of a value was destroyed, and the value with it
"""


class EncryptionError(ValueError):
    """An encrypted value that cannot be written or read."""


class NotSealable(EncryptionError):
    """A write that would not encrypt a value for the row in which it is to be stored."""


class NotReadable(EncryptionError):
    """A stored value that was changed or moved, or whose key is missing."""


class KeyDestroyed(EncryptionError):
    """The key was destroyed for good: nothing reads the value, and its owner takes no new ones."""
