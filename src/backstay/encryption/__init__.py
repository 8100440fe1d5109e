"""Encryption: columns that are stored only as ciphertext, and keys that can be destroyed.

    class Patient(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid4)
        notes = EncryptedTextField()
        email = BlindIndexedTextField()

How to use it, and what it protects from: docs/how-to/encrypt-columns.md.
"""

from typing import TYPE_CHECKING

from backstay.faces import imported_later

if TYPE_CHECKING:
    from backstay.encryption.blind import BlindIndex, casefolded, unchanged
    from backstay.encryption.envelope import Sealed
    from backstay.encryption.erasure import destroy
    from backstay.encryption.errors import (
        EncryptionError,
        KeyDestroyed,
        NotReadable,
        NotSealable,
    )
    from backstay.encryption.fields import BlindIndexedTextField, EncryptedTextField
    from backstay.encryption.keyring import Keyring
    from backstay.encryption.rows import Unsealed, reveal, seal_rows

__all__ = [
    'BlindIndex',
    'BlindIndexedTextField',
    'EncryptedTextField',
    'EncryptionError',
    'KeyDestroyed',
    'Keyring',
    'NotReadable',
    'NotSealable',
    'Sealed',
    'Unsealed',
    'casefolded',
    'destroy',
    'reveal',
    'seal_rows',
    'unchanged',
]

__getattr__ = imported_later(
    __name__,
    {
        'BlindIndex': 'blind',
        'BlindIndexedTextField': 'fields',
        'EncryptedTextField': 'fields',
        'EncryptionError': 'errors',
        'KeyDestroyed': 'errors',
        'Keyring': 'keyring',
        'NotReadable': 'errors',
        'NotSealable': 'errors',
        'Sealed': 'envelope',
        'Unsealed': 'rows',
        'casefolded': 'blind',
        'destroy': 'erasure',
        'reveal': 'rows',
        'seal_rows': 'rows',
        'unchanged': 'blind',
    },
)
