"""Revisions (cases 15 to 37)."""

from typing import Any

import pytest

from backstay.resources.plan.cache import plans
from services.codereview.models import Provider, Repository, Revision
from services.codereview.tests import data
from services.codereview.tests.data import CENTRAL, TRY, Bot

URL = '/v1/revision/'
pytestmark = pytest.mark.usefixtures('two')


@pytest.fixture
def two(db: None) -> None:
    data.two_repositories()


def faults(bot: Bot, **changed: Any) -> dict[str, list[str]]:
    """What is said to be wrong with R1 and these changes; nothing is stored of it."""
    before = (Revision.objects.count(), Repository.objects.count())
    response = bot.post(URL, data.revision_body(**changed))
    assert response.status_code == 400, response.content
    assert (Revision.objects.count(), Repository.objects.count()) == before
    found: dict[str, list[str]] = response.json()
    return found


def test_case_15_a_new_revision(bot: Bot) -> None:
    response = bot.post(URL, data.revision_body())
    key = Revision.objects.get().pk

    assert response.status_code == 201
    assert list(response.json().items()) == [
        ('id', key),
        ('base_repository', CENTRAL),
        ('head_repository', TRY),
        ('base_changeset', 'a' * 40),
        ('head_changeset', 'b' * 40),
        ('provider', 'phabricator'),
        ('provider_id', 1001),
        ('title', 'Bug 42 - Fix the widget'),
        ('bugzilla_id', 42),
        ('diffs_url', f'http://testserver/v1/revision/{key}/diffs/'),
        ('issues_bulk_url', f'http://testserver/v1/revision/{key}/issues/'),
        ('url', 'https://phabricator.services.mozilla.com/D1001'),
    ]
    assert bot.get(f'{URL}{key}/').content == response.content


def test_case_16_the_same_again_is_the_stored_one(bot: Bot) -> None:
    first = bot.post(URL, data.revision_body())
    again = bot.post(URL, data.revision_body(title='Another', head_repository='nonsense'))

    assert (again.status_code, again.content) == (200, first.content)
    assert Revision.objects.count() == 1


def test_case_18_the_number_may_be_a_text(bot: Bot) -> None:
    first = bot.post(URL, data.revision_body()).json()
    again = bot.post(URL, data.revision_body(provider_id='1001'))

    assert (again.status_code, again.json()) == (200, first)


def test_case_19_without_a_number_every_one_is_new(bot: Bot) -> None:
    answers = [bot.post(URL, data.revision_body(provider_id=None)) for _ in range(2)]

    assert [each.status_code for each in answers] == [201, 201]
    first, second = (each.json() for each in answers)
    assert first['id'] != second['id']
    assert first['url'] is second['url'] is None


@pytest.mark.parametrize('name', ['provider', 'provider_id'])
def test_case_20_what_names_a_revision_must_be_there(bot: Bot, name: str) -> None:
    body = data.revision_body()
    del body[name]

    response = bot.post(URL, body)

    assert (response.status_code, response.json()) == (400, {name: ['This field is required.']})


@pytest.mark.parametrize('body', [[], [1], 'text', 5, None, True])
def test_case_20_a_body_that_is_no_object(bot: Bot, body: Any) -> None:
    import json

    response = bot.post(URL, json.dumps(body))

    assert response.status_code == 400
    assert response.headers['Content-Type'] == 'application/json'


@pytest.mark.parametrize('provider', ['gitlab', None, '', 5, [], {}])
def test_case_21_unknown_providers(bot: Bot, provider: Any) -> None:
    assert list(faults(bot, provider=provider)) == ['provider']


@pytest.mark.parametrize(
    'number', ['', 'abc', '1' * 2000, 0, -1, 2**31, 2**63, 1.5, True, False, [], {}, '1\x00', '٣٣']
)
def test_case_21_numbers_that_no_revision_has(bot: Bot, number: Any) -> None:
    if number == '٣٣':  # Python and Django REST Framework read digits of every script
        assert bot.post(URL, data.revision_body(provider_id=number)).json()['provider_id'] == 33
        return
    assert list(faults(bot, provider_id=number)) == ['provider_id']


@pytest.mark.parametrize('title', ['', '   ', 'x' * 251, None, [], 'a\x00b', 'a\ud800b'])
def test_case_23_titles_that_are_none(bot: Bot, title: Any) -> None:
    assert list(faults(bot, title=title)) == ['title']


