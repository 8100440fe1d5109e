"""Secrets of webhooks: made, stored encrypted with a key made of SECRET_KEY, signed with.

https://www.standardwebhooks.com/
"""

import base64
import binascii
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_bytes

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.encoding import force_bytes
from standardwebhooks import Webhook as Signer

_PREFIX = 'whsec_'
#: Bytes that the standard lets a secret have.
_LEAST, _MOST = 24, 64


def new_secret() -> str:
    """A secret of 32 random bytes, as receivers are given it."""
    return _PREFIX + base64.b64encode(token_bytes(32)).decode()


def validate_secret(text: str) -> None:
    """Refuse what the standard does not take; the text is not repeated."""
    try:
        raw = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raw = b''
    if not text.startswith(_PREFIX) or not _LEAST <= len(raw) <= _MOST:
        raise ValidationError(
            f'Use {_PREFIX} and {_LEAST} to {_MOST} random bytes in base64.', code='secret-invalid'
        )


def seal(secret: str) -> str:
    """What is stored."""
    return _ciphers().encrypt(secret.encode()).decode()


def unseal(stored: str) -> str:
    """What was meant; cryptography's InvalidToken when it was stored with another SECRET_KEY."""
    return _ciphers().decrypt(stored.encode()).decode()


def signed(secret: str, event: str, body: str, now: datetime) -> dict[str, str]:
    """The headers by which a receiver knows who sent the body, and when."""
    moment = now.astimezone(UTC)
    return {
        'webhook-id': event,
        'webhook-timestamp': str(int(moment.timestamp())),
        'webhook-signature': Signer(secret).sign(event, moment, body),
    }


def _ciphers() -> MultiFernet:
    """The newest key first: those of SECRET_KEY_FALLBACKS only read."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str | bytes) -> bytes:
    purpose = b'backstay.events.webhook-secret'
    return base64.urlsafe_b64encode(sha256(purpose + force_bytes(key)).digest())
