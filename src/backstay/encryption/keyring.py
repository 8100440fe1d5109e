"""Master keys: they wrap the data keys, and never leave their keyring.

A keyring is any object with the three members of `Keyring`. The one of the environment holds the
keys of `BACKSTAY_ENCRYPTION_KEYS` in memory; a key service of a cloud is a class with the same
members, named by `BACKSTAY_KEYRING`.
"""

from functools import lru_cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from backstay.encryption.envelope import decrypt, encrypt
from backstay.encryption.errors import NotReadable, NotSealable
from backstay.settings.master_keys import parse_master_keys


class Keyring(Protocol):
    """Several versions of a master key, by name. Its methods are called by several threads."""

    @property
    def newest(self) -> str:
        """The name of the version that wraps: letters, digits, `.`, `_` and `-`; at most 64."""

    def wrap(self, key: bytes, bound_to: bytes) -> tuple[str, bytes]:
        """Return the newest version, and 32 bytes encrypted with it, bound to associated data."""

    def unwrap(self, version: str, wrapped: bytes, bound_to: bytes) -> bytes:
        """Decrypt what `wrap` gave. Raises NotReadable where it cannot."""


class EnvironmentKeyring:
    """The keys of `BACKSTAY_ENCRYPTION_KEYS`, the first of which wraps."""

    def __init__(self, text: str) -> None:
        self._keys = parse_master_keys(text)

    @property
    def newest(self) -> str:
        """The name of the first key. Raises NotSealable where there is none."""
        name = next(iter(self._keys), '')
        if not name:
            raise NotSealable('BACKSTAY_ENCRYPTION_KEYS is not set: nothing can be encrypted.')
        return name

    def wrap(self, key: bytes, bound_to: bytes) -> tuple[str, bytes]:
        """Encrypt a data key with the first key."""
        return self.newest, encrypt(self._keys[self.newest], key, bound_to)

    def unwrap(self, version: str, wrapped: bytes, bound_to: bytes) -> bytes:
        """Decrypt a data key. Raises NotReadable."""
        if version not in self._keys:
            raise NotReadable(f'The master key {version!r} is not in BACKSTAY_ENCRYPTION_KEYS.')
        return decrypt(self._keys[version], wrapped, bound_to)


def keyring() -> Keyring:
    """Return the keyring of the site."""
    environment = settings.BACKSTAY
    return _keyring(environment.keyring, environment.encryption_keys.get_secret_value())


@lru_cache(maxsize=8)
def _keyring(path: str, keys: str) -> Keyring:
    found: Keyring = import_string(path)() if path else EnvironmentKeyring(keys)
    return found
