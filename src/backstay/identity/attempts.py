"""Attempts to sign in with a password, counted by name and by address.

A name that does not exist is counted like one that does. Strangers can lock any name, so a lock
lets programs in that called from the same network lately, and an operator can open it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from limits import RateLimitItemPerDay, RateLimitItemPerMinute

from backstay.audit import SecurityEvent, record
from backstay.audit.models import EventOutcome
from backstay.identity.addresses import network_around, network_of
from backstay.identity.counters import limiter
from backstay.identity.limits import (
    PASSWORDS,
    PASSWORDS_FROM,
    PASSWORDS_HERE,
    SECOND_FACTORS,
    Attempt,
)
from backstay.identity.problems import SignInThrottled

#: Attempts that the limit by name and address rejected; each doubles the pause.
_REFUSED_HERE = RateLimitItemPerMinute(5, 15, namespace='refused-here')
#: Mails that tell an account of a lock.
_TOLD = RateLimitItemPerMinute(1, 15, namespace='told')

#: The networks from which programs called by a name: its lock does not concern them.
_CALLED_FROM = RateLimitItemPerDay(1, 7, namespace='called-from')

#: Seconds that a refused attempt is asked to wait: at first, and at most.
_PAUSE, _LONGEST_PAUSE = 30, 15 * 60


@contextmanager
def password_attempt(
    request: HttpRequest | None, name: str, *, has_code: bool = False, by_program: bool = False
) -> Iterator[Attempt]:
    """Count one attempt at the password of a name, and reject it after too many.

    It is counted before the password is looked at, so that attempts at the same moment count too.
    A name that is locked is only tried together with a code of a second factor, and an attempt
    that fails then is answered as one without. It is not locked for a program (`by_program`) in a
    network from which one had the right password in the last seven days. Raises SignInThrottled.
    """
    here = network_of(request) if request is not None else 'here'
    attempt = Attempt()
    attempt.is_locked = not PASSWORDS.has_room(name)
    if attempt.is_locked and by_program:
        attempt.is_locked = limiter().test(_CALLED_FROM, name, here)
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
        if by_program:
            limiter().hit(_CALLED_FROM, name, here)
        return
    PASSWORDS_FROM.hit(here)
    if attempt.is_locked:
        PASSWORDS.refuse(name)
    PASSWORDS.hit(name)
    attempt.has_locked = not PASSWORDS.has_room(name) and limiter().hit(_TOLD, name)


def unlock(account: Any) -> None:
    """Let an account be tried again at once, also from where it was tried lately; record that."""
    lately = timezone.now() - timedelta(seconds=PASSWORDS_HERE.seconds)
    refused = SecurityEvent.objects.filter(
        account=account.pk, outcome=EventOutcome.REFUSED, at__gt=lately
    )
    addresses = {*refused.values_list('address', flat=True)}
    for name in {account.get_username(), account.email} - {''}:
        PASSWORDS.forget(name)
        limiter().clear(_TOLD, name)
        for here in {network_around(ip_address(each)) for each in addresses if each}:
            PASSWORDS_HERE.forget(name, here)
            limiter().clear(_REFUSED_HERE, name, here)
    SECOND_FACTORS.forget(f'mfa-auth-user-{account.pk}')
    record('sign-in-unlock', account_id=account.pk)
