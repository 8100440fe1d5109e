"""What the audit is told of sign-ins, factors and credentials, as Django and allauth signal it.

What they signal nothing of, the module that does it records: keys, tokens, sessions, addresses that
were taken back.
"""

from typing import Any

from allauth.account import signals as account_signals
from allauth.mfa import signals as factor_signals
from django.contrib.auth import get_user_model
from django.contrib.auth import signals as auth_signals
from django.db.models.signals import post_save, pre_save
from django.dispatch import Signal

from backstay.audit import record

#: What decides about an account's rights.
_RIGHTS = ('level', 'status', 'is_staff', 'is_superuser')
#: The attribute of an account with its rights before a save.
_KEPT = '_rights_before'

#: Signals of which the name of the action says all.
_ACTIONS: dict[Signal, str] = {
    account_signals.user_signed_up: 'sign-up',
    auth_signals.user_logged_out: 'sign-out',
    account_signals.password_changed: 'password-change',
    account_signals.password_set: 'password-change',
    account_signals.password_reset: 'password-reset',
    account_signals.email_changed: 'email-change',
}
_FACTORS: dict[Signal, str] = {
    factor_signals.authenticator_added: 'factor-add',
    factor_signals.authenticator_removed: 'factor-remove',
    factor_signals.authenticator_reset: 'factor-reset',
    factor_signals.authenticator_used: 'factor-use',
}


def listen() -> None:
    """Have the audit told from now on."""
    for signal in _ACTIONS:
        signal.connect(_record_action, dispatch_uid=__name__)
    for signal in _FACTORS:
        signal.connect(_record_factor, dispatch_uid=__name__)
    auth_signals.user_logged_in.connect(_record_sign_in, dispatch_uid=__name__)
    factor_signals.authentication_failed.connect(_record_wrong_code, dispatch_uid=__name__)
    account_signals.email_confirmed.connect(_record_confirmation, dispatch_uid=__name__)
    account = get_user_model()
    pre_save.connect(_keep_rights, account, dispatch_uid=__name__)
    post_save.connect(_record_rights, account, dispatch_uid=__name__)


def _record_action(signal: Signal, request: Any = None, user: Any = None, **_: Any) -> None:
    if user is not None:  # a session without an account can end too
        record(_ACTIONS[signal], account_id=user.pk, session_key=_session_of(request))


def _record_sign_in(request: Any, user: Any, **_: Any) -> None:
    record('sign-in', account_id=user.pk, session_key=_session_of(request))


def _record_factor(signal: Signal, user: Any, authenticator: Any, **more: Any) -> None:
    action = 'reauthenticate' if more.get('reauthenticated') else _FACTORS[signal]
    record(action, account_id=user.pk, type=authenticator.type)


def _record_wrong_code(user: Any, authenticator: Any, **_: Any) -> None:
    record('factor-use', account_id=user.pk, refused=True, type=authenticator.type)


def _record_confirmation(email_address: Any, **_: Any) -> None:
    record('email-confirm', account_id=email_address.user_id)


def _session_of(request: Any) -> str | None:
    return getattr(getattr(request, 'session', None), 'stored_key', None)


def _keep_rights(instance: Any, update_fields: Any = None, **_: Any) -> None:
    """Look up the rights that a save may change, as they are stored."""
    may_change = update_fields is None or not set(_RIGHTS).isdisjoint(update_fields)
    stored = type(instance)._base_manager.filter(pk=instance.pk) if may_change else None
    before = stored.values(*_RIGHTS).first() if stored is not None and instance.pk else None
    setattr(instance, _KEPT, before)


def _record_rights(instance: Any, created: bool, **_: Any) -> None:
    before, after = getattr(instance, _KEPT), {name: getattr(instance, name) for name in _RIGHTS}
    if created:
        record('account-create', account_id=instance.pk, after=after)
    elif before is not None:
        record_rights(instance.pk, before, after)


def record_rights(account_id: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Record those rights of an account that differ."""
    if changed := [name for name in after if before[name] != after[name]]:
        record(
            'account-change',
            account_id=account_id,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
