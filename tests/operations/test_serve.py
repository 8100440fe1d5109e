"""`backstay serve` as a process."""

import io
import json
import os
import re
import signal
import socket
import threading
import time
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from sample_site.running import Site, StartSite, free_port, launch

from backstay.operations import static_files
from backstay.operations.management.commands.serve import claim
from backstay.settings import Environment


def pretend_to_collect(folder: Path) -> None:
    """Write what `collectstatic` writes last, and no files: the real thing takes 40 s."""
    folder.mkdir(parents=True)
    with override_settings(STATIC_ROOT=folder):  # that of the checkout may be collected
        paths = dict.fromkeys(static_files.uncollected(), 'x')
    (folder / 'staticfiles.json').write_text(json.dumps({'version': '1.1', 'paths': paths}))


@pytest.mark.parametrize(
    ('number', 'group'), [(signal.SIGTERM, False), (signal.SIGINT, False), (signal.SIGINT, True)]
)
def test_a_signal_ends_it_after_open_requests(
    start_site: StartSite, number: int, *, group: bool
) -> None:
    site, answers = start_site('serve', ENV='test'), []
    with httpx.Client(base_url=site.url) as idle:
        idle.get('/livez')  # its connection stays open, and must not hold the end up
        slow = threading.Thread(target=lambda: answers.append(site.get('/sample/slow/').text))
        slow.start()
        while 'http_requests_in_flight 2.0' not in idle.get('/metrics').text:
            time.sleep(0.02)
        started = time.monotonic()
        assert site.stop(number, group=group) == 0
        assert time.monotonic() - started < 5
        slow.join()
    assert answers == ['done']
    assert 'Traceback' not in site.output()
    assert 'Unexpected exit' not in site.output()
    with socket.create_server(('127.0.0.1', site.port)):
        pass  # the port is free


class TestDrain:
    """What a load balancer and its clients see between SIGTERM and the end."""

    def test_says_so_first_and_loses_no_request(self, start_site: StartSite) -> None:
        site = start_site('serve', ENV='test', BACKSTAY_DRAIN_SECONDS='4', BACKSTAY_PROCESSES='2')
        statuses: list[int] = []
        failures: list[Exception] = []
        ended = threading.Event()

        def keep_asking() -> None:
            # Each answer of a process that leaves says that its connection ends with it, so a
            # client that keeps connections alive never sends into one that is closed.
            with httpx.Client(base_url=site.url, timeout=10) as client:
                while not ended.is_set():
                    try:
                        statuses.append(client.get('/sample/hello/').status_code)
                        time.sleep(0.01)
                    except httpx.HTTPError as error:
                        failures.append(error)

        clients = [threading.Thread(target=keep_asking) for _ in range(2)]
        for each in clients:
            each.start()
        try:
            os.kill(site.process.pid, signal.SIGTERM)
            with httpx.Client(base_url=site.url) as probe:
                time.sleep(0.5)
                assert probe.get('/readyz').json() == {'status': 'stopping'}
                paths = ('/readyz', '/__lbheartbeat__', '/livez')
                assert [probe.get(each).status_code for each in paths] == [503, 503, 200]
            time.sleep(1)  # until the balancer has noticed, which then sends nothing more
        finally:
            ended.set()
            for each in clients:
                each.join()
        assert failures == []
        assert site.process.wait(10) == 0
        assert {*statuses} == {200}

    def test_ends_at_once_when_told_again(self, start_site: StartSite) -> None:
        site = start_site('serve', ENV='test', BACKSTAY_DRAIN_SECONDS='60')
        (worker,) = site.workers()
        os.kill(site.process.pid, signal.SIGTERM)
        time.sleep(0.3)
        started = time.monotonic()
        os.kill(worker, signal.SIGTERM)
        assert site.process.wait(10) == 0
        assert time.monotonic() - started < 5


def test_a_port_in_use_is_one_clear_line(site: Site, tmp_path: Path) -> None:
    second = launch(tmp_path, 'serve', site.port, {'ENV': 'test'})
    assert second.process.wait(timeout=20) == 1
    assert second.output().splitlines() == [
        f'CommandError: PORT: {site.port} of 127.0.0.1 is in use; '
        'stop what listens there, or give another'
    ]


