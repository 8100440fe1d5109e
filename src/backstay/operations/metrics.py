"""Prometheus metrics of the requests, by route template and never by path.

Clients choose paths, so a path must not become a label: each new value costs memory for
the life of the process, here and in Prometheus. For the same reason methods are the known ones.

The processes of a site each write their figures into PROMETHEUS_MULTIPROC_DIR, which
prometheus-client reads when it is imported; `backstay.cli` sets it before.
"""

import os
from contextlib import suppress
from pathlib import Path
from secrets import compare_digest

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from backstay.errors import Problem, problem_response
from backstay.tasks.metrics import Queues

_METHODS = frozenset({'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'})

_REQUESTS = Counter('http_requests', 'Requests answered.', ('method', 'route', 'status'))
_SECONDS = Histogram(
    'http_request_duration_seconds',
    'Time from the arrival of a request to its answer.',
    ('method', 'route'),
)
IN_FLIGHT = Gauge('http_requests_in_flight', 'Requests in work now.', multiprocess_mode='livesum')


_QUEUES = Queues()
REGISTRY.register(_QUEUES)


def observe(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """Count one answered request."""
    match = request.resolver_match
    route = f'/{match.route}' if match else 'unmatched'
    method = request.method if request.method in _METHODS else 'other'
    _REQUESTS.labels(method, route, f'{response.status_code // 100}xx').inc()
    _SECONDS.labels(method, route).observe(seconds)


def observe_refusal(status: int) -> None:
    """Count a request that was refused before Django saw it."""
    _REQUESTS.labels('other', 'unmatched', f'{status // 100}xx').inc()


@csrf_exempt
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer every figure in the form that the scraper prefers."""
    token = settings.BACKSTAY.metrics_token
    shown = request.META.get('HTTP_AUTHORIZATION', '')
    if token and not compare_digest(shown.encode(), f'Bearer {token.get_secret_value()}'.encode()):
        headers = {'WWW-Authenticate': 'Bearer'}
        return problem_response(request, Problem(code='not-authenticated', headers=headers))
    body, content_type = exposition(request.META.get('HTTP_ACCEPT', ''))
    return HttpResponse(body, content_type=content_type)


def exposition(accept: str) -> tuple[bytes, str]:
    """Return every figure of the site's processes in the form that `accept` asks for."""
    registry = REGISTRY
    if folder := os.environ.get('PROMETHEUS_MULTIPROC_DIR'):
        _forget_dead(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
        registry.register(_QUEUES)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def _forget_dead(folder: Path) -> None:
    """Drop the figures of killed processes, whose requests would stay in flight for ever."""
    for file in folder.glob('gauge_live*_*.db'):
        pid = int(file.stem.rpartition('_')[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # another process was quicker
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
