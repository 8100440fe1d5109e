"""Answers: JSON that the database wrote, with the headers that every read and write has."""

import json
import time
from collections.abc import Mapping, Sequence

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from backstay.resources.conf import mask_header
from backstay.resources.query.asked import Asked

#: Headers on which an answer depends, beside the mask header.
_VARY = 'Authorization, X-Api-Key, Cookie, Accept, Prefer'


class Clock:
    """The time that each stage took, for the Server-Timing header."""

    __slots__ = ('_at', '_parts')

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._at = time.perf_counter()

    def lap(self, name: str) -> None:
        """End a stage, and start the next one."""
        now = time.perf_counter()
        self._parts.append(f'{name};dur={(now - self._at) * 1000:.2f}')
        self._at = now

    def note(self, name: str, description: str) -> None:
        """Add an entry that is not a time."""
        self._parts.append(f'{name};desc="{description}"')

    def __str__(self) -> str:
        return ', '.join(self._parts)


def preference(asked: Asked) -> dict[str, str]:
    """Return the header that names the preference which was applied (RFC 7240)."""
    return {'Preference-Applied': 'handling=strict'} if asked.strict else {}


def of_object(asked: Asked, truncated: Sequence[str]) -> dict[str, str]:
    """Return the headers that only the answer with one object has."""
    headers = preference(asked)
    if truncated:
        headers['X-Truncated'] = ', '.join(truncated)
    return headers


def respond(
    request: Request, text: bytes, clock: Clock, headers: Mapping[str, str], etag: str | None = None
) -> HttpResponseBase:
    """Answer with the JSON as it is; renderers other than DRF's own JSON get it as data.

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
    """Set the headers that every answer of a resource has."""
    response['Cache-Control'] = 'private, no-cache'
    response['Server-Timing'] = str(clock)
    response['Vary'] = f'{_VARY}, {mask_header()}'
