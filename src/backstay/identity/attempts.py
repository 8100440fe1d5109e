"""Attempts to sign in with a password, counted by name and by address.

A name that does not exist is counted like one that does.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from limits import RateLimitItemPerMinute

from backstay.identity.addresses import network_of
from backstay.identity.counters import limiter
from backstay.identity.limits import (
    PASSWORDS,
    PASSWORDS_FROM,
    PASSWORDS_HERE,
    Attempt,
)
from backstay.identity.problems import SignInThrottled

#: Attempts that the limit by name and address rejected; each doubles the pause.
_REFUSED_HERE = RateLimitItemPerMinute(5, 15, namespace='refused-here')
#: Mails that tell an account of a lock.
_TOLD = RateLimitItemPerMinute(1, 15, namespace='told')

#: Seconds that a refused attempt is asked to wait: at first, and at most.
_PAUSE, _LONGEST_PAUSE = 30, 15 * 60


@contextmanager
def password_attempt(
    request: HttpRequest | None, name: str, *, has_code: bool = False
) -> Iterator[Attempt]:
    """Count one attempt at the password of a name, and reject it after too many.

    It is counted before the password is looked at, so that attempts at the same moment count too.
    A name that is locked is only tried together with a code of a second factor, and an attempt
    that fails then is answered as one without. Raises SignInThrottled.
    """
    here = network_of(request) if request is not None else 'here'
    attempt = Attempt()
    attempt.is_locked = not PASSWORDS.has_room(name)
    if attempt.is_locked and not has_code:
        PASSWORDS.refuse(name)
    if not PASSWORDS_FROM.has_room(here):
        PASSWORDS_FROM.refuse(here)
    if not PASSWORDS_HERE.hit(name, here):
        # The pause doubles from attempt to attempt, and never outlasts the limit itself.
        left = limiter().get_window_stats(_REFUSED_HERE, name, here).remaining
        limiter().hit(_REFUSED_HERE, name, here)
        pause = min(_PAUSE * 2 ** (_REFUSED_HERE.amount - left), _LONGEST_PAUSE)
        raise SignInThrottled(min(pause, PASSWORDS_HERE.seconds_left(name, here)))
    yield attempt
    if attempt.succeeded:
        PASSWORDS_HERE.forget(name, here)
        limiter().clear(_REFUSED_HERE, name, here)
        return
    PASSWORDS_FROM.hit(here)
    if attempt.is_locked:
        PASSWORDS.refuse(name)
    PASSWORDS.hit(name)
    attempt.has_locked = not PASSWORDS.has_room(name) and limiter().hit(_TOLD, name)
