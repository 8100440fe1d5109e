"""Addresses and schemes that a proxy reports, believed from named proxies only."""

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from granian.utils.proxies import wrap_wsgi_with_proxy_headers


def trust_proxies(application: WSGIHandler) -> WSGIHandler:
    """The application, taking client address and scheme from X-Forwarded-For and -Proto.

    Only requests that come from BACKSTAY_TRUSTED_PROXIES (addresses or networks) are believed;
    without any, the application comes back as it is.
    """
    trusted = settings.BACKSTAY.trusted_proxies
    if not trusted:
        return application
    wrapped: WSGIHandler = wrap_wsgi_with_proxy_headers(application, list(trusted))
    return wrapped
