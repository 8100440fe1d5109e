"""`backstay serve`: the site on Granian, set up from the environment."""

import errno
import signal
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils.module_loading import import_string

from backstay.operations.static_files import manifest_path, uncollected
from backstay.settings import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The set-up of Granian, whose own defaults suit another kind of work than ours."""

    host: str
    port: int
    #: Worker processes.
    processes: int
    #: Threads that run Python in each; Granian's default is 512, far above the connection pool.
    threads: int
    #: Connections that the kernel keeps waiting.
    backlog: int = 1024
    #: Connections that a process holds open, including idle ones: more than proxies keep alive.
    backpressure: int = 1024
    #: Seconds after which a process that does not stop is killed: fewer than the 30 s that
    #: Kubernetes and Heroku give; Granian's default is for ever.
    kill_timeout: int = 25
    #: Seconds after which an idle thread ends: longer than most pauses.
    thread_idle_timeout: int = 300
    #: Whether a process that dies is replaced; Granian's default is no.
    respawn: bool = True


def server_of(environment: Environment) -> Server:
    """Return the server that the environment asks for."""
    return Server(
        host=environment.host,
        port=environment.port,
        processes=environment.processes,
        threads=environment.concurrency,
    )


def serve(server: Server) -> None:
    """Run the site until SIGINT or SIGTERM; the caller has claimed host and port."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    forget_connections()
    granian = Granian(
        str(settings.WSGI_APPLICATION),
        address=server.host,
        port=server.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,  # a proxy in front speaks HTTP/2 with clients
        websockets=False,
        workers=server.processes,
        blocking_threads=server.threads,
        blocking_threads_idle_timeout=server.thread_idle_timeout,
        backlog=server.backlog,
        backpressure=server.backpressure,
        respawn_failed_workers=server.respawn,
        workers_kill_timeout=server.kill_timeout,
        log_level=LogLevels.warning if settings.BACKSTAY.env == 'local' else LogLevels.info,
        log_dictconfig=_OUR_LOG,
    )
    granian.serve(target_loader=_load)


#: Granian's lines go to the same place as all others.
_OUR_LOG: dict[str, Any] = {
    'formatters': {},
    'handlers': {},
    'loggers': {'_granian': {'propagate': True}, 'granian.access': {'propagate': True}},
}


def _load(target: str) -> Any:
    """Load the application inside a worker.

    Ctrl-C reaches every process of a terminal. A worker leaves it to the parent, which then sends
    SIGTERM; otherwise the parent takes the end of the worker for a crash.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    return import_string(target)


def forget_connections() -> None:
    """Close the connections of the preparation: they, and threads of pools, survive no fork."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, 'close_pool'):
            connection.close_pool()


def claim(host: str, port: int) -> tuple[str, int]:
    """Return the address and port to listen on; port 0 becomes a free one.

    Raises CommandError when somebody else listens there. Granian cannot tell: it shares ports.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            name = listener.getsockname()
            return str(name[0]), int(name[1])
    except socket.gaierror:
        raise CommandError(f'HOST: there is no address called {host}') from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f'PORT: {port} of {host} is in use; stop what listens there, or give another'
            ) from None
        raise CommandError(f'HOST, PORT: {host}:{port}: {error.strerror}') from None


def refuse_without_static_files(environment: Environment) -> None:
    """Raise CommandError when deployed pages would answer 500 because files are not collected.

    Their storage reads the manifest when it first makes an address, too late for a message.
    """
    if environment.is_deployed and (missing := uncollected()):
        raise CommandError(
            f'{manifest_path()} lacks {len(missing)} static files, of which /docs/ and /admin/ '
            f'need some: {missing[0]}, ...; collect them with `backstay release`, or in an image '
            'with `backstay collectstatic --noinput`'
        )


class Command(BaseCommand):
    """Serve the site."""

    help = 'Serve the site on HOST and PORT; SIGTERM and Ctrl-C end it after open requests.'
    requires_system_checks = ()  # run below, once the port is claimed

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            '--print', action='store_true', help='show what the environment amounts to, and stop'
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        environment: Environment = settings.BACKSTAY
        server = server_of(environment)
        if options['print']:
            self.stdout.write('\n'.join(describe(server, environment)))
            return
        refuse_without_static_files(environment)
        host, port = claim(server.host, server.port)
        self.check()
        self.stdout.write(f'Serving on http://{url_host(host)}:{port}')
        serve(server_at(server, host, port))


def server_at(server: Server, host: str, port: int) -> Server:
    """Return the same server at the claimed address."""
    return replace(server, host=host, port=port)


def url_host(host: str) -> str:
    """Return the host as a person types it into a browser."""
    if host in ('0.0.0.0', '::'):  # noqa: S104 compared, not bound
        return '127.0.0.1'
    return f'[{host}]' if ':' in host else host


def describe(server: Server, environment: Environment) -> Iterator[str]:
    """Yield one line for each setting, with the connections to the database that they allow."""
    shown = asdict(server)
    pool = settings.DATABASES['default']['OPTIONS'].get('pool')
    if pool is None:
        shown['connections'] = 'one of each thread, to a file'
    else:
        size = pool['max_size']
        total = size * server.processes
        shown['connections'] = f'{size} in the pool of each process, {total} in all'
    shown['static_files'] = 'found where they are'
    if environment.is_deployed:
        missing = len(uncollected())
        shown['static_files'] = f'{missing} not collected' if missing else 'collected'
    for name, value in shown.items():
        yield f'{name.replace("_", " "):20} {value}'
