"""The outermost layer of every request: its id, its line in the log, its place in the metrics.

It also corrects an answer at last: an error that a plain Django view gave without a
body, or with a page that nobody asked for, becomes a problem document (RFC 9457).
"""

import re
from collections.abc import Callable
from time import perf_counter
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from limits.errors import StorageError
from structlog.contextvars import bind_contextvars, clear_contextvars

from backstay.audit.recording import Origin, coming_from
from backstay.errors import Problem, code_of, problem_from, problem_response
from backstay.identity.addresses import address_of
from backstay.identity.callers import caller_of
from backstay.operations.headers import DATA_POLICY
from backstay.operations.metrics import IN_FLIGHT, observe
from backstay.operations.proxies import ARRIVAL

_ID = re.compile(r'[A-Za-z0-9._-]{8,64}')

#: Characters that a client can put into one field of the log.
_LONGEST = 1000

_summary: structlog.stdlib.BoundLogger = structlog.get_logger('request.summary')


class RequestMiddleware:
    """Gives each request an id, a log line and metrics. It stands outside all other middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = perf_counter()
        # The id that a proxy gave counts when it is harmless in a log and in a header.
        given = request.META.get('HTTP_X_REQUEST_ID', '')
        request_id = given if _ID.fullmatch(given) else uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        try:
            with IN_FLIGHT.track_inprogress(), coming_from(_origin_of(request)):
                response = _explained(request, self.get_response(request))
            response.headers['X-Request-Id'] = request_id
            arrival = request.META.get(ARRIVAL)
            if arrival and arrival.host_by == 'proxy':
                patch_vary_headers(response, [str(settings.BACKSTAY.host_header)])
            seconds = perf_counter() - started
            observe(request, response, seconds)
            _tell(request, response, seconds)
        finally:
            clear_contextvars()
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a Problem, or an error of database or counters, that a plain Django view raised.

        Views of Django REST Framework answer by themselves, and Django answers its own exceptions.
        """
        if not isinstance(exception, Problem | DatabaseError | InterfaceError | StorageError):
            return None
        problem = problem_from(exception)
        return problem_response(request, problem) if problem else None


def _origin_of(request: HttpRequest) -> Origin:
    """Return what the audit notes of a request."""
    address = address_of(request)
    return Origin(
        address=str(address) if address else None,
        agent=request.META.get('HTTP_USER_AGENT', ''),
        caller=lambda: caller_of(request),
    )


def _tell(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """Log one line for the request, with the fields of Mozilla's request.summary."""
    status = response.status_code
    # The account counts only if the request has loaded it: a log line costs no statement.
    user = request.__dict__.get('user')
    if isinstance(user, SimpleLazyObject):
        user = request.__dict__.get('_cached_user')
    _summary.info(
        'request',
        errno=0 if status < 500 else status,
        agent=request.META.get('HTTP_USER_AGENT', '')[:_LONGEST],
        lang=request.META.get('HTTP_ACCEPT_LANGUAGE', '')[:_LONGEST],
        method=request.method,
        path=request.path[:_LONGEST],
        status=status,
        uid=str(user.pk) if user is not None and user.is_authenticated else '',
        rid=request.request_id,  # type: ignore[attr-defined]
        t=round(seconds * 1000),
    )


def _explained(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Give an error without a body, or with a page that nobody asked for, its problem document.

    Its other headers stay. Answers of Django REST Framework stay as they are: their service chose
    them.
    """
    if not isinstance(response, HttpResponse) or hasattr(response, 'accepted_renderer'):
        return response
    is_html = response.headers.get('Content-Type', '').startswith('text/html')
    is_page = is_html and bool(response.content)
    asks_for_pages = 'text/html' in request.META.get('HTTP_ACCEPT', '')
    if is_page and not request.accepts('text/html'):
        response.status_code = 406 if response.status_code < 400 else response.status_code
    elif response.status_code < 400 or (response.content and (asks_for_pages or not is_page)):
        return response
    allowed = response.headers.get('Allow')
    detail = f'This address allows {allowed}.' if allowed else ''
    problem = Problem(detail, status=response.status_code, code=code_of(response.status_code))
    explained = problem_response(request, problem)
    response.content = explained.content
    length = str(len(explained.content))
    policy = {'Content-Length': length, 'Content-Security-Policy': DATA_POLICY}
    for name, value in {**explained.headers, **policy}.items():
        response.headers[name] = value
    return response
