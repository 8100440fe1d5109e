"""The addresses for the operators of a site."""

from django.urls import URLPattern, path, re_path

from backstay.operations import health
from backstay.operations.favicon import favicon
from backstay.operations.metrics import metrics
from backstay.settings import Environment


def operations_urls(environment: Environment) -> list[URLPattern]:
    """Return the addresses of health, version and, unless switched off, metrics."""
    patterns = [
        path('livez', health.live, name='livez'),
        path('readyz', health.ready, name='readyz'),
        path('favicon.ico', favicon, name='favicon'),
        re_path(r'^__version__/?$', health.version, name='version'),
        re_path(r'^__heartbeat__/?$', health.heartbeat, name='heartbeat'),
        re_path(r'^__lbheartbeat__/?$', health.load_balancer, name='lbheartbeat'),
    ]
    if environment.metrics_path:
        patterns.append(path(environment.metrics_path, metrics, name='metrics'))
    return patterns
