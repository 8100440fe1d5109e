"""Health as probes, operators and strangers see it. Broken parts are broken for real."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from sample_site.running import Site, StartSite, free_port

from backstay.identity.models import Account
from backstay.operations.health import DEADLINE, Probe, ask

pytestmark = pytest.mark.urls('sample_site.root')


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(Account.objects.create_superuser('operator', 'a long password'))
    return client


@pytest.mark.parametrize('path', ['/livez', '/__lbheartbeat__', '/__lbheartbeat__/'])
def test_liveness_answers_without_the_database(client: Client, path: str) -> None:
    # Without the mark django_db any statement would fail.
    response = client.get(path)
    assert response.status_code == 200
    assert response['Cache-Control'] == 'no-store'


def test_the_load_balancer_gets_an_empty_body(client: Client) -> None:
    assert client.get('/__lbheartbeat__').content == b''


@pytest.mark.parametrize('path', ['/livez', '/readyz', '/__lbheartbeat__', '/metrics'])
@pytest.mark.django_db(transaction=True)
def test_probes_may_call_by_any_host_name(client: Client, path: str) -> None:
    assert client.get(path, HTTP_HOST='10.0.0.7:8000').status_code == 200
    assert client.get('/sample/hello/', HTTP_HOST='10.0.0.7:8000').status_code == 400


def test_probes_are_read_only(client: Client) -> None:
    response = Client(enforce_csrf_checks=True).post('/livez')
    assert response.status_code == 405
    assert response['Allow'] == 'GET, HEAD'


@pytest.mark.django_db(transaction=True)
def test_a_stranger_learns_the_status_only(client: Client) -> None:
    response = client.get('/readyz')
    assert (response.status_code, response.json()) == (200, {'status': 'ok'})
    assert response['Cache-Control'] == 'no-store'
    assert client.get('/__heartbeat__').json() == {'status': 'ok'}


@pytest.mark.django_db(transaction=True)
def test_staff_learns_the_parts(staff: Client) -> None:
    assert staff.get('/readyz').json() == {
        'status': 'ok',
        'parts': {'database': 'ok', 'migrations': 'ok', 'cache': 'ok'},
    }
    body = staff.get('/__heartbeat__/').json()
    assert body['checks']['migrations'] == body['checks']['check_url_config'] == 'ok'
    assert body['details'] == {}


@pytest.mark.django_db(transaction=True)
def test_a_missing_migration_is_not_ready(staff: Client) -> None:
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    recorder = MigrationRecorder(connection)
    recorder.record_unapplied('operations', '0001_initial')
    try:
        response = staff.get('/readyz')
        assert response.status_code == 503
        assert response.json()['parts']['migrations'] == 'not applied: operations.0001_initial'
        heartbeat = staff.get('/__heartbeat__')
        assert (heartbeat.status_code, heartbeat.json()['status']) == (500, 'error')
    finally:
        recorder.record_applied('operations', '0001_initial')


def test_a_checkout_tells_the_version_of_the_package(
    client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.BASE_DIR = tmp_path
    body = client.get('/__version__').json()
    assert body == {'commit': None, 'version': '0.1.0', 'source': None, 'build': None}


def test_an_image_tells_what_it_was_built_from(
    client: Client, settings: Any, tmp_path: Path
) -> None:
    written = {'commit': 'abc', 'version': '1.2', 'source': 'https://x', 'build': '7'}
    (tmp_path / 'version.json').write_text(json.dumps(written))
    settings.BASE_DIR = tmp_path
    assert client.get('/__version__/').json() == written


def test_a_part_that_hangs_costs_one_thread_and_the_deadline() -> None:
    release, started = threading.Event(), []

    def hang() -> dict[str, str]:
        started.append(threading.current_thread())
        release.wait(10)
        return {'part': ''}

    probes = (Probe(hang, ('part',)),)
    began = time.monotonic()
    waiting = [threading.Thread(target=lambda: ask(probes)()) for _ in range(5)]
    for thread in waiting:
        thread.start()
    assert ask(probes)() == {'part': f'no answer within {DEADLINE} s'}
    for thread in waiting:
        thread.join()
    assert time.monotonic() - began < 3 * DEADLINE  # of six that wait, not one after the other
    assert len(started) == 1
    release.set()
    started[0].join()
    assert ask(probes)() == {'part': ''}


def test_a_part_that_fails_is_a_fault_and_not_a_failure() -> None:
    def fail() -> dict[str, str]:
        raise OSError('unreachable')

    assert ask((Probe(fail, ('a', 'b')),))() == dict.fromkeys('ab', 'OSError: unreachable')


@pytest.fixture(scope='module')
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says anything: a server that hangs."""
    with socket.create_server(('127.0.0.1', 0), backlog=64) as listener:
        yield listener.getsockname()[1]


def timed_get(site: Site, path: str, **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and body; of three attempts one has to be quick, as the machine has other work."""
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        response = site.get(path, headers=headers)
        seconds.append(time.monotonic() - started)
        if seconds[-1] < 2:
            break
    assert min(seconds) < 2
    return response.status_code, response.json()


@pytest.mark.parametrize('part', ['refused', 'silent'])
def test_a_database_that_is_down_or_hangs_is_told_within_two_seconds(
    start_site: StartSite, silent_port: int, part: str
) -> None:
    port = silent_port if part == 'silent' else free_port()
    url = f'postgres://u@127.0.0.1:{port}/d'
    # As deployed, where some of those who sign in must have a second factor.
    site = start_site('serve', ENV='test', DATABASE_URL=url, BACKSTAY_SECOND_FACTOR='staff')
    assert timed_get(site, '/readyz') == (503, {'status': 'unavailable'})
    before = threads_of(site)
    assert timed_get(site, '/__heartbeat__') == (500, {'status': 'error'})
    assert timed_get(site, '/livez') == (200, {'status': 'ok'})
    # A session cookie asks for its user, and must not make the answer wait for the database.
    cookie = 'sessionid=abcdefghijklmnopqrstuvwxyz'
    assert timed_get(site, '/readyz', Cookie=cookie) == (503, {'status': 'unavailable'})
    assert threads_of(site) <= before + 1
    assert site.stop() == 0


def threads_of(site: Site) -> int:
    """Threads of the worker of a site."""
    (worker,) = site.workers()
    return len(list(Path(f'/proc/{worker}/task').iterdir()))


def test_a_cache_that_hangs_is_told_within_two_seconds(
    start_site: StartSite, silent_port: int
) -> None:
    pytest.importorskip('redis', reason='the cache on Redis needs the package redis')
    site = start_site('serve', REDIS_URL=f'redis://127.0.0.1:{silent_port}/0')
    status, body = timed_get(site, '/readyz')
    assert status == 503
    assert body['parts']['database'] == 'ok'
    assert body['parts']['cache'] != 'ok'


def test_probes_need_no_https(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get('/livez').status_code == 200
    assert Client().get('/sample/hello/').status_code == 301
