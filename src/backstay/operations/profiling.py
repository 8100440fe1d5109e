"""PROFILE=1: a profile of each API request, printed to the terminal.

The cost: requests run one after another, regardless of the number of threads, and each takes three
to four times as long, because cProfile counts every call, and some 2 ms more for the table. It
prints names of functions and no value of any request or statement.
"""

import cProfile
import io
import pstats
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Lock
from time import perf_counter
from typing import Any

from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from backstay.services import mounted

_LINES = 30


@dataclass(slots=True)
class _Statements:
    """Counts statements and their time, as an execute wrapper of Django."""

    count: int = 0
    seconds: float = 0.0

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        started = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.count += 1
            self.seconds += perf_counter() - started


class ProfilingMiddleware:
    """Profiles requests to the services, not to their documentation, the admin or static files."""

    #: From Python 3.12 on a process can run only one cProfile for all its threads.
    _one_at_a_time = Lock()

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        place = request.path.strip('/')
        is_api = any(
            service.owns(request.path)
            and place not in (service.docs_path.strip('/'), service.openapi_path.strip('/'))
            for service in mounted()
        )
        if not is_api:
            return self.get_response(request)
        profile, statements = cProfile.Profile(), _Statements()
        with self._one_at_a_time:
            with ExitStack() as stack:
                for connection in connections.all():
                    stack.enter_context(connection.execute_wrapper(statements))
                response = profile.runcall(self.get_response, request)
            sys.stderr.write(_report(request, profile, statements))
        return response


def _report(request: HttpRequest, profile: cProfile.Profile, statements: _Statements) -> str:
    """Return the text about a request: its statements, and the functions that took longest."""
    table = io.StringIO()
    pstats.Stats(profile, stream=table).sort_stats('cumulative').print_stats(_LINES)
    path = request.path.encode('unicode_escape').decode('ascii')
    return (
        f'PROFILE {request.method} {path}: {statements.count} statements, '
        f'{statements.seconds * 1000:.1f} ms in the database\n{table.getvalue().strip()}\n'
    )
