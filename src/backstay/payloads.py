"""Limits on a request's body: its size, by site or view, and its character set, which is UTF-8.

A body that is announced as too large is rejected before any of it is read, and one that ends before
its Content-Length is rejected when it is read (RFC 9112 section 8).

`backstay serve` reads bodies by these limits before Django is called, and hands on those of unknown
length (`Transfer-Encoding: chunked`) as bodies of a known one. Django would treat them as empty,
because WSGI knows bodies by their Content-Length only. From another server they are read here, up
to their limit, if it tells that its input ends; otherwise the answer is 411.
"""

import codecs
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO, IOBase
from typing import Any, TypeVar
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from backstay.errors import Problem, body_incomplete, problem_from, problem_response

__all__ = ['CharsetNotRead', 'LengthRequired', 'PayloadTooLarge', 'body_limit']

View = TypeVar('View', bound=Callable[..., Any])


class PayloadTooLarge(Problem):
    """413: the body is larger than this address accepts."""

    code = 'payload-too-large'


class LengthRequired(Problem):
    """411: the server cannot tell where the body ends."""

    code = 'length-required'


class CharsetNotRead(Problem):
    """415: the form is in another character set than UTF-8."""

    code = 'unsupported-media-type'


def body_limit(size: int) -> Callable[[View], View]:
    """Decorate a view function, a view class or an action of a view set with a limit of its own.

    Bodies sent to it may have up to `size` bytes.
    """

    def mark(view: View) -> View:
        view.body_limit = size  # type: ignore[attr-defined]
        return view

    return mark


class BodyLimitMiddleware:
    """Reject bodies above the limit of their view.

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
        """Return the problem of the body, or None when the view may run."""
        limit = _limit_of(view, request.method)
        length = 0
        with suppress(ValueError):  # Django reads such a length as no body
            length = int(request.META.get('CONTENT_LENGTH') or 0)
        try:
            if 'HTTP_TRANSFER_ENCODING' in request.META:
                _read_unannounced(request, limit)
            elif length > limit:
                raise _too_large(limit)
            elif length:
                stream: Any = request
                stream._stream = _Announced(stream._stream, length)
        except Problem as problem:
            return problem_response(request, problem)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the problem of a body that was cut, when a Django view has read it."""
        problem = problem_from(error) if isinstance(error, UnreadablePostError) else None
        return problem_response(request, problem) if problem else None


class CharsetMiddleware:
    """Read addresses and forms as UTF-8, and reject forms that name another charset.

    Django would decode both by the charset of the Content-Type. Some of Python's, such as `utf-7`,
    make halves of surrogate pairs, which no database can store and no answer can show. JSON is
    UTF-8 whatever its charset says (RFC 8259 section 11), so there it is ignored.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        charset = request.encoding
        if charset is not None:
            if request.content_type in _FORMS and not _is_utf_8(charset):
                problem = CharsetNotRead('A form is read as UTF-8 only.')
                return problem_response(request, problem)
            request.encoding = 'utf-8'
        return self.get_response(request)


_FORMS = ('application/x-www-form-urlencoded', 'multipart/form-data')


def _is_utf_8(charset: str) -> bool:
    """Return whether UTF-8 reads every text of a charset that Python knows."""
    return codecs.lookup(charset).name in ('utf-8', 'ascii')


def limit_at(method: str, target: bytes) -> int:
    """Return the bytes that the body of a request may have, by its method and target."""
    path = unquote(target.partition(b'?')[0].decode('latin-1'))
    try:
        view = resolve(path).func
    except Resolver404:
        return int(settings.BACKSTAY.body_limit)
    return _limit_of(view, method)


def _limit_of(view: Callable[..., Any], method: str | None) -> int:
    """Return the limit of the function, of the action or class behind it, or of the site."""
    view_set = getattr(view, 'cls', None)
    action = getattr(view, 'actions', {}).get((method or '').lower())
    of_action = getattr(view_set, action, None) if action else None
    for owner in (view, of_action, view_set, getattr(view, 'view_class', None)):
        limit = getattr(owner, 'body_limit', None)
        if limit is not None:
            return int(limit)
    return int(settings.BACKSTAY.body_limit)


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f'The body may have {limit} bytes here.', limit=limit)


def _read_unannounced(request: HttpRequest, limit: int) -> None:
    """Read a chunked body and pass it on as one of known length."""
    source = request.META['wsgi.input']
    if not request.META.get('wsgi.input_terminated'):
        raise LengthRequired('Send Content-Length: this server takes no chunked bodies.')
    body = BytesIO()
    while True:
        try:
            chunk = bytes(source.read(65536))
        except Exception:  # noqa: BLE001 each server has its own for a bad or missing chunk
            raise body_incomplete() from None
        if not chunk:
            break
        if body.tell() + len(chunk) > limit:
            raise _too_large(limit)
        body.write(chunk)
    request.META['CONTENT_LENGTH'] = str(body.tell())
    body.seek(0)
    request._stream = body  # the one place that Django reads bodies from


class _Announced(IOBase):
    """A stream that fails where it ends before the length that was announced.

    Django turns the OSError into its UnreadablePostError, which is what it raises when a connection
    breaks, and which `backstay.errors` answers with 400 `body-incomplete`.
    """

    def __init__(self, stream: Any, length: int) -> None:
        self._stream, self._left = stream, length

    def read(self, size: int | None = -1) -> bytes:
        """Read up to `size` bytes. Raises OSError when the client sent less than it announced."""
        wants_all = size is None or size < 0
        return self._checked(self._stream.read(-1 if wants_all else size), whole=wants_all)

    def readline(self, size: int | None = -1) -> bytes:
        """Read one line. Raises OSError as `read` does."""
        return self._checked(self._stream.readline(-1 if size is None else size), whole=False)

    def _checked(self, data: bytes, *, whole: bool) -> bytes:
        self._left -= len(data)
        if self._left > 0 and (whole or not data):
            raise OSError('the connection ended before the body did')
        return data
