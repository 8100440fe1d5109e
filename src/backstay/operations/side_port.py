"""Health and metrics of a process that serves nothing else: a worker or the clock.

It has these addresses alone, on a port of its own, from a thread of its own. `/livez` says that the
process can answer, not that its work makes progress: the metrics count waiting tasks.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.core.management.base import CommandError

from backstay.errors import CONTENT_TYPE, Problem, code_of
from backstay.operations.health import close_connection, readiness
from backstay.operations.metrics import exposition
from backstay.settings import Environment

#: Status, content type and body.
Answer = tuple[int, str, bytes]


class _Server(ThreadingMixIn, WSGIServer):
    """Serves each request in a thread, so that one that hangs delays no other."""

    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Log nothing: probes come every few seconds."""


def answer_beside(environment: Environment, port: int) -> int:
    """Answer on HOST and this port while the process lives; return the port in use.

    Raises CommandError when somebody else listens there.
    """
    application = side_application(environment.metrics_path)
    try:
        server = make_server(
            environment.host, port, application, server_class=_Server, handler_class=_Handler
        )
    except OSError as error:
        raise CommandError(f'--health-port: {environment.host}:{port}: {error.strerror}') from None
    Thread(target=server.serve_forever, daemon=True, name='health').start()
    return int(server.server_port)


def side_application(metrics_path: str) -> Callable[..., Iterable[bytes]]:
    """Return a WSGI application of the three addresses; it answers GET and HEAD only."""
    answers: dict[str, Callable[[str], Answer]] = {'/livez': _live, '/readyz': _ready}
    if metrics_path:
        answers[f'/{metrics_path}'] = _metrics

    def application(environ: Mapping[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = answers.get(environ['PATH_INFO'])
        method = environ['REQUEST_METHOD']
        if answer is None:
            status, content_type, body = _problem(404)
        elif method not in ('GET', 'HEAD'):
            status, content_type, body = _problem(405)
        else:
            status, content_type, body = answer(environ.get('HTTP_ACCEPT', ''))
        headers = [
            ('Content-Type', content_type),
            ('Content-Length', str(len(body))),
            ('Cache-Control', 'no-store'),
            ('X-Content-Type-Options', 'nosniff'),
        ]
        start_response(f'{status} {HTTPStatus(status).phrase}', headers)
        return [] if method == 'HEAD' else [body]

    return application


def _live(_: str) -> Answer:
    return 200, 'application/json', b'{"status": "ok"}'


def _ready(_: str) -> Answer:
    is_ready, _faults = readiness()
    if is_ready:
        return _live('')
    return 503, 'application/json', b'{"status": "unavailable"}'


def _metrics(accept: str) -> Answer:
    try:
        body, content_type = exposition(accept)
    finally:
        close_connection()  # waiting tasks were counted in this thread, which ends
    return 200, content_type, body


def _problem(status: int) -> Answer:
    problem = Problem(status=status, code=code_of(status))
    return status, CONTENT_TYPE, json.dumps(problem.body('')).encode()
