"""Step-up: what may be done only shortly after somebody has shown who they are."""

import time
from datetime import timedelta
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from rest_framework.request import Request

from backstay.identity.problems import SignInTooOld
from backstay.identity.session_store import SessionStore

#: How long a sign-in, a password or a code counts as recent.
RECENT = timedelta(minutes=10)
#: The key in a session of the moment at which it was signed in.
_SIGNED_IN_AT = 'backstay_signed_in_at'


def refuse_old_sign_in(request: Request) -> None:
    """Raise SignInTooOld unless the session's person has just signed in or proved themselves.

    A password that came with the request is as recent as can be.
    """
    if request.auth == 'password':
        return
    token_session = getattr(request.user, 'session_key', None)
    session: Any = SessionStore(token_session) if token_session else request._request.session
    if not is_recent(session):
        raise SignInTooOld


def is_recent(session: Any) -> bool:
    """Whether the person of a session has just signed in, or proved themselves again."""
    proofs = session.get(AUTHENTICATION_METHODS_SESSION_KEY, ())
    moments = (signed_in_at(session), *(each.get('at', 0) for each in proofs))
    return time.time() - max(map(float, moments)) <= RECENT.total_seconds()


def signed_in_at(session: Any) -> float:
    """Return the moment of the sign-in, in seconds since 1970; 0 for a session without one."""
    return float(session.get(_SIGNED_IN_AT, 0))


def renew_key(request: Any, reauthenticated: bool = False, **_: Any) -> None:
    """Give the session of a person who proved themselves again a new key (ASVS 7.2.4).

    A receiver of allauth's `authenticator_used`; what passwords prove, the adapter is told.
    """
    if reauthenticated:
        request.session.cycle_key()


def note_sign_in(request: Any, **_: Any) -> None:
    """Note the moment in the session; a receiver of Django's `user_logged_in`."""
    request.session[_SIGNED_IN_AT] = time.time()
