"""Identity: accounts, their ways of signing in, keys of programs, and the caller of a request."""

from typing import TYPE_CHECKING

from backstay.faces import imported_later

if TYPE_CHECKING:
    from backstay.identity.authentication import (
        ApiKeyAuthentication,
        BasicAuthentication,
        BearerAuthentication,
    )
    from backstay.identity.callers import caller_of
    from backstay.identity.limits import Limit, guarded
    from backstay.identity.models import Account
    from backstay.identity.passwords import verified_passwords
    from backstay.identity.personal_data import PersonalData
    from backstay.identity.problems import CredentialsInvalid
    from backstay.identity.throttles import AddressThrottle, CallerThrottle

__all__ = [
    'Account',
    'AddressThrottle',
    'ApiKeyAuthentication',
    'BasicAuthentication',
    'BearerAuthentication',
    'CallerThrottle',
    'CredentialsInvalid',
    'Limit',
    'PersonalData',
    'caller_of',
    'guarded',
    'verified_passwords',
]

__getattr__ = imported_later(
    __name__,
    {
        'Account': 'models',
        'AddressThrottle': 'throttles',
        'ApiKeyAuthentication': 'authentication',
        'BasicAuthentication': 'authentication',
        'BearerAuthentication': 'authentication',
        'CallerThrottle': 'throttles',
        'CredentialsInvalid': 'problems',
        'Limit': 'limits',
        'PersonalData': 'personal_data',
        'caller_of': 'callers',
        'guarded': 'limits',
        'verified_passwords': 'passwords',
    },
)
