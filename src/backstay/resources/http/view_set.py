"""The view set of a resource: Django REST Framework around compiled statements.

Authentication, permissions, throttles, negotiation and error handling are DRF's; between them the
JSON goes from the database to the response as bytes.
"""

import json
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, ClassVar

from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.exceptions import NotAuthenticated, UnsupportedMediaType
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from backstay.errors import Problem
from backstay.identity.caller import Facts
from backstay.identity.callers import caller_of
from backstay.identity.problems import LevelTooLow
from backstay.negotiation import Negotiation
from backstay.resources.conf import mask_header, statement_timeout
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.execute import Rows, run, stream
from backstay.resources.http.csv import CsvRenderer, csv_lines
from backstay.resources.http.envelope import PAGE, Seal, envelope
from backstay.resources.http.schema import ResourceSchema
from backstay.resources.plan.cache import plans
from backstay.resources.plan.plan import Plan
from backstay.resources.query.cursor import binding_of
from backstay.resources.query.json_text import load_json
from backstay.resources.query.nodes import CursorPage, Query
from backstay.resources.query.parameters import read_all, read_one, read_query

#: What an answer depends on beside its address and the mask header.
_VARY = 'Authorization, X-Api-Key, Cookie, Accept, Prefer'
#: RFC 7240: names and tokens in any case, the value with or without quotes.
_STRICT = re.compile(r'(?:^|,)\s*handling\s*=\s*"?strict"?\s*(?:[,;]|$)', re.IGNORECASE)


class ResourceViewSet(ViewSet):
    """Lists, objects and queries of one resource. A subclass may add whatever DRF allows.

    There is no object in Python, so `has_object_permission` is never asked: who may read which
    rows belongs to the resource.
    """

    resource: ClassVar[type[Resource]]
    schema = ResourceSchema()
    content_negotiation_class = Negotiation
    #: The grants decide who may read; a subclass may ask for more.
    permission_classes = (AllowAny,)
    lookup_value_regex = '[^/]+'
    #: Name of the path's parameter: that of the resource's lookup field.
    lookup_url_kwarg: ClassVar[str] = 'id'
    #: Database that is read.
    using: ClassVar[str] = 'default'

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if 'resource' in vars(cls):
            cls.lookup_url_kwarg = cls.resource.options.lookup

    def get_renderers(self) -> list[BaseRenderer]:
        """The site's renderers, and CSV for lists."""
        renderers: list[BaseRenderer] = super().get_renderers()
        # None is the action of a method that does not exist, which is no matter of formats.
        return [*renderers, CsvRenderer()] if self.action in ('list', 'query', None) else renderers

    def list(self, request: Request, **_path: str) -> HttpResponseBase:
        """A page of the collection: masked, filtered, in order."""
        return self._answer_list(request, None)

    @action(detail=False, methods=['post'], url_path='query')
    def query(self, request: Request, **_path: str) -> HttpResponseBase:
        """A page of the collection; what is asked comes as a body.

        `next` and `previous` lead on when the same body is posted there.
        """
        return self._answer_list(request, _body(request))

    def retrieve(self, request: Request, **path: str) -> HttpResponseBase:
        """One object."""
        clock = _Clock()
        readable = self._granted(request)
        asked = self._asked(request)
        query = read_one(readable, path[self.lookup_url_kwarg], **asked)
        rows = self._run(request, readable, query, clock)
        if not rows.objects:
            raise Problem('There is nothing at this address.', status=404, code='not-found')
        headers = _preference(asked)
        if rows.truncated:
            headers['X-Truncated'] = ', '.join(pointer for _, pointer in rows.truncated)
        return _respond(request, rows.objects[0], clock, headers)

    def readable(self, request: Request) -> Readable:
        """The resource as the caller of the request may read it."""
        return Readable(self.resource, caller_of(request).standing())

    def _granted(self, request: Request) -> Readable:
        """The same; refused when the caller may read nothing of it at all."""
        readable = self.readable(request)
        if readable.grants:
            return readable
        raise NotAuthenticated if caller_of(request).kind == 'guest' else LevelTooLow

    def _answer_list(self, request: Request, body: Mapping[str, Any] | None) -> HttpResponseBase:
        clock = _Clock()
        readable = self._granted(request)
        asked = self._asked(request)
        if isinstance(request.accepted_renderer, CsvRenderer):
            return self._answer_csv(request, readable, asked | {'body': body}, clock)
        caller_key = caller_of(request).key
        secret_key = str(settings.SECRET_KEY)
        query = read_query(
            readable, body=body, caller_key=caller_key, secret_key=secret_key, **asked
        )
        rows = self._run(request, readable, query, clock)
        seal = None
        if isinstance(query.shape.page, CursorPage):
            seal = Seal(binding=binding_of(readable, query, caller_key), key=secret_key)
        text = envelope(request._request, query, rows, seal)
        return _respond(request, text, clock, _preference(asked))

    def _answer_csv(
        self, request: Request, readable: Readable, asked: dict[str, Any], clock: '_Clock'
    ) -> StreamingHttpResponse:
        """Every row. The statement has run when this returns; only then the answer begins."""
        query = read_all(readable, **asked)
        plan = self._plan(readable, query, clock)
        wanted = request.method != 'HEAD'
        rows = stream(plan, query, _facts(request), using=self.using) if wanted else ()
        clock.lap('db')
        content_type = 'text/csv; charset=utf-8; header=present'
        response = StreamingHttpResponse(
            csv_lines(plan.selection, rows), content_type=content_type, headers=_preference(asked)
        )
        name = self.resource.options.name.lower()
        response['Content-Disposition'] = f'attachment; filename="{name}.csv"'
        _add_headers(response, clock)
        return response

    def _run(self, request: Request, readable: Readable, query: Query, clock: '_Clock') -> Rows:
        plan = self._plan(readable, query, clock)
        rows = run(plan, query, _facts(request), using=self.using, timeout=statement_timeout())
        clock.lap('db')
        return rows

    def _plan(self, readable: Readable, query: Query, clock: '_Clock') -> Plan:
        clock.lap('parse')
        plan = plans.plan(readable, query.shape, connections[self.using])
        clock.lap('plan')
        if plan.patches:
            clock.note('python', 'fields that only Python can compute')
        return plan

    def _asked(self, request: Request) -> dict[str, Any]:
        """What every kind of read takes from a request; how it is rendered is not part of it."""
        http = request._request
        parameters = dict(http.GET.lists())
        if len(parameters.get(self.settings.URL_FORMAT_OVERRIDE, ())) == 1:
            del parameters[self.settings.URL_FORMAT_OVERRIDE]
        return {
            'parameters': parameters,
            'mask_header': http.META.get(_variable(mask_header())),
            'strict': bool(_STRICT.search(http.META.get('HTTP_PREFER', ''))),
        }


