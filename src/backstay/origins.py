"""The services that browsers may call from every origin: those with `Service.any_origin`.

django-cors-headers asks here about each request that carries an Origin; the origins that the site
as a whole allows are in CORS_ALLOWED_ORIGINS. No credentials are allowed either way.
"""

from typing import Any

from corsheaders.signals import check_request_enabled
from django.http import HttpRequest

from backstay.services import mounted


def connect() -> None:
    """Connect to the signal of django-cors-headers. Called once, when the apps are ready."""
    check_request_enabled.connect(_is_open, dispatch_uid='backstay.origins')


def _is_open(*, request: HttpRequest, **_: Any) -> bool:
    """Whether the service that the request is for may be called from every origin."""
    owners = [
        (len(prefix), service.any_origin)
        for service in mounted()
        for prefix in service.urls
        if request.path_info.startswith(f'/{prefix}')
    ]
    # A prefix may lie below another's, so the longest one names the service.
    return max(owners, default=(0, False))[1]
