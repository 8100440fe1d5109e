"""Operations: serving, health, logs, metrics, profiles, and the release of a version."""

from typing import TYPE_CHECKING

from backstay.faces import imported_later

if TYPE_CHECKING:
    from backstay.operations.proxies import trust_proxies

__all__ = ['trust_proxies']

__getattr__ = imported_later(__name__, {'trust_proxies': 'proxies'})
