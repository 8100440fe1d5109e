"""Limits on calls.

All calls are counted in the memory of the process (`backstay.identity.buckets`): by address in
`RateLimitMiddleware`, before anything is known of the caller, and by account or key in
`SiteThrottle`. `CallerThrottle` and `AddressThrottle` are exact: they count with the library
`limits`, in Redis or in the table of counters, which costs a transaction, so views name them.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from limits import RateLimitItem, parse
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from backstay.errors import Problem, problem_response
from backstay.identity.addresses import network_of
from backstay.identity.buckets import Rest, calls
from backstay.identity.callers import caller_of
from backstay.identity.counters import limiter

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: The attribute of a request that holds the `Rest` with the least left, for the answer's headers.
_KEPT = '_backstay_rate'
#: What counts a caller of each kind.
_KINDS = {'account': 'account', 'key': 'key', 'pipeline': 'key', 'guest': 'address'}
#: What an orchestrator asks, from wherever it runs.
_PROBES = ('/livez', '/readyz', '/__')


class SiteThrottle(BaseThrottle):
    """Limits the calls of an account or key; those of an address are counted before."""

    def allow_request(self, request: Request, _view: Any) -> bool:
        """Count the call and return whether it may be answered."""
        caller = caller_of(request)
        if caller.kind == 'guest':
            return True
        self._rest = calls.count(_KINDS[caller.kind], caller.key)
        _keep(request._request, self._rest)
        return self._rest is None or self._rest.remaining >= 0

    def wait(self) -> float | None:
        """Return the seconds until a call may be answered again."""
        return _seconds_until(self._rest.reset_time) if self._rest else None


def _keep(request: HttpRequest, rest: Rest | None) -> None:
    """Keep what is left for the headers of the answer, where it is the least."""
    kept = getattr(request, _KEPT, None)
    if rest and (kept is None or rest.remaining < kept.remaining):
        setattr(request, _KEPT, rest)


def _seconds_until(moment: float) -> int:
    return max(1, math.ceil(moment - time.time()))


class CallerThrottle(BaseThrottle):
    """Limits the calls of an account, of a key, or of an address that is not signed in.

    Rates are `DEFAULT_THROTTLE_RATES` of `account`, `key` and `address`, such as `600/minute`;
    None is no limit. Pipelines count as keys.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the call and return whether it may be answered."""
        limit, name = self.limit_of(request)
        if limit is None:
            return True
        allowed = limiter().hit(limit, name)
        self._stats = limiter().get_window_stats(limit, name)
        left, reset_time = self._stats.remaining, self._stats.reset_time
        rest = Rest(amount=limit.amount, remaining=left, reset_time=reset_time)
        _keep(request._request, rest)
        return allowed

    def limit_of(self, request: Request) -> tuple[RateLimitItem | None, str]:
        """Return the limit of the caller, and the name by which calls are counted."""
        caller = caller_of(request)
        name = caller.key if caller.kind != 'guest' else network_of(request._request)
        return _limit(_KINDS.get(caller.kind, '')), name

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
    """Limits the calls of an address, and reports the least rest in the `RateLimit-*` headers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        address, rest = network_of(request), None
        if not request.path_info.startswith(_PROBES):
            rest = calls.count('address', address)
            _keep(request, rest)
        response: HttpResponseBase
        if rest and rest.remaining < 0:
            wait = {'Retry-After': str(_seconds_until(rest.reset_time))}
            problem = Problem('Too many requests.', code='rate-limited', headers=wait)
            response = problem_response(request, problem)
        else:
            if rest and rest.remaining == 0:
                _log.warning('an address has made all calls of this minute', address=address)
            response = self.get_response(request)
        if kept := getattr(request, _KEPT, None):
            response.headers['RateLimit-Limit'] = str(kept.amount)
            response.headers['RateLimit-Remaining'] = str(max(0, kept.remaining))
            seconds = math.ceil(max(0.0, kept.reset_time - time.time()))
            response.headers['RateLimit-Reset'] = str(seconds)
        return response
