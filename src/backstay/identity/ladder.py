"""The ladder: what one account may do to another. The API and the admin ask here alike.

A superuser stands above all others. Everybody else stands at the level that they hold everywhere
and acts on accounts below it alone. An account stands at the highest level that it holds over
anything, and never below somebody who lacks one of its permissions in the admin. What opens the
admin is for superusers, and nobody raises themselves.
"""

from enum import Enum
from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q

from backstay.caller import Held
from backstay.identity.loading import account_with_key


class Deed(Enum):
    """What can be done to an account."""

    #: Change what it is called.
    NAME = 'name'
    #: Change how it signs in: user name, e-mail address, verified or not.
    ADDRESS = 'address'
    #: Give it a new password without asking for the old one.
    CREDENTIAL = 'credential'
    #: Take a second factor or a linked sign-in away.
    FACTOR = 'factor'
    #: Block and unblock it, and open its name when wrong passwords have locked it.
    STATUS = 'status'
    #: Give it another level.
    LEVEL = 'level'
    #: Open the admin to it: flags, groups, permissions, and what a group allows.
    FLAGS = 'flags'
    #: End its API keys and its sessions.
    END = 'end'
    DELETE = 'delete'


#: What people may do to their own account without being asked for a secret again.
_ONESELF = frozenset({Deed.NAME, Deed.END})


def may(actor: Any, act: Deed, account: Any = None, *, level: int = 0) -> bool:
    """Whether the actor may do this to the account; `level` is one that it would then have.

    Without an account it asks about a group, or about an account that does not exist yet. Costs
    nothing for superusers; otherwise a statement, and another where the account is staff.
    """
    if account is not None and account.pk == actor.pk:
        return act in _ONESELF or (act is Deed.ADDRESS and actor.is_superuser)
    if actor.is_superuser:
        return True
    if act is Deed.FLAGS or level > actor.level:
        return False
    return account is None or _stands_below(account, actor)


def _stands_below(account: Any, actor: Any) -> bool:
    if account.is_superuser or level_of(account) >= actor.level:
        return False
    return not account.is_staff or actor.has_perms(_permissions_of(account))


def _permissions_of(account: Any) -> set[str]:
    """Return what the account may do in the admin, also while it is blocked."""
    held = Q(user=account) | Q(group__user=account)
    names = Permission.objects.filter(held).values_list('content_type__app_label', 'codename')
    return {'.'.join(name) for name in names.order_by()}


def level_of(account: Any) -> int:
    """Return the highest level that the account holds over anything, blocked or not."""
    held: tuple[Held, ...] | None = getattr(account, 'held', None)
    if held is None:
        found = account_with_key(account.pk)
        held = found.held if found is not None else ()
    return max(account.level, *(each.level for each in held)) if held else int(account.level)
