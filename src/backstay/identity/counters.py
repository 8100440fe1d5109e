"""Counters of attempts and calls: moving windows of the library `limits`.

They are in Redis where the site has one, else in a table, so that they outlive a restart and all
processes share them. A hit is atomic on both.
"""

import hashlib
import math
import sys
import time
from array import array
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import MovingWindowSupport, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from backstay.errors import Problem
from backstay.identity.models import Counter


class DatabaseStorage(Storage, MovingWindowSupport):
    """A row for each counter, locked while it is read and written.

    On SQLite a transaction has the only write lock from its begin; on PostgreSQL the row is locked.
    """

    STORAGE_SCHEME = ('backstay-database',)  # type: ignore[assignment]

    @property
    def base_exceptions(self) -> type[Exception]:
        """Return the type of error that the storage may raise."""
        return DatabaseError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` hits, unless that makes more than `limit` within `expiry` seconds."""
        now = time.time()
        with transaction.atomic():
            counter, _ = Counter.objects.select_for_update().get_or_create(
                pk=_hashed(key), defaults={'hits': b'', 'expires_at': 0.0}
            )
            hits = _recent(counter.hits, now - expiry)
            if len(hits) + amount > limit:
                return False
            counter.hits = (array('d', [now] * amount) + hits)[:limit].tobytes()
            counter.expires_at = now + expiry
            counter.save()
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return the time of the oldest hit that still counts, and the number of hits."""
        now = time.time()
        stored = Counter.objects.filter(pk=_hashed(key)).values_list('hits', flat=True).first()
        hits = _recent(stored or b'', now - expiry)[:limit]
        return (hits[-1] if hits else now), len(hits)

    def clear(self, key: str) -> None:
        """Delete the hits of one counter."""
        Counter.objects.filter(pk=_hashed(key)).delete()

    def reset(self) -> int | None:
        """Delete all hits of all limits; return the number of counters."""
        return Counter.objects.all().delete()[0]

    def check(self) -> bool:
        """Whether the table can be read."""
        Counter.objects.exists()
        return True

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Raise NotImplementedError: fixed windows are not kept here."""
        raise NotImplementedError('use a moving window')

    def get(self, key: str) -> int:
        """Raise NotImplementedError: fixed windows are not kept here."""
        raise NotImplementedError('use a moving window')

    def get_expiry(self, key: str) -> float:
        """Raise NotImplementedError: fixed windows are not kept here."""
        raise NotImplementedError('use a moving window')


def _hashed(key: str) -> str:
    """Return the key of the row, which reveals neither the name nor its length."""
    return hashlib.sha256(key.encode()).hexdigest()


def _recent(stored: Any, since: float) -> 'array[float]':
    hits = array('d')
    hits.frombytes(bytes(stored))
    return array('d', (hit for hit in hits if hit > since))


@lru_cache(maxsize=4)
def _limiter(redis_url: str) -> MovingWindowRateLimiter:
    storage: Any = DatabaseStorage()
    if redis_url:
        waits = {'socket_connect_timeout': 1, 'socket_timeout': 1}
        storage = storage_from_string(redis_url, wrap_exceptions=True, **waits)
    return MovingWindowRateLimiter(storage)


def problem_of(error: Exception) -> Problem | None:
    """Return 503 `unavailable` where Redis does not answer; None of all else.

    The counters wrap its errors; the cache and what else asks it let them through.
    """
    package = sys.modules.get('redis')  # not every site has it
    if not (isinstance(error, StorageError) or (package and isinstance(error, package.RedisError))):
        return None
    return Problem(
        'What counts attempts and keeps codes cannot be reached; try again.',
        code='unavailable',
        headers={'Retry-After': '2'},
    )


def limiter() -> MovingWindowRateLimiter:
    """Return the counters of the site."""
    url = settings.BACKSTAY.redis_url
    return _limiter(url.get_secret_value() if url else '')


def seconds_left(limit: RateLimitItem, *names: str) -> int:
    """Return the seconds until the limit allows one more, at least 1."""
    reset_time = limiter().get_window_stats(limit, *names).reset_time
    return max(1, math.ceil(reset_time - time.time()))


def old_counters() -> QuerySet[Counter]:
    """Return the rows that count nothing any more."""
    return Counter.objects.filter(expires_at__lt=time.time())
