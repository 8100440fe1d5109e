"""Health: whether the process is alive, whether requests may come, and what is wrong.

`/livez` and `/readyz` are for orchestrators; `/__version__`, `/__heartbeat__` and
`/__lbheartbeat__` are Dockerflow's. `backstay serve` answers `/livez` and `/__lbheartbeat__` itself
and the others on threads of their own, so that no probe waits for requests. Nothing here is cached
or shared between instances. A part that hangs costs one thread, no matter how often it is probed,
and the answer still comes within 2 s.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import cache as once
from functools import wraps
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.core import checks
from django.core.cache import cache
from django.core.checks.registry import registry
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from backstay import __version__

#: Seconds that all parts together have; the answer must leave within 2.
DEADLINE = 1.5

#: What says that the process can answer at all.
LIVE = b'{"status": "ok"}'

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: Whether the process was told to stop. Load balancers learn it first; requests are still answered.
_leaving = Event()

#: The fault of each part, by name; an empty text when it works.
Faults = Mapping[str, str]
View = Callable[[HttpRequest], HttpResponse]


class Probe:
    """A question about some parts, asked in one thread for all requests that wait for it."""

    def __init__(self, ask: Callable[[], Faults], parts: Sequence[str]) -> None:
        self._ask = ask
        self.parts = parts
        self._lock = Lock()
        self._answer: Future[Faults] = Future()
        self._answer.set_result({})

    def start(self) -> Future[Faults]:
        """Return the coming answer; that of an open question, if there is one."""
        with self._lock:
            if self._answer.done():
                self._answer = Future()
                Thread(target=self._run, args=(self._answer,), daemon=True).start()
            return self._answer

    def _run(self, answer: Future[Faults]) -> None:
        try:
            faults = self._ask()
        except Exception as error:  # noqa: BLE001 whatever a driver raises, the part is down
            faults = dict.fromkeys(self.parts, f'{type(error).__name__}: {error}')
        finally:
            close_connection()
        answer.set_result(faults)


def close_connection() -> None:
    """Close this thread's connection; Django's own close leaves SQLite in memory open."""
    connection.close()
    if connection.connection is not None:
        connection.connection.close()


def _ask_database() -> Faults:
    """Return the faults of the database and of its migrations: two statements."""
    applied = MigrationRecorder(connection).applied_migrations()
    missing = [
        f'{app}.{name}'
        for (app, name), replaced in _migrations().items()
        if (app, name) not in applied and not (replaced and replaced <= applied.keys())
    ]
    return {'database': '', 'migrations': f'not applied: {", ".join(missing)}' if missing else ''}


@once
def _migrations() -> Mapping[tuple[str, str], frozenset[tuple[str, str]]]:
    """Return the code's migrations and those that each replaces; they are fixed in a process."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return {
        key: frozenset(loader.disk_migrations[key].replaces) for key in sorted(loader.graph.nodes)
    }


def _ask_cache() -> Faults:
    cache.set('backstay-health', 'ok', timeout=10)
    answer = cache.get('backstay-health')
    return {'cache': '' if answer == 'ok' else 'lost what was written'}


#: The migrations go with the database: one thread takes one connection of the pool.
PROBES = (Probe(_ask_database, ('database', 'migrations')), Probe(_ask_cache, ('cache',)))


def ask(probes: Sequence[Probe] = PROBES) -> Callable[[], Faults]:
    """Ask all parts at once; return a function that waits for them until the deadline."""
    until = monotonic() + DEADLINE
    started = [(probe, probe.start()) for probe in probes]

    def wait() -> Faults:
        faults: dict[str, str] = {}
        for probe, answer in started:
            try:
                faults |= answer.result(timeout=max(0, until - monotonic()))
            except TimeoutError:
                faults |= dict.fromkeys(probe.parts, f'no answer within {DEADLINE} s')
        return faults

    return wait


def readiness() -> tuple[bool, Faults]:
    """Return whether every part works, and the fault of each; log those that do not."""
    faults = ask()()
    wrong = {part: fault for part, fault in faults.items() if fault}
    if wrong:
        _log.warning('not ready', **wrong)
    return not wrong, faults


