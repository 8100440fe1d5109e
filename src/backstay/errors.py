"""Errors as every client sees them: RFC 9457 problem details with a stable `code`.

    Problem                      anything that is answered as application/problem+json
    └── raised anywhere below a view or a middleware; DRF's and Django's own exceptions are
        translated by `problem_from`

The codes stand in `backstay.codes`; a problem has the status of its code unless it says another.
The body has `type`, `title`, `status`, `detail` (always a string), `code`, `instance` and
`request_id`; `errors` lists the faults of a body or query with JSON pointers (RFC 6901).
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase

from backstay.codes import CODES, OF_ALL_FAULTS, OF_STATUS

__all__ = [
    'CONTENT_TYPE',
    'MAX_FAULTS',
    'Fault',
    'Problem',
    'body_incomplete',
    'csrf_failed',
    'csrf_failure',
    'escape_pointer',
    'exception_handler',
    'handler400',
    'handler403',
    'handler404',
    'handler500',
    'not_found',
    'phrase_of',
    'problem_from',
    'problem_response',
    'refused',
    'safe_json',
]

CONTENT_TYPE = 'application/problem+json'
#: Faults that one problem tells, of however many there are.
MAX_FAULTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong in what the client sent."""

    #: JSON pointer into the body, or the name of a parameter.
    pointer: str
    code: str
    detail: str


class Problem(Exception):
    """An answer that is not a success; a subclass sets `code`, and `status` if it differs."""

    status: ClassVar[int | None] = None
    code: ClassVar[str] = 'bad-request'

    def __init__(
        self,
        detail: str = '',
        *,
        status: int | None = None,
        code: str | None = None,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        """`members` are added to the body: facts that a program may read beside the text."""
        super().__init__(detail)
        self.answer_code = code or self.code
        known = CODES.get(self.answer_code)
        self.answer_status = status or self.status or (known.status if known else 400)
        self.title = phrase_of(self.answer_status)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = members

    def body(self, request_id: str) -> dict[str, Any]:
        """The members of the problem document, in the order in which people read them."""
        body: dict[str, Any] = {
            'type': f'urn:backstay:problem:{self.answer_code}',
            'title': self.title,
            'status': self.answer_status,
            'detail': self.detail,
            'code': self.answer_code,
            **self.members,
        }
        if self.errors:
            body['errors'] = [asdict(fault) for fault in self.errors]
        if request_id:
            body |= {'instance': f'urn:request:{request_id}', 'request_id': request_id}
        return body


#: Names of RFC 9110 that Python has from 3.13 on: no answer depends on the Python that gives it.
_PHRASES = {
    413: 'Content Too Large',
    414: 'URI Too Long',
    416: 'Range Not Satisfiable',
    422: 'Unprocessable Content',
}


def phrase_of(status: int) -> str:
    """What the status is called."""
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def code_of(status: int) -> str:
    """The stable code of a status that nothing more precise is known of."""
    known = OF_STATUS.get(status)
    return known.name if known else phrase_of(status).lower().replace(' ', '-')


def not_found() -> Problem:
    """Return the 404 of an address, a row or an object that is not there for the caller."""
    return Problem('There is nothing at this address.', code='not-found')


def body_incomplete() -> Problem:
    """Return the 400 of a request whose connection ended before its body did."""
    return Problem('The connection ended before the body did.', code='body-incomplete')


def refused(
    faults: Sequence[Fault], *, status: int | None = None, code: str | None = None
) -> Problem:
    """Return the problem of a body or query with these faults, of which it tells the first 50.

    Its code is `validation-failed`, or that of the faults where all of them have one of the codes
    that say enough, such as `unknown-field`.
    """
    if code is None:
        codes = {fault.code for fault in faults}
        code = codes.pop() if len(codes) == 1 and codes <= OF_ALL_FAULTS else 'validation-failed'
    count = f'{len(faults)} faults' if len(faults) != 1 else 'One fault'
    told = faults[:MAX_FAULTS]
    return Problem(f'{count} in what was sent.', status=status, code=code, errors=told)


def csrf_failed() -> Problem:
    """Return the 403 of a browser's call that another site's page may have sent."""
    return Problem('The CSRF token is missing or wrong.', code='csrf-failed')


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The problem as an HTTP response. It never repeats the path or body of the request."""
    text = json.dumps(problem.body(getattr(request, 'request_id', '')))
    return HttpResponse(
        safe_json(text),
        status=problem.answer_status,
        content_type=CONTENT_TYPE,
        headers={'Cache-Control': 'no-store', **problem.headers},
    )


def safe_json(text: str) -> bytes:
    """JSON text as bytes that no browser can be made to read as a page, escaped as in a script.

    Half a surrogate pair, which has no UTF-8, keeps the escape that JSON has for it.
    """
    for character in '<>&':
        text = text.replace(character, f'\\u{ord(character):04x}')
    return text.encode('utf-8', 'backslashreplace')


#: Translate exceptions that only parts above this module know; None for any other.
translators: list[Callable[[Exception], Problem | None]] = []


def problem_from(error: Exception) -> Problem | None:
    """The problem that an exception of Django or Django REST Framework stands for."""
    from rest_framework import exceptions as drf

    match error:
        case Problem():
            return error
        case Http404():
            return not_found()
        case UnreadablePostError():
            return body_incomplete()
        case PermissionDenied():
            return _of_status(403, 'The caller may not do this.')
        case SuspiciousOperation():
            return _of_status(400, 'The request cannot be understood.')
        case drf.ValidationError():
            return refused([*faults_in(error.get_full_details(), '')], code='validation-failed')
        case drf.ParseError():
            return Problem('The body is not valid JSON.', code='malformed-json')
        case drf.NotAuthenticated():
            return _of_status(
                error.status_code, str(error.detail), 'token-missing', headers=_headers(error)
            )
        case drf.APIException():
            return _of_status(
                error.status_code, str(error.detail), _own_code(error), headers=_headers(error)
            )
    return next(filter(None, (translate(error) for translate in translators)), None)


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponseBase | None:
    """Django REST Framework's EXCEPTION_HANDLER: problems for what is known, else a 500."""
    from rest_framework.views import set_rollback

    problem = problem_from(error)
    if problem is None:
        return None
    set_rollback()
    return problem_response(context['request'], problem)


def _of_status(status: int, detail: str, code: str | None = None, **rest: Any) -> Problem:
    return Problem(detail, status=status, code=code or code_of(status), **rest)


def _own_code(error: Any) -> str | None:
    """The code of an exception that has one of ours; DRF's own have underscores, or are a word."""
    code = getattr(error.detail, 'code', '')
    return code if '-' in code else None


def _headers(error: Any) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, 'auth_header', None):
        headers['WWW-Authenticate'] = str(challenge)
    if wait := getattr(error, 'wait', None):
        headers['Retry-After'] = str(int(wait))
    return headers