def test_case_23_titles_are_trimmed(bot: Bot) -> None:
    response = bot.post(URL, data.revision_body(title='  padded  '))

    assert response.json()['title'] == 'padded'


@pytest.mark.parametrize(
    ('given', 'stored'), [(None, None), ('12', 12), (0, 0), (2**31 - 1, 2**31 - 1)]
)
def test_case_24_bugs(bot: Bot, given: Any, stored: Any) -> None:
    assert bot.post(URL, data.revision_body(bugzilla_id=given)).json()['bugzilla_id'] == stored


def test_case_24_no_bug(bot: Bot) -> None:
    body = data.revision_body()
    del body['bugzilla_id'], body['base_changeset'], body['head_changeset']

    answer = bot.post(URL, body).json()

    assert answer['bugzilla_id'] is answer['base_changeset'] is answer['head_changeset'] is None


@pytest.mark.parametrize('number', [-1, 2**31, '', 'x', True, 1.5])
def test_case_24_numbers_that_no_bug_has(bot: Bot, number: Any) -> None:
    assert list(faults(bot, bugzilla_id=number)) == ['bugzilla_id']


@pytest.mark.parametrize('name', ['base_changeset', 'head_changeset'])
def test_case_25_changesets(bot: Bot, name: str) -> None:
    assert list(faults(bot, **{name: 'a' * 41})) == [name]
    for number, changeset in enumerate((None, '', 'default'), 2000):
        body = data.revision_body(provider_id=number, **{name: changeset})
        assert bot.post(URL, body).json()[name] == changeset


def test_case_26_repositories_of_known_hosts_are_created(bot: Bot) -> None:
    url = 'http://hg.mozilla.org/a/new/repo'

    response = bot.post(URL, data.revision_body(head_repository=url))

    assert (response.status_code, response.json()['head_repository']) == (201, url)
    assert Repository.objects.get(url=url).slug == 'a_new_repo'


def test_case_27_other_hosts_are_refused(bot: Bot) -> None:
    url = 'https://notamozrepo.test/x'
    fault = ['Repository base URL is not allowed.']

    assert faults(bot, base_repository=url, head_repository=url) == {
        'base_repository': fault,
        'head_repository': fault,
    }


@pytest.mark.parametrize(
    'url',
    [
        'https://HG.mozilla.org/x',
        'https://hg.mozilla.org:443/x',
        'https://me@hg.mozilla.org/x',
        'hg.mozilla.org/x',
        'x',
        'https://[::1',
        'https://[::1]/x',
    ],
)
def test_case_27_the_host_is_taken_as_sent(bot: Bot, url: str) -> None:
    assert faults(bot, head_repository=url) == {
        'head_repository': ['Repository base URL is not allowed.']
    }


def test_case_28_an_administrator_may_have_created_any(bot: Bot) -> None:
    data.repository('x', 'http://repo.test/x')

    response = bot.post(URL, data.revision_body(base_repository='http://repo.test/x'))

    assert response.status_code == 201
    assert Repository.objects.count() == 3


@pytest.mark.parametrize('url', [None, ''])
def test_a_repository_is_never_empty(bot: Bot, url: Any) -> None:
    assert faults(bot, base_repository=url) == {'base_repository': ['This field may not be null.']}


@pytest.mark.parametrize(
    'url',
    [
        [],
        {},
        True,
        'a\x00b',
        'https://hg.mozilla.org',
        'https://hg.mozilla.org/',
        'https://hg.mozilla.org/' + 'x' * 51,
        'https://hg.mozilla.org/' + 'x' * 200,
    ],
)
def test_repositories_that_cannot_be_created(bot: Bot, url: Any) -> None:
    assert list(faults(bot, head_repository=url)) == ['head_repository']


@pytest.mark.parametrize(
    ('urls', 'slugs'),
    [
        (['http://github.com/a/b', 'https://github.com/a/b'], ['a_b', 'a_b-2']),
        (['https://github.com/a/b.git', 'https://github.com/a/b'], ['a_b', 'a_b-2']),
        (['https://hg.mozilla.org/try/x', 'https://github.com/try/x'], ['try_x', 'try_x-2']),
        (
            [f'{scheme}://github.com/{"x" * 50}' for scheme in ('http', 'https')],
            ['x' * 50, 'x' * 48 + '-2'],
        ),
    ],
)
def test_repositories_that_want_one_slug_have_one_each(
    bot: Bot, urls: list[str], slugs: list[str]
) -> None:
    for number, url in enumerate(urls, 1):
        body = data.revision_body(provider_id=number, head_repository=url)
        assert bot.post(URL, body).status_code == 201

    assert [Repository.objects.get(url=url).slug for url in urls] == slugs


