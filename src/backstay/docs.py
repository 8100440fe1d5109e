"""OpenAPI 3.1 documents and their Swagger pages, of the whole site and of each service.

A document describes what its reader may do: it leaves out operations that they may not call on any
row. Staff may ask for the document of another role: `/docs.json?as=guest`, `account`, or
`level:2`. It follows from the code and the reader's standing alone, so a process makes it once for
each standing and keeps the text.
"""

import json
from collections.abc import Callable
from hashlib import sha256
from threading import Lock
from typing import Any

from django.core.signals import setting_changed
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, include, path
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularJSONAPIView,
    SpectacularSwaggerSplitView,
    SpectacularYAMLAPIView,
)
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from backstay.caller import GUEST, Caller
from backstay.engine.recent import Recent
from backstay.errors import CONTENT_TYPE, Problem
from backstay.identity.callers import Machine, caller_of
from backstay.resources.openapi.operation import PROBLEM
from backstay.services import Service


class DocumentOfRole(SpectacularAPIView):
    """An OpenAPI document, which staff may request as another role sees it (`?as=`)."""

    #: The service that it describes; None for the whole site, with the title of the settings.
    service: Service | None = None

    def _get_schema_response(self, request: Request) -> Any:
        role = request.query_params.get('as')
        if role is not None:
            if not getattr(request.user, 'is_staff', False):
                raise PermissionDenied
            request.user = Machine(caller_in(role))  # type: ignore[assignment] # stands in for one
        response = self._written(request)
        etag = quote_etag(sha256(response.content).hexdigest()[:32])
        answer: Any = get_conditional_response(request._request, etag=etag, response=response)
        answer.headers['ETag'] = etag
        answer.headers['Cache-Control'] = 'private, no-cache'
        answer.headers['Vary'] = 'Authorization, X-Api-Key, Cookie, Accept'
        return answer

    def _written(self, request: Request) -> HttpResponse:
        """Return the document as text, kept or made now."""
        media_type = str(request.accepted_media_type)
        # What else a request may say about it, such as its language, is seldom said.
        is_usual = request.query_params.keys() <= {'as', 'format'}
        is_usual &= self.patterns is None or self.service is not None
        caller, service = caller_of(request), self.service.name if self.service else None
        standing = caller.standing(), caller.standing(writing=True)
        key = (service, standing, media_type)
        text = _texts.get(key) if is_usual else None
        if text is None:
            # One at a time: others wait for the same one, and drf-spectacular fails under threads
            # when they are the first to need one of its extensions.
            with _making:
                text = _texts.get(key) if is_usual else None
                if text is None:
                    text = self._made(request)
                    if is_usual:
                        _texts.keep(key, text, size=len(text))
        filename = self._get_filename(request, None)
        disposition = {'Content-Disposition': f'inline; filename="{filename}"'}
        return HttpResponse(text, content_type=media_type, headers=disposition)

    def _made(self, request: Request) -> bytes:
        made: Response = super()._get_schema_response(request)  # type: ignore[no-untyped-call]
        if self.service is not None:
            # Not by drf-spectacular's `custom_settings`, which all documents of a process share.
            made.data['info'] |= {
                'title': self.service.title,
                'description': self.service.description,
                'version': self.service.version,
            }
        return _text_of(made.data, request.accepted_renderer)

    def _get_filename(self, request: Request, version: str | None) -> str:
        name: str = super()._get_filename(request, version)  # type: ignore[no-untyped-call]
        if self.service is None:
            return name
        return f'{self.service.title}.{name.rpartition(".")[2]}'


def _text_of(document: Any, renderer: Any) -> bytes:
    """Return the document in the format of a renderer: JSON without spaces, or YAML."""
    text = renderer.render(document, renderer_context={})
    if renderer.format == 'json':
        text = json.dumps(json.loads(text), ensure_ascii=False, separators=(',', ':'))
    return text if isinstance(text, bytes) else str(text).encode()


_making = Lock()
#: The documents that were asked for last, of every standing.
_texts: Recent[Any, bytes] = Recent(max_size=32 * 1024 * 1024)
# Tests change settings; a site does not.
setting_changed.connect(lambda **_: _texts.clear(), weak=False)


class JsonDocumentView(DocumentOfRole, SpectacularJSONAPIView):
    """The document as JSON."""


class YamlDocumentView(DocumentOfRole, SpectacularYAMLAPIView):
    """The document as YAML."""


def caller_in(role: str) -> Caller:
    """Return a caller in a role: `guest`, `account`, or `level:2`, held on every row."""
    if role == 'guest':
        return GUEST
    if role == 'account':
        return Caller(kind='account', level=1)
    kind, _, level = role.partition(':')
    if kind == 'level' and len(level) == 1 and level in '0123456789':
        return Caller(kind='account', level=int(level))
    raise Problem('`as` should be guest, account, or level: and a digit.')


View = Callable[..., HttpResponseBase]


def page_or_document(page: View, document: View) -> View:
    """Serve people the page and programs the document at one address.

    Programs ask for it by `Accept` or by `?format=json`, `openapi` or `yaml`.
    """

    @csrf_exempt
    def documentation(request: HttpRequest) -> HttpResponseBase:
        wanted = request.GET.get('format', '').removeprefix('.')
        if wanted in ('json', 'openapi', 'yaml'):
            asked = request.GET.copy()
            asked['format'] = 'yaml' if wanted == 'yaml' else 'json'
            request.GET = asked  # type: ignore[assignment] # a mutable copy, left unchanged
            return document(request)
        return (page if wanted or request.accepts('text/html') else document)(request)

    return documentation


def docs_urls() -> list[URLPattern]:
    """Return the URL patterns for the documentation of all mounted services together."""
    page = SpectacularSwaggerSplitView.as_view(url_name='docs-json')
    return [
        path('docs/', page_or_document(page, DocumentOfRole.as_view()), name='docs'),
        path('docs.json', JsonDocumentView.as_view(), name='docs-json'),
        path('docs.yaml', YamlDocumentView.as_view(), name='docs-yaml'),
    ]


def service_docs_urls(service: Service) -> list[URLPattern]:
    """Return the URL patterns for the documentation of one service, at the paths it declares."""
    if not service.docs_path:
        return []
    name = f'{service.name}-openapi'
    patterns = [path(prefix, include(module)) for prefix, module in service.urls.items()]
    view = JsonDocumentView.as_view(patterns=patterns, service=service)
    document = DocumentOfRole.as_view(patterns=patterns, service=service)
    page = SpectacularSwaggerSplitView.as_view(url_name=name, title=service.title)
    return [
        path(service.openapi_path, view, name=name),
        path(service.docs_path, page_or_document(page, document)),
    ]


def describe_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add to every operation that it may also answer with a problem (post-processing hook)."""
    result.setdefault('components', {}).setdefault('schemas', {})['Problem'] = PROBLEM
    answer = {
        'description': 'Any other answer is a problem document.',
        'content': {CONTENT_TYPE: {'schema': {'$ref': '#/components/schemas/Problem'}}},
    }
    for operations in result.get('paths', {}).values():
        for operation in operations.values():
            if isinstance(operation, dict) and 'responses' in operation:
                operation['responses'].setdefault('default', answer)
    return result
