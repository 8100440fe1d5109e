"""Limits on calls: Django REST Framework's throttles, counted by the library `limits`.

Each counts a call in Redis or, without it, in the table of counters, which costs a transaction. So
views name them (`throttle_classes`), or a site does for all of them
(`REST_FRAMEWORK['DEFAULT_THROTTLE_CLASSES']`).
"""

import math
import time
from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from limits import RateLimitItem, parse
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from backstay.identity.addresses import network_of
from backstay.identity.callers import caller_of
from backstay.identity.counters import limiter

#: The attribute of a request that holds the limit with the least left, for the answer's headers.
_KEPT = '_backstay_rate'


class CallerThrottle(BaseThrottle):
    """Limits the calls of an account, of a key, or of an address that is not signed in.

    Rates are `DEFAULT_THROTTLE_RATES` of `account`, `key` and `address`, such as `600/minute`;
    None is no limit. Pipelines count as keys.
    """

    _KINDS: ClassVar = {'account': 'account', 'key': 'key', 'pipeline': 'key', 'guest': 'address'}

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the call and return whether it may be answered."""
        limit, name = self.limit_of(request)
        if limit is None:
            return True
        allowed = limiter().hit(limit, name)
        self._stats = limiter().get_window_stats(limit, name)
        kept = getattr(request._request, _KEPT, None)
        if kept is None or self._stats.remaining < kept[1].remaining:
            setattr(request._request, _KEPT, (limit, self._stats))
        return allowed

    def limit_of(self, request: Request) -> tuple[RateLimitItem | None, str]:
        """Return the limit of the caller, and the name by which calls are counted."""
        caller = caller_of(request)
        name = caller.key if caller.kind != 'guest' else network_of(request._request)
        return _limit(self._KINDS.get(caller.kind, '')), name

    def wait(self) -> float:
        """Return the seconds until a call may be answered again."""
        return max(1.0, self._stats.reset_time - time.time())


class AddressThrottle(CallerThrottle):
    """Limits the calls from one address, regardless of the caller."""

    def limit_of(self, request: Request) -> tuple[RateLimitItem | None, str]:
        """Return the limit of addresses, and the address."""
        return _limit('address'), network_of(request._request)


def _limit(kind: str) -> RateLimitItem | None:
    rate = api_settings.DEFAULT_THROTTLE_RATES.get(kind)
    if not rate:
        return None
    limit = parse(str(rate))
    return type(limit)(limit.amount, limit.multiples, namespace=f'call-{kind}')


class RateLimitMiddleware:
    """Reports the rest of the limit that applied in the `RateLimit-*` headers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if kept := getattr(request, _KEPT, None):
            limit, stats = kept
            response.headers['RateLimit-Limit'] = str(limit.amount)
            response.headers['RateLimit-Remaining'] = str(max(0, stats.remaining))
            seconds = math.ceil(max(0.0, stats.reset_time - time.time()))
            response.headers['RateLimit-Reset'] = str(seconds)
        return response
