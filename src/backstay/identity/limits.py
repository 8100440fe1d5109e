"""Limits wherever a secret is asked for: one table, which the reference shows.

Each is counted exactly, in Redis or in the database, by all processes together. A service that asks
for secrets of its own declares a `Limit` for them and looks at each within `guarded`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

from django.http import HttpRequest
from limits import RateLimitItem, RateLimitItemPerSecond

from backstay.identity.addresses import network_of
from backstay.identity.counters import limiter, seconds_left
from backstay.identity.problems import SignInThrottled, TokenInvalid

#: Every limit of the site, by its name.
LIMITS: dict[str, 'Limit'] = {}


@dataclass(frozen=True, kw_only=True)
class Limit:
    """So many tries in so many seconds, of one thing for each name that it is counted by.

    Declaring it enters it into `LIMITS`. Raises ValueError for a name that is taken.
    """

    name: str
    #: What is counted, and by what, as the reference says it.
    counts: str
    amount: int
    seconds: int
    #: What happens beyond it, as the reference says it.
    beyond: str = '429'
    #: The action of allauth that it bounds, and whether by `address`, `account` or `key`.
    action: str = ''
    by: str = ''

    def __post_init__(self) -> None:
        if self.name in LIMITS:
            raise ValueError(f'there is a limit {self.name!r} already')
        LIMITS[self.name] = self

    @cached_property
    def _item(self) -> RateLimitItem:
        return RateLimitItemPerSecond(self.amount, self.seconds, namespace=self.name)

    def hit(self, *names: str) -> bool:
        """Count one more and return whether the limit allows it; beyond it nothing is counted."""
        return limiter().hit(self._item, *names)

    def has_room(self, *names: str) -> bool:
        """Whether the limit allows one more."""
        return limiter().test(self._item, *names)

    def left(self, *names: str) -> int:
        """Return how many more the limit allows."""
        return limiter().get_window_stats(self._item, *names).remaining

    def forget(self, *names: str) -> None:
        """Count from nothing again."""
        limiter().clear(self._item, *names)

    def refuse(self, *names: str) -> NoReturn:
        """Raise SignInThrottled, which says when the limit allows one more."""
        raise SignInThrottled(seconds_left(self._item, *names))

    def seconds_left(self, *names: str) -> int:
        """Return the seconds until the limit allows one more, at least 1."""
        return seconds_left(self._item, *names)


class Attempt:
    """The outcome of one attempt."""

    succeeded = False
    #: Whether there were so many wrong passwords for the name that the right one is not enough.
    is_locked = False
    #: Whether this one made them so many; true once in each lock.
    has_locked = False


@contextmanager
def guarded(limit: Limit, *names: str) -> Iterator[Attempt]:
    """Count a try before its secret is looked at; forget the tries if it `succeeded`.

    So tries at the same moment count too. Raises SignInThrottled beyond the limit.
    """
    if not limit.hit(*names):
        limit.refuse(*names)
    attempt = Attempt()
    yield attempt
    if attempt.succeeded:
        limit.forget(*names)


def refuse_token(limit: Limit, request: HttpRequest, detail: str | None = None) -> NoReturn:
    """Count a wrong token from an address and raise TokenInvalid, or SignInThrottled beyond it.

    The right one is let in all the same: it has 128 random bits or more, which nobody guesses, and
    others may share the address.
    """
    here = network_of(request)
    if not limit.hit(here):
        limit.refuse(here)
    raise TokenInvalid(detail)


#: Passwords tried for one name from one address.
PASSWORDS_HERE = Limit(
    name='password-here',
    counts='passwords tried for a name from an address, forgotten after the right one',
    amount=5,
    seconds=15 * 60,
)
PASSWORDS = Limit(
    name='password',
    counts='wrong passwords for a name, from anywhere',
    amount=20,
    seconds=15 * 60,
)
PASSWORDS_FROM = Limit(
    name='password-from',
    counts='wrong passwords from an address',
    amount=100,
    seconds=3600,
)
SECOND_FACTORS = Limit(
    name='second-factor',
    counts='codes of a second factor for an account, forgotten after the right one',
    amount=5,
    seconds=5 * 60,
    action='login_failed',
    by='key',
)
GUESSES = Limit(
    name='guess',
    counts='tries of a mailed code in a session; three wrong ones make it void',
    amount=10,
    seconds=3600,
)
KEYS_FROM = Limit(
    name='key-from',
    counts='wrong API keys from an address',
    amount=100,
    seconds=3600,
    beyond='429 for wrong ones',
)
TOKENS_FROM = Limit(
    name='token-from',
    counts='wrong access tokens from an address',
    amount=300,
    seconds=3600,
    beyond='429 for wrong ones',
)
REFRESHES_FROM = Limit(
    name='refresh-from',
    counts='wrong refresh tokens from an address',
    amount=60,
    seconds=3600,
)
WORKFLOWS_FROM = Limit(
    name='workflow-from',
    counts='wrong tokens of workflows from an address',
    amount=60,
    seconds=3600,
    beyond='429 for wrong ones',
)
UNDOS_FROM = Limit(
    name='undo-from',
    counts='wrong texts that undo a change of address, from an address',
    amount=20,
    seconds=3600,
)
MAILS_FROM = Limit(
    name='mail-from',
    counts='mails asked for by strangers from an address',
    amount=10,
    seconds=3600,
    beyond='the usual answer, without a mail',
)
RESETS = Limit(
    name='reset',
    counts='codes for a new password for an address of mail',
    amount=3,
    seconds=3600,
    beyond='the usual answer, without a mail',
)


def _of_allauth(action: str, by: str, amount: int, seconds: int, counts: str) -> None:
    Limit(
        name=f'{action}-{by}',
        counts=counts,
        amount=amount,
        seconds=seconds,
        action=action,
        by=by,
    )


_of_allauth('login', 'address', 30, 60, 'requests to sign in from an address')
_of_allauth('signup', 'address', 20, 60, 'requests to sign up from an address')
_of_allauth('webauthn_login', 'address', 10, 60, 'answers of passkeys from an address')
_of_allauth('reauthenticate', 'account', 10, 60, 'passwords given again by an account')
_of_allauth('change_password', 'account', 5, 60, 'changes of the password by an account')
_of_allauth('manage_email', 'account', 10, 60, 'requests about addresses by an account')
_of_allauth('confirm_email', 'key', 1, 10, 'codes mailed to a new address')
_of_allauth('reset_password', 'address', 20, 60, 'requests for a new password from an address')
_of_allauth('reset_password', 'key', 5, 60, 'requests for a new password for an address of mail')
_of_allauth(
    'reset_password_from_key', 'address', 20, 60, 'new passwords with a code, from an address'
)
