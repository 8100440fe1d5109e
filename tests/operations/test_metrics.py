"""Prometheus figures."""

import re
from typing import Any

import pytest
from django.test import Client
from pydantic import SecretStr

from backstay.operations.urls import operations_urls
from backstay.settings import Environment

#: The queues of tasks are counted in the database.
pytestmark = [pytest.mark.urls('sample_site.root'), pytest.mark.django_db]


def figure(client: Client, series: str) -> float:
    """The value of one series, 0 when it is not there."""
    text = client.get('/metrics').text
    found = re.search(rf'^{re.escape(series)} (\S+)$', text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_requests_are_counted_by_route_and_never_by_path(client: Client) -> None:
    series = 'http_requests_total{method="GET",route="/sample/hello/<str:name>/",status="2xx"}'
    before = figure(client, series)
    client.get('/sample/hello/ann/')
    client.get('/sample/hello/bob/')
    assert figure(client, series) == before + 2
    assert '/hello/ann' not in client.get('/metrics').text


def test_their_time_is_measured(client: Client) -> None:
    series = 'http_request_duration_seconds_count{method="GET",route="/sample/hello/"}'
    before = figure(client, series)
    client.get('/sample/hello/')
    assert figure(client, series) == before + 1


def test_unknown_paths_and_methods_make_no_series_of_their_own(client: Client) -> None:
    series = 'http_requests_total{method="other",route="unmatched",status="4xx"}'
    before = figure(client, series)
    client.generic('BREW', '/no-such-path-1')
    client.generic('BOIL', '/no-such-path-2')
    assert figure(client, series) == before + 2
    assert not re.search('BREW|no-such', client.get('/metrics').text)


def test_the_request_that_asks_is_the_only_one_in_flight(client: Client) -> None:
    assert figure(client, 'http_requests_in_flight') == 1


def test_the_figures_are_never_cached(client: Client) -> None:
    assert 'no-store' in client.get('/metrics')['Cache-Control']


def test_an_empty_path_switches_them_off() -> None:
    values = {'ENV': 'test', 'SECRET_KEY': 'k' * 32}
    names = [
        [pattern.name for pattern in operations_urls(Environment.model_validate(each))]
        for each in (values, {**values, 'BACKSTAY_METRICS_PATH': ''})
    ]
    assert 'metrics' in names[0]
    assert 'metrics' not in names[1]


@pytest.mark.parametrize(
    ('shown', 'status'),
    [
        ('', 401),
        ('Bearer other', 401),
        ('Bearer s3cre', 401),
        ('Basic s3cret', 401),
        ('Bearer \xe4', 401),
        ('Bearer s3cret', 200),
    ],
)
def test_a_token_keeps_strangers_out(
    client: Client, settings: Any, shown: str, status: int
) -> None:
    token = SecretStr('s3cret')
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'metrics_token': token})
    response = client.get('/metrics', headers={'Authorization': shown} if shown else {})
    assert response.status_code == status
    if status == 401:
        assert response.json()['code'] == 'not-authenticated'
        assert response.headers['WWW-Authenticate'] == 'Bearer'
