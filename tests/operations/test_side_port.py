"""The addresses of a process that serves nothing else."""

import json
import socket
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.core.management import CommandError

from backstay.operations.side_port import answer_beside, side_application


@pytest.fixture(scope='module')
def side() -> str:
    """The address of a side port of this process."""
    return f'http://127.0.0.1:{answer_beside(settings.BACKSTAY, 0)}'


@pytest.fixture
def _down(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = (False, {'database': 'away'})
    monkeypatch.setattr('backstay.operations.side_port.readiness', lambda: faults)


def get(url: str, **options: Any) -> httpx.Response:
    return httpx.get(url, trust_env=False, **options)


def test_the_process_is_alive(side: str) -> None:
    answer = get(f'{side}/livez')
    assert (answer.status_code, answer.json()) == (200, {'status': 'ok'})
    assert answer.headers['cache-control'] == 'no-store'


@pytest.mark.django_db(transaction=True)
def test_it_is_ready_when_its_parts_are(side: str) -> None:
    assert get(f'{side}/readyz').json() == {'status': 'ok'}


@pytest.mark.usefixtures('_down')
def test_it_is_not_ready_when_a_part_is_not_and_names_none(side: str) -> None:
    answer = get(f'{side}/readyz')
    assert (answer.status_code, answer.json()) == (503, {'status': 'unavailable'})


@pytest.mark.django_db(transaction=True)
def test_its_figures_are_those_of_the_process(side: str) -> None:
    assert 'http_requests_in_flight' in get(f'{side}/metrics').text


@pytest.mark.parametrize('path', ['/', '/docs/', '/admin/', '/livez/', '/<script>', '/..%2f'])
def test_nothing_else_is_there(side: str, path: str) -> None:
    """P30, P31."""
    answer = get(side + path)
    assert answer.status_code == 404
    assert answer.headers['content-type'] == 'application/problem+json'
    assert answer.headers['x-content-type-options'] == 'nosniff'
    assert answer.json()['code'] == 'not-found'
    assert 'script' not in answer.text


def test_it_can_only_be_read(side: str) -> None:
    assert httpx.post(f'{side}/livez', trust_env=False).status_code == 405
    head = httpx.head(f'{side}/livez', trust_env=False)
    assert (head.status_code, head.content) == (200, b'')


def test_metrics_may_be_off() -> None:
    sent = []
    environ = {'PATH_INFO': '/', 'REQUEST_METHOD': 'GET'}
    (body,) = side_application('')(environ, lambda status, _: sent.append(status))
    assert sent == ['404 Not Found']
    assert json.loads(body)['status'] == 404


def test_a_port_in_use_is_an_error() -> None:
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            CommandError, match=rf'--health-port: 127.0.0.1:{port}: Address already'
        ):
            answer_beside(settings.BACKSTAY, port)
