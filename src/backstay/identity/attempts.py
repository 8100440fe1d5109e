"""Attempts to sign in, counted by name and by address, and the limits on them.

A name that does not exist is counted like one that does.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute

from backstay.identity.addresses import network_of
from backstay.identity.counters import limiter, seconds_left
from backstay.identity.problems import SignInThrottled

#: Passwords tried for one name from one address; one that is right forgets the others.
PASSWORDS_HERE = RateLimitItemPerMinute(5, 15, namespace='password-here')
#: Attempts that this limit rejected; each doubles the pause.
_REFUSED_HERE = RateLimitItemPerMinute(5, 15, namespace='refused-here')
#: Wrong passwords for one name, from any address.
PASSWORDS = RateLimitItemPerMinute(20, 15, namespace='password')
#: Mails that tell an account of such a lock.
_TOLD = RateLimitItemPerMinute(1, 15, namespace='told')
#: Wrong passwords from one address, for any name.
PASSWORDS_FROM = RateLimitItemPerHour(100, namespace='password-from')
#: Wrong refresh tokens from one address.
REFRESHES_FROM = RateLimitItemPerHour(60, namespace='refresh-from')
#: Requests from one address for accounts, codes and new passwords.
MAILS_FROM = RateLimitItemPerHour(10, namespace='mail-from')
#: Requests for a new password for one e-mail address.
RESETS = RateLimitItemPerHour(3, namespace='reset')

#: Seconds that a refused attempt is asked to wait: at first, and at most.
_PAUSE, _LONGEST_PAUSE = 30, 15 * 60


class Attempt:
    """The outcome of one attempt."""

    succeeded = False
    #: Whether there were so many wrong passwords for the name that the right one is not enough.
    is_locked = False
    #: Whether this one made them so many; true once in each lock.
    has_locked = False


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
    attempt.is_locked = not limiter().test(PASSWORDS, name)
    if attempt.is_locked and not has_code:
        raise SignInThrottled(seconds_left(PASSWORDS, name))
    _refuse_beyond(PASSWORDS_FROM, here)
    if not limiter().hit(PASSWORDS_HERE, name, here):
        # The pause doubles from attempt to attempt, and never outlasts the limit itself.
        left = limiter().get_window_stats(_REFUSED_HERE, name, here).remaining
        limiter().hit(_REFUSED_HERE, name, here)
        pause = min(_PAUSE * 2 ** (_REFUSED_HERE.amount - left), _LONGEST_PAUSE)
        raise SignInThrottled(min(pause, seconds_left(PASSWORDS_HERE, name, here)))
    yield attempt
    if attempt.succeeded:
        limiter().clear(PASSWORDS_HERE, name, here)
        limiter().clear(_REFUSED_HERE, name, here)
        return
    limiter().hit(PASSWORDS_FROM, here)
    if attempt.is_locked:
        raise SignInThrottled(seconds_left(PASSWORDS, name))
    limiter().hit(PASSWORDS, name)
    attempt.has_locked = not limiter().test(PASSWORDS, name) and limiter().hit(_TOLD, name)


def is_within(limit: RateLimitItem, *names: str) -> bool:
    """Count one more and return whether the limit allows it, for callers that stay silent."""
    return limiter().hit(limit, *names)


def _refuse_beyond(limit: RateLimitItem, *names: str) -> None:
    if not limiter().test(limit, *names):
        raise SignInThrottled(seconds_left(limit, *names))


def failed_refresh(request: HttpRequest) -> None:
    """Count a refresh token that was wrong."""
    limiter().hit(REFRESHES_FROM, network_of(request))


def refuse_refreshes(request: HttpRequest) -> None:
    """Raise SignInThrottled after too many wrong refresh tokens from the request's network."""
    _refuse_beyond(REFRESHES_FROM, network_of(request))
