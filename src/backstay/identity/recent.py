"""Step-up: what may be done only shortly after somebody has shown who they are."""

import time
from datetime import timedelta
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from rest_framework.request import Request

from backstay.identity.problems import SignInTooOld

#: How long a sign-in, a password or a code counts as recent.
RECENT = timedelta(minutes=10)


def refuse_old_sign_in(request: Request) -> None:
    """Raise SignInTooOld unless the session's person has just signed in or proved themselves.

    A password that came with the request is as recent as can be.
    """
    if request.auth == 'password':
        return
    token_session = getattr(request.user, 'session_key', None)
    session: Any = SessionStore(token_session) if token_session else request._request.session
    proofs = session.get(AUTHENTICATION_METHODS_SESSION_KEY, ())
    newest = max((float(each.get('at', 0)) for each in proofs), default=0.0)
    if time.time() - newest > RECENT.total_seconds():
        raise SignInTooOld
