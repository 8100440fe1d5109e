"""The caller of a request, loaded once, with the rights of this moment."""

from typing import Any

from backstay.caller import GUEST, Caller
from backstay.identity.loading import account_with_key

#: The attribute of a request that holds its caller, beside the user to whom that belongs.
_KEPT = '_backstay_caller'


def caller_of(request: Any) -> Caller:
    """Return the caller of a request of Django or Django REST Framework; authenticate if needed.

    Costs no statement for guests and for whoever our own authentication let in; otherwise one.
    """
    http = getattr(request, '_request', request)
    user = getattr(request, 'user', None)
    for_user, caller = getattr(http, _KEPT, (None, None))
    if caller is None or for_user is not user:
        if user is None or not user.is_authenticated:
            caller = GUEST
        elif isinstance(user, Machine):
            caller = user.caller
        else:
            caller = caller_of_account(user)
        setattr(http, _KEPT, (user, caller))
    return caller


def caller_of_account(account: Any) -> Caller:
    """Return the account as a caller: one statement, unless it was loaded with its scopes."""
    if getattr(account, 'held', None) is None:
        account = account_with_key(account.pk)
    if account is None or not account.is_active:
        return GUEST
    return Caller(
        kind='account',
        account_id=account.pk,
        name=account.get_username(),
        level=account.level,
        scopes=account.held,
    )


class Machine:
    """The `request.user` of a caller that is not an account: a key or a pipeline.

    It has no account, so nothing is its own, and it may not open the admin.
    """

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def __str__(self) -> str:
        return self.caller.name

    @property
    def pk(self) -> str:
        """Return the key by which logs name the caller."""
        return self.caller.key

    def get_username(self) -> str:
        """Return the caller's name."""
        return self.caller.name

    def has_perm(self, _perm: str, _obj: Any = None) -> bool:
        """Deny: Django's permissions are for the admin, which machines may not open."""
        return False
