"""The headers that limit browsers: Content-Security-Policy and Permissions-Policy.

Django's SecurityMiddleware and XFrameOptionsMiddleware add the rest (nosniff, referrer policy,
HSTS, frames).
"""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

#: Data is never a page: a browser that shows it may load and run nothing.
DATA_POLICY = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"

#: Pages load everything from here. Swagger UI and the admin write style attributes, and draw
#: icons from data: addresses. No script is allowed inside a page.
_PAGE_POLICY = '; '.join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_PERMISSIONS = 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()'


class ContentSecurityMiddleware:
    """Adds both headers to every answer; a view that sets its own policy keeps it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_page = response.headers.get('Content-Type', '').startswith('text/html')
        policy = _PAGE_POLICY if is_page else DATA_POLICY
        response.headers.setdefault('Content-Security-Policy', policy)
        response.headers.setdefault('Permissions-Policy', _PERMISSIONS)
        return response
