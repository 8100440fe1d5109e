"""Rejections that allauth's headless API leaves out, or answers without Retry-After."""

import json
import struct
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import structlog
from allauth.headless.base.response import RateLimitResponse
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from backstay.errors import Fault, Problem, problem_response
from backstay.identity.limits import GUESSES, guarded
from backstay.identity.problems import CHALLENGE, SessionRevoked, SignInThrottled

#: Seconds after which every limit that allauth answers with 429 allows one more.
_LONGEST_LIMIT = 60
#: Errors that fido2's parsers raise for bytes that come from no authenticator.
_UNREADABLE = (
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
    struct.error,
)

#: Ends of the routes that take mailed codes, and of those that have one mailed.
_TAKE_CODES = ('auth/email/verify', 'auth/password/reset')
#: Ends of the routes that take a new password, and `keys` beside it.
_TAKE_PASSWORDS = ('account/password/change', 'auth/password/reset')
_ASK_FOR_CODES = ('auth/email/verify/resend', 'auth/password/request', 'account/email')

_log: structlog.stdlib.BoundLogger = structlog.get_logger('backstay.identity')


class HeadlessMiddleware:
    """Answers problems below `/auth/` where allauth gives a 500, or a 429 without Retry-After."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not isinstance(response, RateLimitResponse):
            return response
        problem = Problem(
            'Too many requests; try again later.',
            code='rate-limited',
            headers={'Retry-After': str(_LONGEST_LIMIT)},
        )
        return problem_response(request, problem)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """Reject a body that is not JSON, text or a credential, before allauth stores any of it."""
        found = request.resolver_match
        if found is None or 'headless' not in found.app_names:
            return None
        if '/phone' in found.route:  # allauth serves it, and fails where accounts have no number
            raise Http404
        try:
            _count_guesses(request, found.route)
        except SignInThrottled as throttled:
            return problem_response(request, throttled)
        if request.method == 'GET' or found.route.endswith('provider/redirect'):
            return None  # the latter is a form: a browser goes on to where it is sent
        problem = _fault_of(request.body, found.route) if request.body else None
        return problem_response(request, problem) if problem is not None else None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a credential that a parser failed to read, and a session that ended meanwhile."""
        found = request.resolver_match
        if isinstance(error, UpdateError):
            challenge = {'WWW-Authenticate': CHALLENGE}
            ended = Problem(
                SessionRevoked.default_detail, code=SessionRevoked.default_code, headers=challenge
            )
            return problem_response(request, ended)
        if found is None or 'webauthn' not in found.route or not isinstance(error, _UNREADABLE):
            return None
        _log.warning('credential-unreadable', error=type(error).__name__)
        return problem_response(request, _unreadable())


def _count_guesses(request: HttpRequest, route: str) -> None:
    """Count a try of a mailed code, from nothing after a request for one. Raises SignInThrottled.

    allauth counts them too, in the session, where tries at the same moment are lost.
    """
    headers = request.headers
    session = headers.get('X-Session-Token') or headers.get('Authorization')
    session = session or request.COOKIES.get(settings.SESSION_COOKIE_NAME, '')
    mark = sha256(session.encode()).hexdigest()
    if request.method == 'POST' and route.endswith(_ASK_FOR_CODES):
        GUESSES.forget(mark)
    elif route.endswith(_TAKE_CODES):
        with guarded(GUESSES, mark):
            pass


def _fault_of(body: bytes, route: str) -> Problem | None:
    try:
        given = json.loads(body)
        json.dumps(given, ensure_ascii=False).encode()  # halves of surrogate pairs are no text
    except (ValueError, RecursionError):
        return Problem('The body is not valid JSON.', code='malformed-json')
    if not isinstance(given, dict):
        return Problem('The body must be an object.', code='malformed-json')
    if route.endswith(_TAKE_PASSWORDS) and not isinstance(given.get('keys', False), bool):
        fault = Fault(pointer='/keys', code='invalid', detail='Give true or false.')
        return Problem(
            '`keys` is neither true nor false.', code='validation-failed', errors=[fault]
        )
    if 'credential' not in given:
        return None
    # Only the outline is checked here; allauth checks the content. It would store a credential
    # that is false, and asks a sign-in for the account that the device names.
    credential = given['credential']
    response = credential.get('response') if isinstance(credential, dict) else None
    if not isinstance(response, dict):
        return _unreadable()
    names_account = isinstance(response.get('userHandle'), str)
    return None if names_account or not route.endswith('webauthn/login') else _unreadable()


def _unreadable() -> Problem:
    return Problem('The credential cannot be read.', code='credential-invalid')