def faults_in(details: Any, pointer: str) -> Iterator[Fault]:
    """DRF's nested details as flat faults, each with the pointer to its place."""
    match details:
        case dict() if _is_leaf(details):
            yield Fault(pointer=pointer, code=details['code'], detail=str(details['message']))
        case dict():
            for key, value in details.items():
                own = '' if key == 'non_field_errors' else f'/{escape_pointer(str(key))}'
                yield from faults_in(value, pointer + own)
        case list():
            leaves = all(isinstance(each, dict) and _is_leaf(each) for each in details)
            for index, value in enumerate(details):
                yield from faults_in(value, pointer if leaves else f'{pointer}/{index}')


def _is_leaf(details: Mapping[str, Any]) -> bool:
    """Whether this is one fault, and not an object that has a member called `message`."""
    return isinstance(details.get('message'), str) and isinstance(details.get('code'), str)


def escape_pointer(name: str) -> str:
    """A member name as one segment of a JSON pointer (RFC 6901 section 4)."""
    return name.replace('~', '~0').replace('/', '~1')


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's answer to what it could not understand."""
    return problem_response(request, _of_status(400, 'The request cannot be understood.'))


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's answer to what is not allowed."""
    return problem_response(request, _of_status(403, 'The caller may not do this.'))


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's answer to an unknown address."""
    return problem_response(request, not_found())


def handler500(request: HttpRequest) -> HttpResponse:
    """Django's answer to what a middleware or view raised: the log tells more than the answer.

    Most are bugs; a database that is away is not. Django calls this while it handles the exception.
    """
    error = sys.exc_info()[1]
    problem = problem_from(error) if isinstance(error, Exception) else None
    if problem and problem.answer_status == 503:
        return problem_response(request, problem)
    return problem_response(request, _of_status(500, 'The server failed; the failure is logged.'))


def csrf_failure(request: HttpRequest, reason: str = '') -> HttpResponse:
    """Django's answer to a form or session call without its CSRF token."""
    return problem_response(request, csrf_failed())