@pytest.mark.parametrize('number', [1001.0, '1001.0', '1001'])
def test_a_number_without_a_fraction_is_that_of_the_stored_revision(
    bot: Bot, number: float | str
) -> None:
    first = bot.post(URL, data.revision_body())

    again = bot.post(URL, data.revision_body(provider_id=number))

    assert (again.status_code, again.json()) == (200, first.json())


def test_no_repository_is_created_for_a_revision_that_is_refused(bot: Bot) -> None:
    assert list(faults(bot, head_repository='https://github.com/a/new', title='')) == ['title']


def test_case_30_pull_requests(bot: Bot) -> None:
    url = 'https://github.com/mozilla/code-review'
    body = data.revision_body(
        provider='github', provider_id=779, base_repository=url, head_repository=url
    )

    assert bot.post(URL, body).json()['url'] == f'{url}/issues/779'
    assert Repository.objects.get(url=url).slug == 'mozilla_code-review'


def test_case_31_providers_have_numbers_of_their_own(bot: Bot) -> None:
    first = bot.post(URL, data.revision_body()).json()
    second = bot.post(URL, data.revision_body(provider='github'))

    assert second.status_code == 201
    assert second.json()['id'] != first['id']


def test_case_32_repositories_have_pull_requests_of_their_own(bot: Bot) -> None:
    def send(name: str) -> Any:
        url = f'https://github.com/a/{name}'
        return bot.post(
            URL,
            data.revision_body(
                provider='github', provider_id=12, base_repository=url, head_repository=url
            ),
        )

    statuses = [send('a').status_code, send('b').status_code, send('a').status_code]

    assert statuses == [201, 201, 200]
    assert send('a').json()['base_repository'] == 'https://github.com/a/a'


@pytest.mark.parametrize('url', [None, 5, 'a\x00b', 'https://github.com/a/new\x00'])
def test_case_32_a_pull_request_of_no_repository(bot: Bot, url: Any) -> None:
    assert 'base_repository' in faults(bot, provider='github', base_repository=url)


def test_case_35_phabricator_is_configured(bot: Bot, settings: Any) -> None:
    settings.CODEREVIEW_PHABRICATOR_URL = 'http://anotherphab.test/api123/?custom'
    plans.clear()  # statements hold the setting
    try:
        response = bot.post(URL, data.revision_body(provider_id=12))
    finally:
        plans.clear()

    assert response.json()['url'] == 'http://anotherphab.test/D12'
    assert Revision.objects.get().url == 'http://anotherphab.test/D12'


def test_case_36_the_order_of_the_list(bot: Bot) -> None:
    for provider, number in (
        (Provider.PHABRICATOR, 9),
        (Provider.PHABRICATOR, None),
        (Provider.GITHUB, None),
        (Provider.PHABRICATOR, 3),
        (Provider.GITHUB, 5),
    ):
        data.stored_revision(provider=provider, provider_id=number)

    results = bot.get(URL).json()['results']

    assert [(each['provider'], each['provider_id']) for each in results] == [
        ('github', 5),
        ('github', None),
        ('phabricator', 3),
        ('phabricator', 9),
        ('phabricator', None),
    ]
    for each in results:
        assert each['url'] == Revision.objects.get(pk=each['id']).url


def test_case_37_no_revision_changes(bot: Bot) -> None:
    key = data.stored_revision().pk
    for method in ('PUT', 'PATCH', 'DELETE'):
        assert bot.call(method, f'{URL}{key}/', {'title': 'x'}).status_code == 405


@pytest.mark.parametrize('key', ['999', 'abc', '9' * 40, '-5'])
def test_what_is_not_there(bot: Bot, key: str) -> None:
    response = bot.get(f'{URL}{key}/')

    assert (response.status_code, list(response.json())) == (404, ['detail'])


@pytest.mark.parametrize(
    ('provider', 'number', 'name'),
    [
        ('phabricator', 7, 'Phabricator D7 - T'),
        ('phabricator', None, '#{pk} - T'),
        ('github', 7, '#{pk} - T'),
    ],
)
def test_revisions_are_called(bot: Bot, provider: str, number: int | None, name: str) -> None:
    revision = data.stored_revision(provider=provider, provider_id=number, title='T')

    assert str(revision) == name.format(pk=revision.pk)
