"""Which browsers may read: where a site names no origins, those of a front end in development."""

from typing import Any

from corsheaders.signals import check_request_enabled
from django.conf import settings
from django.http import HttpRequest

#: The front end's development server, and the site itself.
_IN_DEVELOPMENT = frozenset({'http://localhost:8000', 'http://localhost:8010'})


def connect() -> None:
    """Make django-cors-headers ask. Called once, when the apps are ready."""
    check_request_enabled.connect(_is_open, dispatch_uid='services.codereview.origins')


def _is_open(*, request: HttpRequest, **_: Any) -> bool:
    return (
        not settings.BACKSTAY.is_deployed
        and not settings.BACKSTAY.cors_allowed_origins
        and request.path_info.startswith('/v1/')
        and request.headers.get('Origin') in _IN_DEVELOPMENT
    )
