"""OpenAPI 3.1 documents and their Swagger pages, of the whole site and of each service.

A document describes what its reader may do: it leaves out operations that they may not call on any
row. Staff may ask for the document of another role: `/docs.json?as=guest`, `account`, or
`level:2`.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, include, path
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
from backstay.errors import CONTENT_TYPE, Problem
from backstay.identity.callers import Machine
from backstay.resources.openapi.operation import PROBLEM
from backstay.services import Service


class DocumentOfRole(SpectacularAPIView):
    """An OpenAPI document, which staff may request as another role sees it (`?as=`)."""

    #: The service that it describes; None for the whole site, with the title of the settings.
    service: Service | None = None

    def _get_schema_response(self, request: Request) -> Response:
        role = request.query_params.get('as')
        if role is not None:
            if not getattr(request.user, 'is_staff', False):
                raise PermissionDenied
            request.user = Machine(caller_in(role))  # type: ignore[assignment] # stands in for one
        response: Response = super()._get_schema_response(request)  # type: ignore[no-untyped-call]
        if self.service is not None:
            # Not by drf-spectacular's `custom_settings`, which all documents of a process share.
            response.data['info'] |= {
                'title': self.service.title,
                'description': self.service.description,
                'version': self.service.version,
            }
        response['Cache-Control'] = 'private, no-cache'
        response['Vary'] = 'Authorization, X-Api-Key, Cookie, Accept'
        return response

    def _get_filename(self, request: Request, version: str | None) -> str:
        name: str = super()._get_filename(request, version)  # type: ignore[no-untyped-call]
        if self.service is None:
            return name
        return f'{self.service.title}.{name.rpartition(".")[2]}'


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
