"""PROFILE=1."""

import threading
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from sample_site.service import service as sample

from backstay.operations.profiling import ProfilingMiddleware

pytestmark = pytest.mark.urls('sample_site.root')


@pytest.fixture
def profiled(settings: Any) -> Client:
    settings.BACKSTAY_SERVICES = (sample,)
    settings.MIDDLEWARE = [
        'backstay.operations.profiling.ProfilingMiddleware',
        *settings.MIDDLEWARE,
    ]
    return Client()


@pytest.mark.django_db
def test_an_api_request_is_profiled(profiled: Client, capsys: pytest.CaptureFixture[str]) -> None:
    profiled.get('/sample/statements/')
    printed = capsys.readouterr().err
    assert printed.startswith('PROFILE GET /sample/statements/: 2 statements, ')
    assert 'Ordered by: cumulative time' in printed
    assert 'to 30 due to restriction <30>' in printed


@pytest.mark.django_db
def test_values_of_statements_are_not_printed(
    profiled: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    profiled.get('/sample/statements/?token=SECRET')
    printed = capsys.readouterr().err
    assert 'SECRET' not in printed
    assert 'SELECT' not in printed


@pytest.mark.parametrize(
    'path', ['/admin/login/', '/sample/docs', '/sample/openapi.json', '/livez', '/static/x.css']
)
def test_other_requests_are_not(
    profiled: Client, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    profiled.get(path)
    assert 'PROFILE' not in capsys.readouterr().err


def test_requests_at_the_same_time_are_profiled_one_by_one(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.BACKSTAY_SERVICES = (sample,)
    at_work, most = [], []

    def view(request: HttpRequest) -> HttpResponse:
        at_work.append(request)
        most.append(len(at_work))
        threading.Event().wait(0.02)
        at_work.remove(request)
        return HttpResponse()

    profiling = ProfilingMiddleware(view)
    threads = [
        threading.Thread(target=profiling, args=(RequestFactory().get('/sample/hello/'),))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]
    assert capsys.readouterr().err.count('PROFILE GET /sample/hello/') == 4


def test_a_failing_view_is_profiled_and_frees_the_next(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.BACKSTAY_SERVICES = (sample,)

    def fail(request: HttpRequest) -> HttpResponse:
        raise RuntimeError

    request = RequestFactory().get('/sample/hello/')
    for _ in range(2):
        with pytest.raises(RuntimeError):
            ProfilingMiddleware(fail)(request)
