"""Secrets of webhooks: made, stored encrypted with a key made of SECRET_KEY, signed with.

https://www.standardwebhooks.com/
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from secrets import token_bytes

from django.core.exceptions import ValidationError
from django.db import transaction
from standardwebhooks import Webhook as Signer

from backstay.secret_keys import ciphers

_PREFIX = 'whsec_'
_USE = 'webhook-secret'
#: How long deliveries are signed by the former secret too, once there is a new one.
OVERLAP = timedelta(days=1)
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
    return ciphers(_USE).encrypt(secret.encode()).decode()


def unseal(stored: str) -> str:
    """What was meant; cryptography's InvalidToken when it was stored with another SECRET_KEY."""
    return ciphers(_USE).decrypt(stored.encode()).decode()


def signed(secrets: Sequence[str], event: str, body: str, now: datetime) -> dict[str, str]:
    """The headers by which a receiver knows who sent the body, and when.

    It has a signature by each secret, of which one has to be right.
    """
    moment = now.astimezone(UTC)
    signatures = (Signer(secret).sign(event, moment, body) for secret in secrets)
    return {
        'webhook-id': event,
        'webhook-timestamp': str(int(moment.timestamp())),
        'webhook-signature': ' '.join(signatures),
    }


def rotate_secrets() -> int:
    """Encrypt every stored secret with the newest key; return how many there are."""
    from backstay.events.models import Webhook

    count = 0
    for key in Webhook._base_manager.exclude(secret='').values_list('pk', flat=True):
        with transaction.atomic():
            hook = Webhook._base_manager.select_for_update().filter(pk=key)
            for stored in hook.values('secret', 'former_secret'):
                anew = {name: _anew(str(text)) for name, text in stored.items() if text}
                count += hook.update(**anew)
    return count


def _anew(stored: str) -> str:
    return ciphers(_USE).rotate(stored.encode()).decode()
