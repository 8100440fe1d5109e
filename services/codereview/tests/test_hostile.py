"""Hostile requests: whatever is sent, no answer is a failure of the server."""

import itertools
import json
import random
from typing import Any

import pytest

from services.codereview.models import Revision
from services.codereview.tests import data
from services.codereview.tests.data import Bot, issue

TEXTS = [
    '',
    ' ',
    '%00',
    'a%00b',
    '%ff%fe',
    '%ED%A0%80',
    '9' * 25,
    '-1',
    '1e400',
    'NaN',
    "'%20OR%201=1--",
    '%25s%25(x)s{}{0}',
    '../../etc/passwd',
    '%2F',
    '%5C',
    '%F0%9F%98%80',
    'x' * 5_000,
    '[]',
    '2026-99-99',
    '0000-00-00',
    '0001-01-01',
    '9999-12-31',
    '٣',
]
PATHS = [
    '/v1/repository/{}/',
    '/v1/revision/{}/',
    '/v1/revision/{}/diffs/',
    '/v1/revision/1/diffs/{}/',
    '/v1/diff/{}/',
    '/v1/diff/{}/issues/',
    '/v1/diff/PHID-DIFF-aaa/issues/{}/',
    '/v1/issues/{}/',
    '/v1/check/{}/x/y/',
    '/v1/check/try/{}/y/',
    '/v1/check/try/mozlint/{}/',
    '/v1/repository.{}',
]
PARAMETERS = [
    ('/v1/diff/', ('limit', 'offset', 'repository', 'search', 'issues', 'format')),
    ('/v1/issues/try/', ('path', 'date', 'revision_changeset', 'limit')),
    ('/v1/check/try/mozlint/E501/', ('publishable', 'since', 'offset')),
    ('/v1/check/stats/', ('since', 'limit')),
    ('/v1/check/history/', ('since', 'repository', 'analyzer', 'check')),
]
VALUES: list[Any] = [
    None,
    True,
    -1,
    2**31,
    2**63,
    10**40,
    1.5,
    '',
    ' ',
    'a\x00b',
    'a\ud800b',
    'x' * 100_000,
    [],
    [None],
    {},
    {'a': {'b': []}},
    'https://[',
    'https://hg.mozilla.org',
]


@pytest.fixture
def stored(db: None) -> None:
    revision = data.stored_revision()
    diff = data.stored_diff(revision)
    data.link(data.stored_issue('1'), revision, diff, in_patch=True)


def assert_no_failure(responses: Any, least: int) -> None:
    """At least so many requests were made, and none was answered with 5xx."""
    made = 0
    for what, response in responses:
        assert response.status_code < 500, (what, response.content)
        made += 1
    assert made >= least


def test_texts_in_paths_and_parameters(stored: None, guest: Bot) -> None:
    def responses() -> Any:
        for path, text in itertools.product(PATHS, TEXTS):
            url = path.format(text)
            yield url, guest.get(url)
        for (path, names), text in itertools.product(PARAMETERS, TEXTS):
            for name in names:
                url = f'{path}?{name}={text}'
                yield url, guest.get(url)

    assert_no_failure(responses(), 600)


def test_values_in_bodies(stored: None, bot: Bot) -> None:
    revision = Revision.objects.get().pk
    bodies = [
        ('/v1/revision/', data.revision_body(provider_id=5)),
        ('/v1/revision/', data.revision_body(provider='github', provider_id=5)),
        (f'/v1/revision/{revision}/diffs/', data.diff_body(id=1)),
        (f'/v1/revision/{revision}/issues/', {'diff_provider_id': 'PHID-DIFF-aaa', 'issues': []}),
    ]

    def responses() -> Any:
        for (url, body), value in itertools.product(bodies, VALUES):
            yield value, bot.post(url, json.dumps(value))
            for name in body:
                yield (name, value), bot.post(url, json.dumps({**body, name: value}))
        url = f'/v1/revision/{revision}/issues/'
        for value in VALUES:
            yield value, bot.post(url, json.dumps({'issues': [value]}))
            for name in (*issue('x'), 'id', 'char', 'new_for_revision'):
                body = {'issues': [{**issue('x'), name: value}]}
                yield (name, value), bot.post(url, json.dumps(body))

    assert_no_failure(responses(), 600)


def test_bodies_that_are_no_json(stored: None, bot: Bot) -> None:
    raw = [
        b'',
        b'\x00',
        b'\xff\xfe',
        b'{"issues": [' * 5_000,
        b'[' * 100_000,
        b'{"issues": [{"hash": NaN}]}',
        b'{"issues": [{"line": 1e999}]}',
        b'{"issues": [{"line": ' + b'9' * 5_000 + b'}]}',
        b'{"issues": [], "issues": null}',
        b'\xef\xbb\xbf{}',
    ]
    types = [
        'application/json',
        'application/json; charset=utf-16',
        'application/json; charset=nonsense',
        'application/x-www-form-urlencoded',
        'multipart/form-data',
        'multipart/form-data; boundary=x',
        'text/xml',
        '',
        '\x00',
    ]
    revision = Revision.objects.get().pk
    urls = ['/v1/revision/', f'/v1/revision/{revision}/diffs/', f'/v1/revision/{revision}/issues/']

    def responses() -> Any:
        for url, body, content_type in itertools.product(urls, raw, types):
            response = bot.client.generic('POST', url, body, content_type, headers=bot.headers)
            yield (url, body[:20], content_type), response

    assert_no_failure(responses(), 250)


def test_headers_and_methods(stored: None, guest: Bot) -> None:
    headers = [
        {'authorization': text}
        for text in ('Basic', 'Basic =', 'Basic é', 'Basic ' + 'A' * 5_000, 'Bearer x', 'x', '')
    ] + [
        {'accept': text}
        for text in ('text/html', 'text/html;q=x', '*/*;q=0', ',,', 'a/b/c', 'é', 'x' * 5_000)
    ]
    urls = ['/v1/', '/v1/diff/', '/v1/revision/1/issues/', '/v1/check/stats/', '/v1/issues/no/']

    def responses() -> Any:
        for url, given in itertools.product(urls, headers):
            yield (url, given), guest.get(url, **given)
        for url, method in itertools.product(
            urls, ('PUT', 'PATCH', 'DELETE', 'TRACE', 'OPTIONS', 'HEAD', 'X')
        ):
            yield (url, method), guest.call(method, url)

    assert_no_failure(responses(), 100)


def test_random_bytes(stored: None, bot: Bot) -> None:
    made = random.Random(7)  # noqa: S311 the same in every run
    alphabet = '/?&=%.:;,-_~+ \\"\'<>[]{}|^`#abcé0123456789'

    def responses() -> Any:
        for _ in range(100):
            text = ''.join(made.choices(alphabet, k=made.randrange(1, 40)))
            yield text, bot.get('/v1/' + text)
            yield text, bot.get('/v1/diff/?' + text)
            yield text, bot.post('/v1/revision/', text)

    assert_no_failure(responses(), 300)