def say_leaving() -> None:
    """Have load balancers told from now on to send requests elsewhere."""
    _leaving.set()


def is_leaving() -> bool:
    """Return whether the process was told to stop."""
    return _leaving.is_set()


def _endpoint(view: View) -> View:
    """Make a view answer GET and HEAD only, never cached."""

    @wraps(view)
    def fresh(request: HttpRequest) -> HttpResponse:
        response = view(request)
        response.headers['Cache-Control'] = 'no-store'
        return response

    return csrf_exempt(require_safe(fresh))


@_endpoint
def live(_: HttpRequest) -> HttpResponse:
    """Answer 200 if the process can answer at all; no part is asked."""
    return HttpResponse(LIVE, content_type='application/json')


@_endpoint
def load_balancer(_: HttpRequest) -> HttpResponse:
    """Answer an empty 200, Dockerflow's form of `live`; 503 when the process is about to stop."""
    return HttpResponse(content_type='text/plain', status=503 if is_leaving() else 200)


@_endpoint
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 when requests may come, and 503 when a part does not work or the process stops."""
    if is_leaving():
        return JsonResponse({'status': 'stopping'}, status=503)
    is_ready, faults = readiness()
    body: dict[str, Any] = {'status': 'ok' if is_ready else 'unavailable'}
    if _may_see_details(request, faults):
        body['parts'] = {part: fault or 'ok' for part, fault in faults.items()}
    return JsonResponse(body, status=200 if is_ready else 503)


@_endpoint
def version(_: HttpRequest) -> HttpResponse:
    """Answer `version.json` of the image; in a checkout, the version of the package."""
    try:
        body = json.loads((settings.BASE_DIR / 'version.json').read_bytes())
    except FileNotFoundError:
        body = {'commit': None, 'version': __version__, 'source': None, 'build': None}
    return JsonResponse(body)


@_endpoint
def heartbeat(request: HttpRequest) -> HttpResponse:
    """Answer the worst level of all parts and of Django's system checks; 500 from `error` on."""
    answers = ask()
    checked = _system_checks()  # while the parts think
    faults = answers()
    details = dict(checked)
    for part, fault in faults.items():
        level = checks.ERROR if fault else 0
        messages = {f'backstay.{part}': fault} if fault else {}
        details[part] = {'status': _status(level), 'level': level, 'messages': messages}
    worst = max((each['level'] for each in details.values()), default=0)
    body: dict[str, Any] = {'status': _status(worst)}
    if _may_see_details(request, faults):
        body['checks'] = {name: each['status'] for name, each in details.items()}
        body['details'] = {name: each for name, each in details.items() if each['level']}
    return JsonResponse(body, status=200 if worst < checks.ERROR else 500)


@once
def _system_checks() -> dict[str, dict[str, Any]]:
    """Return Django's checks by name, run once per process: they read code and settings only.

    A deployed site runs the security checks too. Other checks for deployment are left to
    `manage.py check --deploy`: one of them builds the whole OpenAPI document.
    """
    found = {}
    for check in registry.get_checks(include_deployment_checks=settings.BACKSTAY.is_deployed):
        tags = getattr(check, 'tags', ())
        if check in registry.deployment_checks and checks.Tags.security not in tags:
            continue
        messages = [
            each for each in check(app_configs=None, databases=[]) if not each.is_silenced()
        ]
        level = max((each.level for each in messages), default=0)
        found[str(getattr(check, '__name__', check))] = {
            'status': _status(level),
            'level': level,
            'messages': {each.id: each.msg for each in messages},
        }
    return found


def _status(level: int) -> str:
    """Return Dockerflow's word for a level of Django's checks."""
    named = ((checks.ERROR, 'error'), (checks.WARNING, 'warning'), (checks.INFO, 'info'))
    return next((name for least, name in named if level >= least), 'ok')


def _may_see_details(request: HttpRequest, faults: Faults) -> bool:
    """Whether the caller may see details: everybody on a developer's machine, else staff."""
    if settings.BACKSTAY.env == 'local':
        return True
    # A database that is down cannot say who asks.
    return not faults['database'] and bool(getattr(request.user, 'is_staff', False))
