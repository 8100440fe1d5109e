"""How large the body of a request may be: the site's limit, or that of one view.

A body that is announced as too large is refused before any of it is read. A body of unknown
length (`Transfer-Encoding: chunked`) is read up to its limit and no further; Django would take it
for empty, because WSGI knows bodies by their Content-Length only.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from backstay.errors import Problem, problem_response

__all__ = ['LengthRequired', 'PayloadTooLarge', 'body_limit']

View = TypeVar('View', bound=Callable[..., Any])


class PayloadTooLarge(Problem):
    """413: the body is larger than this address takes."""

    code = 'payload-too-large'


class LengthRequired(Problem):
    """411: the server cannot tell where the body ends."""

    code = 'length-required'


def body_limit(size: int) -> Callable[[View], View]:
    """Decorates a view function, a view class or an action of a view set.

    Its bodies may have `size` bytes.
    """

    def mark(view: View) -> View:
        view.body_limit = size  # type: ignore[attr-defined]
        return view

    return mark


class BodyLimitMiddleware:
    """Refuses bodies above the limit of their view.

    It must stand before everything that reads a body in `process_view`, such as Django's CSRF
    check, which reads forms.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        """The refusal, or None when the view may run."""
        limit = _limit_of(view, request.method)
        try:
            if 'HTTP_TRANSFER_ENCODING' in request.META:
                _read_unannounced(request, limit)
            elif _announced(request) > limit:
                raise _too_large(limit)
        except Problem as problem:
            return problem_response(request, problem)
        return None


def _limit_of(view: Callable[..., Any], method: str | None) -> int:
    """The limit of the function, of the action or class behind it, or of the site."""
    view_set = getattr(view, 'cls', None)
    action = getattr(view, 'actions', {}).get((method or '').lower())
    of_action = getattr(view_set, action, None) if action else None
    for owner in (view, of_action, view_set, getattr(view, 'view_class', None)):
        limit = getattr(owner, 'body_limit', None)
        if limit is not None:
            return int(limit)
    return int(settings.BACKSTAY.body_limit)


def _announced(request: HttpRequest) -> int:
    try:
        return int(request.META.get('CONTENT_LENGTH') or 0)
    except ValueError:
        return 0  # as Django reads it: no body


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f'The body may have {limit} bytes here.', limit=limit)


def _read_unannounced(request: HttpRequest, limit: int) -> None:
    """Read a chunked body and hand it on as one of known length."""
    if not request.META.get('wsgi.input_terminated'):
        raise LengthRequired('Send Content-Length: this server takes no chunked bodies.')
    body = BytesIO()
    source = request.META['wsgi.input']
    while chunk := source.read(65536):
        if body.tell() + len(chunk) > limit:
            raise _too_large(limit)
        body.write(chunk)
    request.META['CONTENT_LENGTH'] = str(body.tell())
    body.seek(0)
    request._stream = body  # the one place that Django reads bodies from
