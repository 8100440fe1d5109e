"""Hostile requests: whatever is sent, no answer is a failure of the server."""

import itertools
import json
import random
from typing import Any

import pytest

from services.codereview.models import Issue, Repository, Revision
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
    made = random.Random(7)
    alphabet = '/?&=%.:;,-_~+ \\"\'<>[]{}|^`#abcé0123456789'

    def responses() -> Any:
        for _ in range(100):
            text = ''.join(made.choices(alphabet, k=made.randrange(1, 40)))
            yield text, bot.get('/v1/' + text)
            yield text, bot.get('/v1/diff/?' + text)
            yield text, bot.post('/v1/revision/', text)

    assert_no_failure(responses(), 300)


def test_what_was_a_failure_of_the_original_is_refused(stored: None, bot: Bot) -> None:
    """Every [FIX -> 400] of the contract: 400 with JSON that names the fault; nothing changes."""
    revision = Revision.objects.get().pk
    bulk, body = f'/v1/revision/{revision}/issues/', data.revision_body(provider_id=7)
    github = 'https://github.com/'
    no_urls: list[Any] = [
        *(f'{github}{"x" * 51}', f'{github}{"x" * 250}'),
        *(5, [], 'https://[', github, 'https://github.com'),
    ]
    no_numbers: list[Any] = ['', 'x', True, 1.5, 0]
    no_objects: list[Any] = [[], 'text', 5, None]
    posts: list[tuple[str, Any]] = [
        ('/v1/revision/', {name: body[name] for name in body if name != 'provider'}),
        ('/v1/revision/', {name: body[name] for name in body if name != 'provider_id'}),
        *(('/v1/revision/', {**body, 'provider_id': value}) for value in no_numbers),
        *(('/v1/revision/', value) for value in no_objects),
        *(('/v1/revision/', {**body, 'head_repository': value}) for value in no_urls),
        *(
            (f'/v1/revision/{revision}/diffs/', data.diff_body(provider_id=value))
            for value in ('a/b', 'a b', 'a.b', 'é', 'x?y', 'a_b')
        ),
        *(
            (bulk, {'issues': [issue('x', **{name: value})]})
            for name in ('line', 'nb_lines', 'char')
            for value in (-1, 2**31)
        ),
        (bulk, {'issues': [issue('x', check='x' * 251)]}),
    ]
    gets = [
        *(f'/v1/check/try/mozlint/E501/?publishable={value}' for value in ('no', '1', '%20')),
        *(
            f'/v1/check/{path}/?since={value}'
            for path in ('try/mozlint/E501', 'stats', 'history')
            for value in ('bad', '2026-13-01', '2026', '%00')
        ),
        '/v1/check/history/?repository=try&since=bad',
    ]
    before = list(Revision.objects.values()), Repository.objects.count(), Issue.objects.count()

    answers = [(each, bot.post(each[0], json.dumps(each[1]))) for each in posts]
    answers += [((url, None), bot.get(url)) for url in gets]

    for what, response in answers:
        assert response.status_code == 400, (what, response.content)
        assert response.headers['Content-Type'] == 'application/json'
        assert response.json(), what
    after = list(Revision.objects.values()), Repository.objects.count(), Issue.objects.count()
    assert after == before


def test_what_was_a_failure_of_the_original_is_answered(stored: None, bot: Bot) -> None:
    """An empty day or choice is none, and a repository may go with a day."""
    for url in (
        '/v1/check/try/mozlint/E501/?publishable=&since=',
        '/v1/check/stats/?since=',
        '/v1/check/history/?since=',
        '/v1/check/history/?repository=try&since=2026-01-01',
    ):
        assert bot.get(url).status_code == 200, url
    assert bot.post('/v1/revision/', data.revision_body(provider='github')).status_code == 201
    for method in ('PUT', 'PATCH', 'DELETE'):
        found = Issue.objects.get().pk
        assert bot.call(method, f'/v1/diff/PHID-DIFF-aaa/issues/{found}/').status_code == 405
