"""The second factor of an account, where its code comes together with the password."""

import json
from typing import Any

from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest

from backstay.identity.problems import SignInThrottled
from backstay.secret_keys import ciphers

#: The use of the keys that encrypt the secrets of second factors.
FACTOR_USE = 'second-factor'
#: The attribute of a request that holds the factor whose code it brought.
_KEPT = '_backstay_second_factor'
#: Members of a factor's data that allauth encrypts.
_ENCRYPTED = ('secret', 'seed', 'migrated_codes')


def code_in(request: HttpRequest | None) -> str:
    """Return the code sent with a password: `totp` in JSON, `code` in the admin's form; else ''."""
    if request is None:
        return ''
    if hasattr(getattr(request, 'allauth', None), 'headless'):
        given = json.loads(request.body)  # which allauth has read before
        return str(given.get('totp') or '')
    return request.POST.get('code', '')


def find_factor(request: HttpRequest | None, account: Any, code: str) -> bool:
    """Whether this is a code of a second factor of the account, which the request then keeps.

    It is an authenticator app's or a recovery code; each works once. Without an account it
    takes about as long.
    """
    if account is None:
        Authenticator.objects.filter(user_id=0).first()
        return False
    form = AuthenticateForm(data={'code': code}, user=account)
    try:
        is_right = form.is_valid()
    except SignInThrottled:  # answered as a wrong code, so that the right password stays unknown
        return False
    if is_right and request is not None:
        setattr(request, _KEPT, form.authenticator)
    return is_right


def kept_factor(request: HttpRequest, account: Any) -> Any:
    """Return the second factor that the request has proved for the account, or None."""
    factor = getattr(request, _KEPT, None)
    return factor if factor is not None and factor.user_id == account.pk else None


def rotate_factors() -> int:
    """Encrypt the secret of every factor with the newest key; return how many there are."""
    count = 0
    for key in Authenticator.objects.values_list('pk', flat=True):
        with transaction.atomic():
            factor = Authenticator.objects.select_for_update().filter(pk=key).first()
            if factor is None:
                continue
            encrypted = {name: factor.data[name] for name in _ENCRYPTED if name in factor.data}
            if encrypted:
                factor.data |= {name: _anew(stored) for name, stored in encrypted.items()}
                factor.save(update_fields=['data'])
                count += 1
    return count


def _anew(stored: Any) -> Any:
    if isinstance(stored, list):
        return [_anew(each) for each in stored]
    return ciphers(FACTOR_USE).rotate(stored.encode()).decode()
