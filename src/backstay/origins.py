"""Which services browsers of every origin may call: what `Service.any_origin` declares.

django-cors-headers asks here about each request that carries an Origin; the origins that the site
as a whole allows are in CORS_ALLOWED_ORIGINS. No credentials are allowed either way.
"""

from typing import Any

from corsheaders.signals import check_request_enabled
from django.http import HttpRequest

from backstay.services import Service, mounted


def connect() -> None:
    """Make django-cors-headers ask. Called once, when the apps are ready."""
    check_request_enabled.connect(_is_open, dispatch_uid='backstay.origins')


def _is_open(*, request: HttpRequest, **_: Any) -> bool:
    service = _owner(request.path_info)
    return service is not None and service.any_origin


def _owner(path: str) -> Service | None:
    """The service with the longest prefix of the path: one prefix may lie below another's."""
    owners = [
        (len(prefix), service)
        for service in mounted()
        for prefix in service.urls
        if path.startswith(f'/{prefix}')
    ]
    return max(owners, key=lambda each: each[0])[1] if owners else None
