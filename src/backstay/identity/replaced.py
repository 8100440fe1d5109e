"""Parts of allauth that are replaced.

They count and remember in the cache of a process, or take what is stored of a session's key for
the key.
"""

from typing import Any

from allauth.account.signals import password_changed, password_set, user_logged_in
from allauth.core import context
from allauth.core.exceptions import RateLimited
from allauth.core.internal import ratelimit
from allauth.core.internal.cryptokit import compare_user_code
from allauth.headless.internal import sessionkit
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from allauth.usersessions import signals
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from backstay.identity.addresses import network_of
from backstay.identity.limits import LIMITS, Limit
from backstay.identity.session_limits import end
from backstay.identity.session_store import AppSessionStore, SessionStore, StoredKey

#: The member of a factor's data with the last step of time whose code was used.
_LAST = 'last_step'


class OnceTOTP(totp.TOTP):
    """An authenticator app, of which each code works once, in whichever process (RFC 6238, 5.2)."""

    def validate_code(self, code: str) -> bool:
        """Whether the code is right and newer than the last; it and older ones then are used."""
        secret = decrypt(self.instance.data['secret'])
        steps = totp.yield_hotp_counters_from_time()
        right = [step for step in steps if _is_code(secret, step, code)]
        if not right:
            return False
        with transaction.atomic():
            stored = Authenticator.objects.select_for_update().filter(pk=self.instance.pk).first()
            if stored is None or stored.data.get(_LAST, -1) >= right[-1]:
                return False
            self.instance.data = stored.data = {**stored.data, _LAST: right[-1]}
            stored.save(update_fields=['data'])
        return True


def _is_code(secret: str, step: int, code: str) -> bool:
    value = totp.format_hotp_value(totp.hotp_value(secret, step))
    return bool(compare_user_code(actual=code, expected=value))


def consume(
    request: HttpRequest,
    *,
    action: str,
    key: str | None = None,
    user: Any = None,
    dry_run: bool = False,
    limit_get: bool = False,
    raise_exception: bool = False,
    **_: Any,
) -> ratelimit.RateLimitUsage | None:
    """Count an action of allauth in our table; return None, or raise RateLimited, beyond it."""
    if request.method == 'GET' and not limit_get:
        return ratelimit.RateLimitUsage([])
    for limit, name in _limits_of(request, action, key, user):
        if not (limit.has_room(name) if dry_run else limit.hit(name)):
            if raise_exception:
                raise RateLimited
            return None
    return ratelimit.RateLimitUsage([])


def clear(
    request: HttpRequest, *, action: str, key: str | None = None, user: Any = None, **_: Any
) -> None:
    """Forget what was counted of an action."""
    for limit, name in _limits_of(request, action, key, user):
        limit.forget(name)


def _limits_of(
    request: HttpRequest, action: str, key: str | None, user: Any
) -> list[tuple[Limit, str]]:
    """Return the limits of an action, each with the name by which this request counts."""
    found = [limit for limit in LIMITS.values() if limit.action == action]
    names = {
        'address': lambda: network_of(request),
        'account': lambda: str((user or request.user).pk),
        'key': lambda: str(key),
    }
    return [(limit, names[limit.by]()) for limit in found]


def _store_of(session: UserSession, *_: Any) -> SessionStore:
    return SessionStore(StoredKey(session.session_key))


def _exists(session: UserSession) -> bool:
    return Session.objects.filter(session_key=session.session_key).exists()


def _is_current(session: UserSession) -> bool:
    return bool(session.session_key == context.request.session.stored_key)


def _end(session: UserSession) -> None:
    end(UserSession.objects.filter(pk=session.pk))


def replace() -> None:
    """Put ours in their places."""
    vars(ratelimit).update(consume=consume, clear=clear)
    vars(totp).update(TOTP=OnceTOTP)
    vars(sessionkit).update(new_session=AppSessionStore)
    ours = {'_session_store': _store_of, 'exists': _exists, 'is_current': _is_current, 'end': _end}
    for name, method in ours.items():
        setattr(UserSession, name, method)
    # `session_limits` keeps the rows of sessions, and they follow a new key by themselves.
    user_logged_in.disconnect(signals.on_user_logged_in)
    for changed in (password_changed, password_set):
        changed.disconnect(signals.on_password_changed)
