"""Answers: JSON that the database wrote, with the headers that every read and write has."""

import json
import time
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from backstay.caller import Facts
from backstay.errors import Problem
from backstay.identity.callers import caller_of
from backstay.resources.conf import mask_header
from backstay.resources.execute import Rows
from backstay.resources.query.json_text import load_json

#: What an answer depends on beside its address and the mask header.
_VARY = 'Authorization, X-Api-Key, Cookie, Accept, Prefer'


class Clock:
    """What each stage took, for the Server-Timing header."""

    __slots__ = ('_at', '_parts')

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._at = time.perf_counter()

    def lap(self, name: str) -> None:
        """End a stage."""
        now = time.perf_counter()
        self._parts.append(f'{name};dur={(now - self._at) * 1000:.2f}')
        self._at = now

    def note(self, name: str, description: str) -> None:
        """Tell something that is not a time."""
        self._parts.append(f'{name};desc="{description}"')

    def __str__(self) -> str:
        return ', '.join(self._parts)


@lru_cache(maxsize=8)
def variable(header: str) -> str:
    """What WSGI calls a header."""
    return 'HTTP_' + header.upper().replace('-', '_')


def origin_of(request: Request) -> str:
    """Scheme and host, which the URLs in objects begin with."""
    http = request._request
    return f'{http.scheme}://{http.get_host()}'


def facts_of(request: Request) -> Facts:
    """What the slots of a request's statement are bound to."""
    return Facts(caller_of(request), origin_of(request))


def json_body(request: Request, *types: str) -> Any:
    """The body as JSON, of one of the content types; `application/json` is always one."""
    content_type = request.content_type.partition(';')[0].strip().lower()
    if content_type not in ('application/json', *types):
        raise UnsupportedMediaType(request.content_type)
    return load_json(request._request.body)


def json_object(request: Request, *types: str) -> Mapping[str, Any]:
    """The body as a JSON object."""
    body = json_body(request, *types)
    if not isinstance(body, dict):
        raise Problem('The body must be a JSON object.', code='malformed-json')
    return body


def preference(asked: Mapping[str, Any]) -> dict[str, str]:
    """The header that tells which preference was heeded (RFC 7240)."""
    return {'Preference-Applied': 'handling=strict'} if asked['strict'] else {}


def etag_of(text: bytes, version: int | None = None) -> str:
    """The ETag of an object, without quotes: its version, if it has one, and what is shown of it.

    A write is meant for a version; a cached answer is only good for all that it shows, which may
    change where the version does not, such as its children.
    """
    digest = sha256(text).hexdigest()[:24]
    return digest if version is None else f'{version}-{digest}'


def of_object(rows: Rows, asked: Mapping[str, Any]) -> dict[str, str]:
    """The headers that only the answer with one object has."""
    headers = preference(asked)
    if rows.truncated:
        headers['X-Truncated'] = ', '.join(pointer for _, pointer in rows.truncated)
    return headers


def respond(
    request: Request, text: bytes, clock: Clock, headers: Mapping[str, str], etag: str | None = None
) -> HttpResponseBase:
    """The JSON as it is; a renderer other than DRF's own JSON gets it as data.

    An ETag, given without quotes, makes the answer conditional.
    """
    http = request._request
    response: HttpResponseBase
    if type(request.accepted_renderer) is not JSONRenderer:
        response = Response(json.loads(text))
    elif etag is None:
        response = HttpResponse(text, content_type='application/json')
    else:
        response = (
            HttpResponseNotModified()
            if _matches(http, f'"{etag}"')
            else HttpResponse(text, content_type='application/json')
        )
        response['ETag'] = f'"{etag}"'
    for name, value in headers.items():
        response[name] = value
    add_headers(response, clock)
    return response


def _matches(request: HttpRequest, etag: str) -> bool:
    """Whether If-None-Match names this answer (RFC 9110 section 13.1.2, weak comparison)."""
    given: str = request.META.get('HTTP_IF_NONE_MATCH', '')
    if etag not in given:
        return given.strip() == '*'
    return etag in (each.strip().removeprefix('W/') for each in given.split(','))


def add_headers(response: HttpResponseBase, clock: Clock) -> None:
    """What every answer of a resource tells."""
    response['Cache-Control'] = 'private, no-cache'
    response['Server-Timing'] = str(clock)
    response['Vary'] = f'{_VARY}, {mask_header()}'
