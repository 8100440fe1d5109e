"""The counts of calls that the processes of a site share every second.

They are in Redis where the site has one, else in a table, one row for each name that called in
this minute. When it cannot be reached, each process goes on with what it knows.
"""

import hashlib
import time
from collections.abc import Mapping
from itertools import count
from threading import Thread

import structlog
from django.conf import settings
from django.db import connection, transaction

from backstay.identity.buckets import WINDOW, Buckets, calls
from backstay.operations.health import close_connection
from backstay.operations.models import CallCount

_ADD = """
INSERT INTO operations_callcount (key, minute, calls) VALUES (%s, %s, %s)
ON CONFLICT (key) DO UPDATE SET
    calls = CASE
        WHEN operations_callcount.minute = excluded.minute
        THEN operations_callcount.calls + excluded.calls
        WHEN operations_callcount.minute < excluded.minute THEN excluded.calls
        ELSE operations_callcount.calls
    END,
    minute = CASE
        WHEN operations_callcount.minute < excluded.minute THEN excluded.minute
        ELSE operations_callcount.minute
    END
"""

#: Names that one transaction adds to.
_BATCH = 500
#: Rounds of sharing between two deletions of rows that are over.
_ROUNDS = 600

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def share_calls(seconds: float = 1.0) -> None:
    """Share the counts of this process from now on, in a thread of its own."""

    def run() -> None:
        works = True
        for number in count():
            time.sleep(seconds)
            try:
                share(calls)
                if number % _ROUNDS == 0 and not settings.BACKSTAY.redis_url:
                    forget_counts()
            except Exception as error:  # noqa: BLE001 whatever a driver raises, calls go on
                if works:
                    _log.warning('counts of calls are not shared', error=type(error).__name__)
                works = False
            else:
                works = True
            finally:
                close_connection()

    Thread(target=run, daemon=True, name='sharing').start()


def share(buckets: Buckets) -> None:
    """Add the new calls of a process to those of all, and tell it the sums."""
    minute, taken = buckets.take()
    if not taken:
        return
    if redis := settings.BACKSTAY.redis_url:
        sums = _add_in_redis(redis.get_secret_value(), minute, taken)
    else:
        sums = _add_in_database(minute, taken)
    buckets.learn(minute, sums)


def _add_in_database(minute: int, taken: Mapping[str, int]) -> Mapping[str, int]:
    names = {hashlib.sha256(name.encode()).hexdigest(): name for name in taken}
    keys = sorted(names)  # so that two processes do not wait for each other in a circle
    sums: dict[str, int] = {}
    for batch in (keys[at : at + _BATCH] for at in range(0, len(keys), _BATCH)):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(_ADD, [(key, minute, taken[names[key]]) for key in batch])
            found = CallCount.objects.filter(pk__in=batch, minute=minute)
            sums |= {names[key]: number for key, number in found.values_list('key', 'calls')}
    return sums


def _add_in_redis(url: str, minute: int, taken: Mapping[str, int]) -> Mapping[str, int]:
    from redis import Redis

    with (
        Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as redis,
        redis.pipeline(transaction=False) as pipeline,
    ):
        for name, number in taken.items():
            pipeline.incrby(f'calls:{minute}:{name}', number)
            pipeline.expire(f'calls:{minute}:{name}', 2 * WINDOW)
        sums = pipeline.execute()[::2]
    return dict(zip(taken, sums, strict=True))


def forget_counts() -> int:
    """Delete the rows of minutes that are over; return the number deleted."""
    over = int(time.time() // WINDOW) - 1
    return CallCount.objects.filter(minute__lt=over).delete()[0]
