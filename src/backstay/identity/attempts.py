"""Attempts to sign in, and how many of them a site bears (commerce contract, section 1.9).

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
#: Wrong passwords for one name, wherever they come from.
PASSWORDS = RateLimitItemPerMinute(20, 15, namespace='password')
#: Wrong passwords from one address, for whatever name.
PASSWORDS_FROM = RateLimitItemPerHour(100, namespace='password-from')
#: Wrong refresh tokens from one address.
REFRESHES_FROM = RateLimitItemPerHour(60, namespace='refresh-from')
#: Accounts, codes and new passwords asked for from one address.
MAILS_FROM = RateLimitItemPerHour(10, namespace='mail-from')
#: New passwords asked for, for one address of mail.
RESETS = RateLimitItemPerHour(3, namespace='reset')


@contextmanager
def password_attempt(request: HttpRequest | None, name: str) -> Iterator['Attempt']:
    """One attempt at the password of a name: refused when there were too many before.

    It is counted before the password is looked at, so that attempts at the same moment count too.
    Raises SignInThrottled.
    """
    here = network_of(request) if request is not None else 'here'
    _refuse_beyond(PASSWORDS, name)
    _refuse_beyond(PASSWORDS_FROM, here)
    count(PASSWORDS_HERE, name, here)
    attempt = Attempt()
    yield attempt
    if attempt.succeeded:
        limiter().clear(PASSWORDS_HERE, name, here)
    else:
        limiter().hit(PASSWORDS, name)
        limiter().hit(PASSWORDS_FROM, here)


class Attempt:
    """What became of an attempt."""

    succeeded = False


def count(limit: RateLimitItem, *names: str) -> None:
    """Count one more. Raises SignInThrottled when that is too many."""
    if not limiter().hit(limit, *names):
        raise SignInThrottled(seconds_left(limit, *names))


def is_within(limit: RateLimitItem, *names: str) -> bool:
    """Count one more; whether that is not too many. For what must not tell that it was refused."""
    return limiter().hit(limit, *names)


def _refuse_beyond(limit: RateLimitItem, *names: str) -> None:
    if not limiter().test(limit, *names):
        raise SignInThrottled(seconds_left(limit, *names))


def failed_refresh(request: HttpRequest) -> None:
    """Count a refresh token that was wrong."""
    limiter().hit(REFRESHES_FROM, network_of(request))


def refuse_refreshes(request: HttpRequest) -> None:
    """Raises SignInThrottled when too many refresh tokens from there were wrong."""
    _refuse_beyond(REFRESHES_FROM, network_of(request))
