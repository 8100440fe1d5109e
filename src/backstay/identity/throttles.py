"""How often a caller may call: Django REST Framework's throttles, counted by `limits`.

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

#: Where a request keeps the limit that has the least left, for the headers of its answer.
_KEPT = '_backstay_rate'


class CallerThrottle(BaseThrottle):
    """So many calls of an account, of a key, or of an address that is not signed in.

    Rates are `DEFAULT_THROTTLE_RATES` of `account`, `key` and `address`, such as `600/minute`;
    None is no limit. Pipelines count as keys.
    """

    _KINDS: ClassVar = {'account': 'account', 'key': 'key', 'pipeline': 'key', 'guest': 'address'}

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the call; whether it may be answered."""
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
        """The limit of the caller, and the name by which it is counted."""
        caller = caller_of(request)
        name = caller.key if caller.kind != 'guest' else network_of(request._request)
        return _limit(self._KINDS.get(caller.kind, '')), name

    def wait(self) -> float:
        """Seconds until a call may be answered again."""
        return max(1.0, self._stats.reset_time - time.time())


class AddressThrottle(CallerThrottle):
    """So many calls from one address, whoever makes them."""

    def limit_of(self, request: Request) -> tuple[RateLimitItem | None, str]:
        """The limit of addresses, and the address."""
        return _limit('address'), network_of(request._request)


def _limit(kind: str) -> RateLimitItem | None:
    rate = api_settings.DEFAULT_THROTTLE_RATES.get(kind)
    if not rate:
        return None
    limit = parse(str(rate))
    return type(limit)(limit.amount, limit.multiples, namespace=f'call-{kind}')


class RateLimitMiddleware:
    """Tells in `RateLimit-*` what is left of the limit that applied."""

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
