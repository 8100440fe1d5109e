"""The site that is measured: its database with the large seed, its accounts, its servers."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / 'var' / 'bench'
DEFAULT_URL = 'postgres://postgres@127.0.0.1:5432/backstay_bench_codereview'
_BASE = os.environ.get('BENCH_CODEREVIEW_URL', DEFAULT_URL)
NAME, PASSWORD = 'bench-bot', 'bench-s3cret'
#: Of this run: sessions that the bench makes are good for the servers that it starts.
SECRET_KEY = secrets.token_urlsafe(48)
#: Links of the large seed.
SEEDED = 1_000_000
#: The seed ends on the day of its making; what asks for the last month needs it recent.
FRESH = timedelta(days=3)
#: A server ends by itself after this many seconds, should the bench be killed.
LIFETIME = 900


def environment(**more: str) -> dict[str, str]:
    """What the site and its commands are started with."""
    return {
        **os.environ,
        'ENV': 'test',
        'SERVICES': 'codereview',
        'DATABASE_URL': url(),
        'LOG_LEVEL': 'ERROR',
        'SECRET_KEY': SECRET_KEY,
        'PYTHONPATH': os.pathsep.join((str(ROOT), str(ROOT / 'src'))),
        **more,
    }


def url() -> str:
    """Of the PostgreSQL database; the bench creates and replaces it."""
    return os.environ.get('BENCH_CODEREVIEW_URL', DEFAULT_URL)


def choose(links: int) -> None:
    """Use the database of this size: each has one of its own, so that two stand side by side."""
    os.environ['BENCH_CODEREVIEW_URL'] = _BASE + _suffix(links)


def _suffix(links: int) -> str:
    return '' if links == SEEDED else f'_{links // SEEDED}m'


def prepare(links: int) -> None:
    """Make the database and fill it with so many links, unless that was done lately."""
    if _filled_until(links) >= datetime.now(UTC) - FRESH:
        return
    name = urlsplit(url()).path.lstrip('/')
    seeded = ''
    if links != SEEDED:
        choose(SEEDED)
        prepare(SEEDED)
        seeded = urlsplit(url()).path.lstrip('/')
        choose(links)
    maintenance = urlsplit(url())._replace(path='/postgres').geturl()
    with psycopg.connect(maintenance, autocommit=True) as session:
        session.execute(psycopg.sql.SQL('DROP DATABASE IF EXISTS {}').format(_named(name)))
        making = psycopg.sql.SQL('CREATE DATABASE {} TEMPLATE {}')
        session.execute(making.format(_named(name), _named(seeded or 'template1')))
    today = '' if seeded else f'{datetime.now(UTC):%Y-%m-%d}'
    _backstay('migrate', '-v0')
    call = f'from bench.codereview import filling; filling.fill({links}, {today!r})'
    _backstay('shell', '-v0', '-c', call)


def _named(name: str) -> psycopg.sql.Identifier:
    return psycopg.sql.Identifier(name)


def _filled_until(links: int) -> datetime:
    """The day on which the large seed ends; the beginning of time where it is not whole."""
    try:
        with psycopg.connect(url()) as session:
            row = session.execute(
                'SELECT min(until), (SELECT max(id) FROM codereview_issuelink WHERE id <= %s), '
                '(SELECT count(*) FROM codereview_tally) '
                "FROM seeding_seededchunk WHERE model = 'codereview.IssueLink'",
                [links],
            ).fetchone()
    except psycopg.Error:
        row = None
    until, last, tallies = row or (None, 0, 0)
    is_whole = until and last == links and tallies
    return until if is_whole else datetime.min.replace(tzinfo=UTC)


def _backstay(*arguments: str) -> None:
    command = [sys.executable, 'manage.py', *arguments]
    subprocess.run(command, cwd=ROOT, env=environment(), check=True)


def set_up() -> None:
    """Make the models usable in the bench itself."""
    os.environ.update(environment())
    os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'
    import django

    django.setup()


def accounts() -> str:
    """Make the bot's account where it is missing; the session cookie of an operator."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    accounts = get_user_model()._default_manager
    bot = accounts.filter(username=NAME).first() or accounts.create_user(NAME)
    bot.set_password(PASSWORD)
    bot.is_staff = bot.is_superuser = True
    bot.save()
    client = Client()
    client.force_login(bot)
    return '; '.join(f'{name}={cookie.value}' for name, cookie in client.cookies.items())


def hashing() -> float:
    """Milliseconds that the password's hash takes: the peer makes it with every bulk."""
    from django.contrib.auth import get_user_model

    bot = get_user_model()._default_manager.get(username=NAME)
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        bot.check_password(PASSWORD)
        taken.append(1e3 * (time.perf_counter() - started))
    return statistics.median(taken)


@contextmanager
def served(name: str, *, processes: int = 2, folder: Path = OUTPUT, **more: str) -> Iterator[int]:
    """The port of a running server: ours, or the peer's, set up alike; its log is in `folder`."""
    port = _free_port()
    variables = {'PORT': str(port), 'BACKSTAY_PROCESSES': str(processes), **more}
    command = [sys.executable, 'manage.py', 'serve']
    if name == 'peer':
        variables['DJANGO_SETTINGS_MODULE'] = 'bench.codereview.peer_settings'
        command = _peer(port, processes)
    if limit := shutil.which('timeout'):
        command = [limit, '--kill-after=10', str(LIFETIME), *command]
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f'codereview-{name}.log'
    with log.open('wb') as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(**variables),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port, process, log)
        yield port
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port: int = free.getsockname()[1]
        return port


def _peer(port: int, processes: int) -> list[str]:
    """The same server with as many processes, threads and connections as ours has."""
    return [
        *(sys.executable, '-m', 'granian', 'bench.peers.wsgi:application', '--interface', 'wsgi'),
        *('--host', '127.0.0.1', '--port', str(port), '--workers', str(processes)),
        *('--blocking-threads', '4', '--no-ws', '--http', '1', '--log-level', 'warning'),
        *('--workers-kill-timeout', '5'),
    ]


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with closing(HTTPConnection('127.0.0.1', port, timeout=5)) as client:
                ask(client, 'GET', '/v1/diff/?limit=1')
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f'no server came up:\n{log.read_text()[-3000:]}')


def ask(
    client: HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Status and body of an answer."""
    client.request(method, path, body, dict(headers or {}))
    response = client.getresponse()
    return response.status, response.read()
