"""Request ids, the line of each request, and errors of plain Django views."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from backstay.identity.models import Account

pytestmark = pytest.mark.urls('sample_site.root')

LogLines = Callable[[], list[dict[str, Any]]]


def test_every_answer_has_a_request_id(client: Client) -> None:
    first, second = (client.get('/sample/hello/')['X-Request-Id'] for _ in range(2))
    assert len(first) >= 8
    assert first != second


@pytest.mark.parametrize('given', ['a1b2c3d4', 'trace-1.2_3', 'x' * 64])
def test_a_well_formed_request_id_is_kept(client: Client, given: str) -> None:
    assert client.get('/sample/hello/', headers={'X-Request-Id': given})['X-Request-Id'] == given


@pytest.mark.parametrize(
    'given', ['short', 'x' * 65, 'with space', 'newline\nlog', '<script>', 'äöüäöüäö', 'abcdefgh\n']
)
def test_any_other_request_id_is_replaced(client: Client, given: str) -> None:
    assert client.get('/sample/hello/', HTTP_X_REQUEST_ID=given)['X-Request-Id'] != given


def test_each_request_is_one_line_of_known_fields(client: Client, log_lines: LogLines) -> None:
    client.get(
        '/sample/hello/ann/?secret=1',
        headers={'X-Request-Id': 'abcdefgh', 'User-Agent': 'test', 'Accept-Language': 'de'},
    )
    (line,) = log_lines()
    assert isinstance(line.pop('t'), int)
    assert line.pop('timestamp').endswith('Z')
    assert line == {
        'logger': 'request.summary',
        'level': 'info',
        'event': 'request',
        'request_id': 'abcdefgh',
        'rid': 'abcdefgh',
        'errno': 0,
        'agent': 'test',
        'lang': 'de',
        'method': 'GET',
        'path': '/sample/hello/ann/',
        'status': 200,
        'uid': '',
    }


def test_a_failure_is_logged_with_its_traceback_and_request_id(
    answers: Client, log_lines: LogLines
) -> None:
    response = answers.get('/sample/bug/', headers={'X-Request-Id': 'abcdefgh'})
    assert response.status_code == 500
    assert response.json()['request_id'] == 'abcdefgh'
    assert 'a bug' not in response.text
    failure, summary = log_lines()
    assert failure['request_id'] == summary['request_id'] == 'abcdefgh'
    assert 'RuntimeError: a bug' in failure['exception']
    assert summary['errno'] == 500


@pytest.mark.parametrize('path', ['/no/such', '/sample/problem/', '/sample/busy/'])
def test_an_error_that_is_no_failure_is_told_once(
    client: Client, log_lines: LogLines, path: str
) -> None:
    client.get(path)
    (line,) = log_lines()
    assert line['logger'] == 'request.summary'


def test_a_request_id_does_not_leak_into_the_next_line(client: Client, log_lines: LogLines) -> None:
    import logging

    client.get('/sample/hello/')
    logging.getLogger('elsewhere').warning('later')
    assert 'request_id' not in log_lines()[-1]


@pytest.mark.django_db
def test_the_line_names_a_user_whom_the_request_loaded(client: Client, log_lines: LogLines) -> None:
    account = Account.objects.create_user('bot', 'a long password')
    client.force_login(account)
    client.get('/sample/who/')
    assert log_lines()[-1]['uid'] == str(account.pk)


@pytest.mark.django_db
def test_the_line_costs_no_statement(
    client: Client, log_lines: LogLines, django_assert_num_queries: Any
) -> None:
    client.force_login(Account.objects.create_user('bot', 'a long password'))
    with django_assert_num_queries(0):
        client.get('/sample/hello/')
    assert log_lines()[-1]['uid'] == ''


def test_a_problem_of_a_plain_view_is_its_answer(client: Client) -> None:
    response = client.get('/sample/problem/')
    assert response.status_code == 410
    assert response['Content-Type'] == 'application/problem+json'
    assert response['X-Why'] == 'test'
    assert (response.json()['code'], response.json()['detail']) == ('gone', 'It has gone.')


def test_a_method_that_is_not_allowed_is_a_problem_that_says_what_is(client: Client) -> None:
    response = client.delete('/sample/reading/')
    assert response.status_code == 405
    assert response['Allow'] == 'GET'
    assert response.json()['code'] == 'method-not-allowed'
    assert response.json()['detail'] == 'This address allows GET.'


def test_an_error_without_a_body_becomes_a_problem(client: Client) -> None:
    response = client.get('/sample/nothing/', headers={'Accept': 'text/html'})
    assert response.json()['code'] == 'not-found'
    assert response['Content-Length'] == str(len(response.content))
    assert (
        response['Content-Security-Policy']
        == "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )


def test_an_error_page_reaches_only_who_asked_for_pages(client: Client) -> None:
    asked = client.get('/sample/refused/', headers={'Accept': 'text/html,*/*'})
    assert asked.content == b'<h1>No</h1>'
    not_asked = client.get('/sample/refused/', headers={'Accept': 'application/json'})
    assert not_asked.json()['code'] == 'not-permitted'


def test_a_page_is_not_acceptable_to_who_asked_for_json(client: Client) -> None:
    response = client.get('/sample/page/', headers={'Accept': 'application/json'})
    assert (response.status_code, response.json()['code']) == (406, 'not-acceptable')
    assert client.get('/sample/page/', headers={'Accept': '*/*'}).content == b'<h1>Yes</h1>'


def test_other_error_bodies_stay(client: Client) -> None:
    assert client.get('/sample/text/').content == b'why'
    assert client.get('/sample/teapot/').content == b''


def test_a_path_with_markup_is_not_reflected(client: Client) -> None:
    response = client.get('/<script>alert(1)</script>')
    assert response.status_code == 404
    assert response['Content-Type'] == 'application/problem+json'
    assert response['X-Content-Type-Options'] == 'nosniff'
    assert 'script' not in response.text
