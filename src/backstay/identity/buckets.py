"""Counts of all calls of a minute, by address, account and key, in the memory of the process.

They guard against floods, not secrets: a count is exact for this process, and knows of the others
what they had counted when it was last shared (`backstay.operations.sharing`, every second). So a
caller of several processes may get through what the others let through in a second more than its
limit, and at the turn of a minute twice the limit within a minute.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from django.conf import settings

#: Seconds of a bucket.
WINDOW = 60
#: Names that a process counts in one minute; more are let through uncounted.
MAX_NAMES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What is left of a limit."""

    amount: int
    #: Below 0 when the call is one too many.
    remaining: int
    #: When the limit is whole again, in seconds since 1970.
    reset_time: float


class Buckets:
    """The calls of this minute: those counted here since they were shared, and all known before."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._new: dict[str, int] = {}
        self._known: dict[str, int] = {}

    def count(self, kind: str, name: str) -> Rest | None:
        """Count one call of an `address`, `account` or `key`; None where it has no limit."""
        amount: int = getattr(settings.BACKSTAY, f'calls_by_{kind}')
        if not amount:
            return None
        key, minute = f'{kind} {name}', int(time.time() // WINDOW)
        with self._lock:
            self._begin(minute)
            new = self._new.get(key, 0) + 1
            remaining = amount - self._known.get(key, 0) - new
            if remaining >= 0 and (new > 1 or len(self._new) < MAX_NAMES):
                self._new[key] = new
        return Rest(amount=amount, remaining=remaining, reset_time=(minute + 1) * WINDOW)

    def take(self) -> tuple[int, Mapping[str, int]]:
        """Return the minute, and the calls since the last time; they count as known from now on."""
        with self._lock:
            self._begin(int(time.time() // WINDOW))
            taken, self._new = self._new, {}
            for key, calls in taken.items():
                self._known[key] = self._known.get(key, 0) + calls
            return self._minute, taken

    def learn(self, minute: int, totals: Mapping[str, int]) -> None:
        """Take over what all processes have counted, unless the minute is over."""
        with self._lock:
            if minute == self._minute:
                self._known.update(totals)

    def _begin(self, minute: int) -> None:
        if minute != self._minute:
            self._minute, self._new, self._known = minute, {}, {}


#: Those of this process.
calls = Buckets()
