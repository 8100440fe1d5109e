"""Failures go to Sentry where SENTRY_DSN says so, without what clients sent."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import brotli
import pytest

from backstay.settings import SettingsError, load

#: A site whose view fails; it stands for one that is served.
FAIL = """
import os
from django.core.wsgi import get_wsgi_application
from django.test import Client
get_wsgi_application()
client = Client(raise_request_exception=False, headers={'Authorization': 'Bearer a-secret-token'})
secret_local = 'a-secret-value'
answer = client.post('/sample/bug/?q=a-secret-question', {'a': 'a-secret-body'})
print(answer.status_code)
import sentry_sdk
sentry_sdk.flush(5)
"""


@pytest.fixture
def reported() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The DSN of a Sentry of this test, and the events that it got."""
    events: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers['Content-Length']))
            encoding = self.headers.get('Content-Encoding', '')
            body = {'br': brotli.decompress, 'gzip': gzip.decompress}.get(encoding, bytes)(body)
            lines = [json.loads(line) for line in body.splitlines() if line.startswith(b'{')]
            events.extend(line for line in lines if 'exception' in line)
            self.send_response(200)
            self.send_header('Content-Length', '2')
            self.end_headers()
            self.wfile.write(b'{}')

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = HTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f'http://key@127.0.0.1:{server.server_port}/1', events
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_failure_is_reported_without_what_the_client_sent(
    reported: tuple[str, list[dict[str, Any]]], run_python: Any, tmp_path: Path
) -> None:
    dsn, events = reported
    ran = run_python(
        '-c',
        FAIL,
        ENV='test',
        SENTRY_DSN=dsn,
        SAMPLE_BASE_DIR=str(tmp_path),
        DJANGO_SETTINGS_MODULE='sample_site.settings',
        PYTHONPATH=str(Path(__file__).parent),
        DATABASE_URL='sqlite://:memory:',
        NO_PROXY='127.0.0.1',
    )
    assert ran.stdout.strip() == '500', ran.stderr
    (event,) = events
    assert event['environment'] == 'test'
    assert event['exception']['values'][-1]['type']
    assert 'a-secret' not in json.dumps(event)


def test_without_the_variable_it_is_not_even_loaded(run_python: Any) -> None:
    code = 'import django, sys; django.setup(); raise SystemExit("sentry_sdk" in sys.modules)'
    ran = run_python('-c', code, ENV='test', DJANGO_SETTINGS_MODULE='config.settings')
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize('dsn', ['sentry', 'https://host/1', 'https://key@host', 'ftp://k@host/1'])
def test_an_address_that_is_none_is_refused_and_not_shown(dsn: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, {'ENV': 'test', 'SENTRY_DSN': dsn})
    assert caught.value.mistakes == {
        'SENTRY_DSN': 'give https://key@host/project, or leave it empty for none'
    }


@pytest.mark.parametrize(
    ('variable', 'value', 'module', 'extra'),
    [
        ('SENTRY_DSN', 'https://key@host/1', 'sentry_sdk', 'sentry'),
        ('REDIS_URL', 'redis://host:6379/0', 'redis', 'redis'),
        ('DATABASE_URL', 'postgres://ann@host/a', 'psycopg', 'postgres'),
    ],
)
def test_a_variable_whose_package_is_missing_names_the_extra(
    variable: str,
    value: str,
    module: str,
    extra: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        'backstay.settings.environment.find_spec',
        lambda name: None if name == module else object(),
    )
    with pytest.raises(
        SettingsError, match=rf"{variable}: needs .*: pip install 'backstay\[{extra}\]'"
    ):
        load(tmp_path, {'ENV': 'test', variable: value})