class _Clock:
    """What each stage took, for the Server-Timing header."""

    __slots__ = ('_at', '_parts')

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._at = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self._parts.append(f'{name};dur={(now - self._at) * 1000:.2f}')
        self._at = now

    def note(self, name: str, description: str) -> None:
        self._parts.append(f'{name};desc="{description}"')

    def __str__(self) -> str:
        return ', '.join(self._parts)


@lru_cache(maxsize=8)
def _variable(header: str) -> str:
    """What WSGI calls a header."""
    return 'HTTP_' + header.upper().replace('-', '_')


def _facts(request: Request) -> Facts:
    http = request._request
    return Facts(caller_of(request), f'{http.scheme}://{http.get_host()}')


def _body(request: Request) -> Mapping[str, Any]:
    """The body of a query; a link to another page overrules the page that the body asks for."""
    content_type = request.content_type.partition(';')[0].strip().lower()
    if content_type != 'application/json':
        raise UnsupportedMediaType(request.content_type)
    body = load_json(request._request.body)
    if not isinstance(body, dict):
        raise Problem('The body must be a JSON object.', code='malformed-json')
    is_linked = not PAGE.isdisjoint(request._request.GET)
    return {name: value for name, value in body.items() if not (is_linked and name in PAGE)}


def _preference(asked: Mapping[str, Any]) -> dict[str, str]:
    return {'Preference-Applied': 'handling=strict'} if asked['strict'] else {}


def _respond(
    request: Request, text: bytes, clock: _Clock, headers: Mapping[str, str]
) -> HttpResponseBase:
    """The JSON as it is; a renderer other than DRF's own JSON gets it as data.

    The ETag is that of the JSON, so nothing else carries it, nor does the answer to a POST.
    """
    http = request._request
    response: HttpResponseBase
    if type(request.accepted_renderer) is not JSONRenderer:
        response = Response(json.loads(text))
    elif http.method == 'POST':
        response = HttpResponse(text, content_type='application/json')
    else:
        etag = f'"{sha256(text).hexdigest()[:24]}"'
        response = (
            HttpResponseNotModified()
            if _matches(http, etag)
            else HttpResponse(text, content_type='application/json')
        )
        response['ETag'] = etag
    for name, value in headers.items():
        response[name] = value
    _add_headers(response, clock)
    return response


def _matches(request: HttpRequest, etag: str) -> bool:
    """Whether If-None-Match names this answer (RFC 9110 section 13.1.2, weak comparison)."""
    given: str = request.META.get('HTTP_IF_NONE_MATCH', '')
    if etag not in given:
        return given.strip() == '*'
    return etag in (each.strip().removeprefix('W/') for each in given.split(','))


def _add_headers(response: HttpResponseBase, clock: _Clock) -> None:
    response['Cache-Control'] = 'private, no-cache'
    response['Server-Timing'] = str(clock)
    response['Vary'] = f'{_VARY}, {mask_header()}'
