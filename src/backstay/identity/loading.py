"""Accounts as authentication needs them: each with its scopes, in one statement."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Case, Exists, OuterRef, Q, Value, When

from backstay.engine.slots import Slot
from backstay.engine.statements import Statement, text_slot
from backstay.identity.scopes import held_by, provider_paths, scope_columns


def account_with_key(key: Any) -> Any:
    """Return the account with this primary key, its scopes in `held`; None without one."""
    row = _statement_by_key(provider_paths()).first(key)
    if row is None:
        return None
    columns = account_columns()
    return account_from(row[: len(columns)], row[len(columns) :])


def account_called(name: str) -> Any:
    """Return the account with this user name or else this e-mail address; None without one.

    Beside `held` it has `has_second_factor` and `is_unverified`, for code that lets people in by
    password alone.
    """
    row = _statement_by_name(provider_paths()).first(get_user_model().normalize_username(name))
    if row is None:
        return None
    has_second_factor, is_unverified, *rest = row
    count = len(account_columns())
    account = account_from(rest[:count], rest[count:])
    account.has_second_factor = bool(has_second_factor)
    account.is_unverified = bool(is_unverified)
    return account


@lru_cache(maxsize=8)
def account_columns(prefix: str = '') -> tuple[str, ...]:
    """Return the columns of the account's model, behind a path to it."""
    fields = get_user_model()._meta.concrete_fields
    return tuple(f'{prefix}{field.attname}' for field in fields)


def account_from(values: Sequence[Any], scopes: Sequence[Any]) -> Any:
    """Build the account from its columns and from the columns of its scopes."""
    account: Any = get_user_model().from_db('default', account_columns(), list(values))
    account.held = held_by(account.pk, scopes)
    return account


@lru_cache(maxsize=8)
def _statement_by_key(_providers: tuple[str, ...]) -> Statement:
    def rows() -> Any:
        model = get_user_model()
        accounts = model._default_manager.filter(pk=Slot(0, model._meta.pk))
        return accounts.values_list(*account_columns(), *scope_columns('pk'))

    return Statement(rows)


@lru_cache(maxsize=8)
def _statement_by_name(_providers: tuple[str, ...]) -> Statement:
    from allauth.account.models import EmailAddress
    from allauth.mfa.models import Authenticator

    def rows() -> Any:
        is_name, is_email = Q(username=text_slot(0)), Q(email=text_slot(0))
        accounts = get_user_model()._default_manager.filter(is_name | is_email)
        first = Case(When(is_name, then=Value(0)), default=Value(1))
        factors = Authenticator.objects.filter(user_id=OuterRef('pk'))
        unverified = EmailAddress.objects.filter(
            user_id=OuterRef('pk'), email=OuterRef('email'), verified=False
        )
        columns: Any = (
            Exists(factors),
            Exists(unverified),
            *account_columns(),
            *scope_columns('pk'),
        )
        return accounts.order_by(first).values_list(*columns)

    return Statement(rows)
