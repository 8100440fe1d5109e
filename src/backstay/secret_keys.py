"""Keys for separate uses, derived from the site's secret keys (HKDF, RFC 5869).

The newest key of a use writes; those of `SECRET_KEY_FALLBACKS` read what was written before the
secret key was replaced. What leaks of one use is worth nothing for another.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes

__all__ = ['ciphers', 'derived_keys', 'is_mac_of', 'mac_of', 'rotations']

#: What `backstay rotate_secrets` encrypts anew: each name with a function that returns how many.
rotations: dict[str, Callable[[], int]] = {}


def derived_keys(use: str) -> tuple[bytes, ...]:
    """Return a key of 32 bytes for a use from each secret key of the site, the newest first."""
    secret_keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return tuple(_derived(use, force_bytes(key)) for key in secret_keys)


@lru_cache(maxsize=256)
def _derived(use: str, secret_key: bytes) -> bytes:
    info = f'backstay.{use}'.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret_key)


def ciphers(use: str) -> MultiFernet:
    """Return the ciphers of a use: the newest encrypts, all of them decrypt."""
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in derived_keys(use)])


def mac_of(use: str, text: str) -> str:
    """Return the HMAC-SHA-256 of a text under the newest key of a use, as 64 hex digits."""
    return _mac(derived_keys(use)[0], text)


def is_mac_of(use: str, text: str, given: str) -> bool:
    """Whether this is the text's HMAC under a key of the use, or the first digits of it."""
    macs = [_mac(key, text)[: len(given)].encode() for key in derived_keys(use)]
    shown = given.encode('utf-8', 'surrogatepass')
    return bool(given) and any(hmac.compare_digest(mac, shown) for mac in macs)


def _mac(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode('utf-8', 'surrogatepass'), 'sha256').hex()
