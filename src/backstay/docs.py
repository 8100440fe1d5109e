"""OpenAPI 3.1 documents and their Swagger pages, of the whole site and of each service."""

from typing import Any

from django.urls import URLPattern, include, path
from drf_spectacular.views import (
    SpectacularJSONAPIView,
    SpectacularSwaggerSplitView,
    SpectacularYAMLAPIView,
)

from backstay.errors import CONTENT_TYPE
from backstay.services import Service


def docs_urls() -> list[URLPattern]:
    """The documentation of every mounted service together."""
    return [
        path('docs/', SpectacularSwaggerSplitView.as_view(url_name='docs-json'), name='docs'),
        path('docs.json', SpectacularJSONAPIView.as_view(), name='docs-json'),
        path('docs.yaml', SpectacularYAMLAPIView.as_view(), name='docs-yaml'),
    ]


def service_docs_urls(service: Service) -> list[URLPattern]:
    """The documentation of one service at the paths that it declares."""
    if not service.docs_path:
        return []
    name = f'{service.name}-openapi'
    patterns = [path(prefix, include(module)) for prefix, module in service.urls.items()]
    about = {
        'TITLE': service.title,
        'DESCRIPTION': service.description,
        'VERSION': service.version,
    }
    view = SpectacularJSONAPIView.as_view(patterns=patterns, custom_settings=about)
    page = SpectacularSwaggerSplitView.as_view(url_name=name, title=service.title)
    return [path(service.openapi_path, view, name=name), path(service.docs_path, page)]


#: JSON Schema of a problem document.
PROBLEM: dict[str, Any] = {
    'type': 'object',
    'description': 'Problem details (RFC 9457).',
    'required': ['type', 'title', 'status', 'detail', 'code'],
    'properties': {
        'type': {'type': 'string', 'format': 'uri'},
        'title': {'type': 'string'},
        'status': {'type': 'integer'},
        'detail': {'type': 'string'},
        'code': {'type': 'string', 'description': 'Stable; made for programs.'},
        'instance': {'type': 'string'},
        'request_id': {'type': 'string'},
        'errors': {
            'type': 'array',
            'items': {
                'type': 'object',
                'required': ['pointer', 'code', 'detail'],
                'properties': {
                    'pointer': {'type': 'string', 'description': 'JSON pointer (RFC 6901).'},
                    'code': {'type': 'string'},
                    'detail': {'type': 'string'},
                },
            },
        },
    },
}


def describe_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular post-processing: every operation may also answer with a problem."""
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
