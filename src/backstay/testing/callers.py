"""Callers of tests: said in a few words, or an account that is stored."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from backstay.caller import Caller, CallerKind, Held
from backstay.identity.callers import Machine

#: Who asks: a caller, an account with all that it holds, or nobody (a guest).
Who = Caller | AbstractBaseUser | None

#: What is held: over what, the primary key of the thing (None for all of them), and the level.
Scope = tuple[str, Any, int]


def caller(
    *,
    kind: CallerKind = 'account',
    account_id: Any = 1,
    name: str = 'caller of a test',
    level: int = 0,
    scopes: Iterable[Scope] = (),
    read_only: bool = False,
) -> Caller:
    """A caller that holds these scopes, without an account in the database.

    `caller(scopes=[('companies', 7, 2)])` has level 2 over company 7; `read_only` is said of all
    its scopes.
    """
    held = tuple(
        Held(over=over, id=key, level=held_level, read_only=read_only)
        for over, key, held_level in scopes
    )
    is_account = kind == 'account'
    return Caller(
        kind=kind,
        account_id=account_id if is_account else None,
        name=name,
        level=level,
        scopes=held,
    )


def user_of(who: Who) -> Any:
    """What Django REST Framework takes for the user of a request; None for a guest."""
    if isinstance(who, Caller):
        return None if who.kind == 'guest' else Machine(who)
    return who
