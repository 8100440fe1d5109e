"""`backstay serve`: the site on its own server, set up from the environment."""

import errno
import gc
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils.module_loading import import_string

from backstay.operations.checkpoints import keep_log_short, shorten_log
from backstay.operations.door.connections import Room, Terms
from backstay.operations.door.loop import Loop
from backstay.operations.door.processes import run_processes
from backstay.operations.health import LIVE, is_leaving, say_leaving
from backstay.operations.poolers import refuse_unknown_pooler
from backstay.operations.proxies import proxies_of
from backstay.operations.sharing import share_calls
from backstay.operations.static_files import manifest_path, uncollected
from backstay.payloads import limit_at
from backstay.settings import Environment

#: Connections of a process, unless it may not open as many files.
_MOST_CONNECTIONS = 4096
#: Files that a process opens besides the sockets of its clients.
_OTHER_FILES = 512
#: Seconds that open requests have to end.
_TO_END = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The set-up of the server, as the environment and this machine allow it."""

    host: str
    port: int
    #: Web processes.
    processes: int
    #: Threads that run Django in each, as many as its pool has connections.
    threads: int
    #: Bytes of bodies that a process holds at a time.
    bodies_in_flight: int
    #: Connections that the kernel keeps waiting.
    backlog: int = 1024
    #: Connections that a process holds open, including idle ones.
    connections_open: int = _MOST_CONNECTIONS
    #: Seconds after the signal to stop in which requests are still taken.
    drain: float = 0
    #: Seconds after that signal after which a process is killed: fewer than the 30 s that
    #: Kubernetes and Heroku give, unless it drains for longer than usual.
    kill_timeout: float = 25


def server_of(environment: Environment) -> Server:
    """Return the server that the environment asks for, with as many files as it may open."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_CONNECTIONS
    if files != resource.RLIM_INFINITY:
        most = max(1, min(most, files - _OTHER_FILES))
    return Server(
        host=environment.host,
        port=environment.port,
        processes=environment.processes,
        threads=environment.concurrency,
        bodies_in_flight=environment.bodies_in_flight,
        connections_open=most,
        drain=environment.drain,
        kill_timeout=_TO_END + environment.drain,
    )


def serve(server: Server) -> int:
    """Run the site until SIGINT or SIGTERM; return the exit code.

    The caller has claimed host and port.
    """
    _allow_files(server.connections_open + _OTHER_FILES)
    family = socket.AF_INET6 if ':' in server.host else socket.AF_INET
    address = (server.host, server.port)
    with socket.create_server(address, family=family, backlog=server.backlog) as listener:
        forget_connections()
        gc.freeze()  # what is loaded stays: no collection looks at it, and processes share it
        return run_processes(
            server.processes,
            partial(_work, server, listener),
            at_end=listener.close,  # or the kernel would take connections that nobody answers
            kill_after=server.kill_timeout,
        )


def _work(server: Server, listener: socket.socket) -> None:
    """Answer in this process."""
    environment: Environment = settings.BACKSTAY
    application = import_string(str(settings.WSGI_APPLICATION))
    limit_at('GET', b'/')  # reads every module of addresses before the first request
    gc.collect()
    gc.freeze()
    probes = ['/livez', '/readyz', '/__lbheartbeat__', '/__heartbeat__', '/__version__']
    ask_apart = [*probes, f'/{environment.metrics_path}']
    loop = Loop(
        listener,
        application,
        terms=Terms(held=Room(server.bodies_in_flight), limit_of=limit_at),
        proxies=proxies_of(environment),
        threads=server.threads,
        most_connections=server.connections_open,
        at_once={
            b'/livez': ('application/json', LIVE),
            b'/__lbheartbeat__': ('text/plain', b''),
        },
        apart=frozenset(path.encode() for path in ask_apart if path != '/'),
    )

    def leave(*_: Any) -> None:
        loop.stop(after=0 if is_leaving() else server.drain)
        say_leaving()

    share_calls()
    keep_log_short()
    signal.signal(signal.SIGTERM, leave)
    loop.run()
    shorten_log(0)


def _allow_files(wanted: int) -> None:
    """Raise the number of files that processes may open, as far as the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def forget_connections() -> None:
    """Close the connections of the preparation: they, and threads of pools, survive no fork."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, 'close_pool'):
            connection.close_pool()


def claim(host: str, port: int) -> tuple[str, int]:
    """Return the address and port to listen on; port 0 becomes a free one.

    Raises CommandError when somebody else listens there.
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
        refuse_unknown_pooler()
        host, port = claim(server.host, server.port)
        self.check()
        self.stdout.write(f'Serving on http://{url_host(host)}:{port}')
        self.stdout.flush()
        if code := serve(server_at(server, host, port)):
            sys.exit(code)


def server_at(server: Server, host: str, port: int) -> Server:
    """Return the same server at the claimed address."""
    return replace(server, host=host, port=port)


def url_host(host: str) -> str:
    """Return the host as a person types it into a browser."""
    if host in (str(IPv4Address(0)), str(IPv6Address(0))):
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