class TestStaticFiles:
    DEPLOYED = MappingProxyType(
        {
            'ENV': 'staging',
            'SECRET_KEY': 'test-key-' * 6,
            'ALLOWED_HOSTS': '127.0.0.1',
            'DATABASE_URL': 'sqlite:///var/db.sqlite3',
        }
    )

    def test_have_to_be_collected_before_a_deployed_site_serves(self, tmp_path: Path) -> None:
        site = launch(tmp_path, 'serve', free_port(), {**self.DEPLOYED})
        try:
            assert site.process.wait(timeout=20) == 1
        finally:
            site.process.kill()
        (line,) = site.output().splitlines()
        assert line.startswith(f'CommandError: {tmp_path}/var/static/staticfiles.json lacks ')
        assert 'of which /docs/ and /admin/ need some' in line
        assert '`backstay release`' in line

    def test_that_are_collected_let_a_deployed_site_serve(
        self, start_site: StartSite, tmp_path: Path
    ) -> None:
        pretend_to_collect(tmp_path / 'var' / 'static')
        site = start_site('serve', base_dir=tmp_path, **self.DEPLOYED)
        assert site.get('/livez').status_code == 200

    def test_are_not_asked_of_who_only_looks(self, settings: Any, tmp_path: Path) -> None:
        settings.STATIC_ROOT = tmp_path
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'env': 'staging'})
        call_command('serve', '--print', stdout=(printed := io.StringIO()))
        assert re.search(r'static files +\d+ not collected', printed.getvalue())


@pytest.mark.parametrize('host', ['no-such-host.invalid', '192.0.2.1'])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(CommandError, match=rf'^HOST.*{host}'):
        claim(host, 8000)


def test_port_0_is_a_free_one() -> None:
    assert claim('127.0.0.1', 0)[1] > 0


def test_several_processes_count_together_and_replace_each_other(
    start_site: StartSite, tmp_path: Path
) -> None:
    site = start_site('serve', ENV='test', BACKSTAY_PROCESSES='2', TMPDIR=str(tmp_path))
    started = time.monotonic()
    for _ in range(40):  # new connections, which the kernel spreads over the processes
        site.get('/sample/hello/')
    series = 'http_requests_total{method="GET",route="/sample/hello/",status="2xx"} 40.0'
    assert series in site.get('/metrics').text.splitlines()
    assert len(list(tmp_path.glob('backstay-metrics-*'))) == 1

    time.sleep(max(0, started + 6 - time.monotonic()))  # sooner it is a crash loop
    dead = site.workers()[0]
    os.kill(dead, signal.SIGKILL)
    until = time.monotonic() + 20
    while time.monotonic() < until and (dead in site.workers() or len(site.workers()) < 2):
        time.sleep(0.05)
    assert dead not in site.workers()
    assert len(site.workers()) == 2
    assert site.get('/livez').status_code == 200
    assert site.stop() == 0
    assert list(tmp_path.glob('backstay-metrics-*')) == []


def test_print_shows_what_the_environment_amounts_to(settings: Any) -> None:
    settings.BACKSTAY = Environment.model_validate(
        {
            'ENV': 'test',
            'SECRET_KEY': 'k' * 32,
            'BACKSTAY_CONCURRENCY': '7',
            'BACKSTAY_PROCESSES': '3',
            'PORT': '8123',
        }
    )
    call_command('serve', '--print', stdout=(printed := io.StringIO()))
    shown = {line[:20].strip(): line[21:] for line in printed.getvalue().splitlines()}
    assert (shown['threads'], shown['processes'], shown['port']) == ('7', '3', '8123')
    assert shown['connections'] == 'one of each thread, to a file'


def test_print_shows_how_many_connections_follow(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One knob: the threads of all processes, and no connection more."""
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'concurrency': 7, 'processes': 3})
    monkeypatch.setitem(settings.DATABASES['default']['OPTIONS'], 'pool', {'max_size': 7})
    call_command('serve', '--print', stdout=(printed := io.StringIO()))
    assert '7 in the pool of each process, 21 in all' in printed.getvalue()


def test_log_lines_are_json_outside_local(site: Site) -> None:
    site.get('/sample/bug/', headers={'X-Request-Id': 'only-this-one'})
    lines = [json.loads(line) for line in site.output().splitlines() if line.startswith('{')]
    assert [line['logger'] for line in lines if line.get('request_id') == 'only-this-one'] == [
        'django.request',
        'request.summary',
    ]
