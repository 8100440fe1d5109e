"""Repositories (cases 11 to 14), and pages, which all lists have."""

import pytest
from django.core.management import call_command

from services.codereview.models import Repository
from services.codereview.repositories import slug_of
from services.codereview.tests import data
from services.codereview.tests.data import Bot

URL = '/v1/repository/'


def test_case_11_the_fixture_has_five_by_slug(guest: Bot) -> None:
    call_command('loaddata', 'repositories', verbosity=0)

    page = guest.get(URL).json()

    assert list(page) == ['count', 'next', 'previous', 'results']
    assert (page['count'], page['next'], page['previous']) == (5, None, None)
    assert [(each['id'], each['slug']) for each in page['results']] == [
        (102, 'autoland'),
        (1, 'mozilla-central'),
        (8, 'nss'),
        (101, 'nss-try'),
        (100, 'try'),
    ]
    assert page['results'][2] == {
        'id': 8,
        'slug': 'nss',
        'url': 'https://hg.mozilla.org/projects/nss',
    }


def test_a_new_repository_gets_a_key_behind_those_of_the_fixture(guest: Bot) -> None:
    call_command('loaddata', 'repositories', verbosity=0)

    assert data.repository('another').pk > 102


@pytest.fixture
def seven(db: None) -> None:
    for number in range(7):
        data.repository(f'r{number}')


def pages(guest: Bot, query: str) -> tuple[str | None, str | None, int]:
    page = guest.get(URL + query).json()
    return page['next'], page['previous'], len(page['results'])


@pytest.mark.usefixtures('seven')
class TestPages:
    def test_case_12_pages_lead_to_their_neighbours(self, guest: Bot) -> None:
        url = 'http://testserver/v1/repository/'
        assert pages(guest, '?limit=2&offset=2') == (
            f'{url}?limit=2&offset=4',
            f'{url}?limit=2',
            2,
        )

    def test_the_first_and_the_last(self, guest: Bot) -> None:
        url = 'http://testserver/v1/repository/'
        assert pages(guest, '?limit=4') == (f'{url}?limit=4&offset=4', None, 4)
        assert pages(guest, '?limit=4&offset=4') == (None, f'{url}?limit=4', 3)

    def test_an_offset_behind_the_end(self, guest: Bot) -> None:
        url = 'http://testserver/v1/repository/'
        assert pages(guest, '?limit=abc&offset=99') == (None, f'{url}?limit=50&offset=49', 0)

    @pytest.mark.parametrize('limit', ['0', '-1', 'abc', '', '1.5', '9' * 5000, '٣'])
    def test_a_limit_that_is_none_is_50(self, guest: Bot, limit: str) -> None:
        assert pages(guest, f'?limit={limit}')[2] in (7, 3)

    @pytest.mark.parametrize('offset', ['-1', 'abc', '', '9' * 5000])
    def test_an_offset_that_is_none_is_0(self, guest: Bot, offset: str) -> None:
        assert pages(guest, f'?offset={offset}')[2] == 7

    @pytest.mark.parametrize('number', [2**31, 2**62, 2**63, 2**64, 10**30])
    def test_a_number_is_as_large_as_it_wants(self, guest: Bot, number: int) -> None:
        assert pages(guest, f'?limit={number}') == (None, None, 7)
        assert pages(guest, f'?offset={number}')[2] == 0
        assert pages(guest, f'?limit={number}&offset={number}')[2] == 0

    def test_other_parameters_stay_in_the_order_of_the_alphabet(self, guest: Bot) -> None:
        following, _, _ = pages(guest, '?z=1&limit=2&b=%C3%A4+x')
        assert following == 'http://testserver/v1/repository/?b=%C3%A4+x&limit=2&offset=2&z=1'


def test_case_14_what_is_not_there_and_what_is_not_allowed(guest: Bot, bot: Bot) -> None:
    missing = guest.get('/v1/repository/999/')
    assert missing.status_code == 404
    assert missing.json() == {'detail': 'No Repository matches the given query.'}
    for key in ('abc', '9' * 30, '-1', '%00'):
        response = guest.get(f'/v1/repository/{key}/')
        assert (response.status_code, list(response.json())) == (404, ['detail'])

    assert bot.post(URL, {}).status_code == 405
    assert guest.post(URL, {}).status_code == 403
    for method in ('PUT', 'PATCH', 'DELETE'):
        assert bot.call(method, '/v1/repository/1/').status_code == 405
        assert guest.call(method, '/v1/repository/1/').status_code == 403


@pytest.mark.parametrize(
    ('url', 'slug'),
    [
        ('https://hg.mozilla.org/projects/nss', 'projects_nss'),
        ('http://hg.mozilla.org/a/new/repo', 'a_new_repo'),
        ('https://github.com/mozilla/code.review', 'mozilla_code.review'),
        ('https://github.com/mozilla/code-review.git', 'mozilla_code-review'),
        ('https://hg.mozilla.org/try/', 'try_'),
        ('https://hg.mozilla.org', ''),
    ],
)
def test_slugs_are_made_of_paths(url: str, slug: str) -> None:
    assert slug_of(url) == slug


def test_a_page_has_a_bound_that_no_client_of_the_original_reaches(guest: Bot) -> None:
    Repository.objects.bulk_create(
        Repository(slug=f's{number}', url=f'https://hg.test/{number}') for number in range(10_001)
    )
    following, _, rows = pages(guest, '?limit=4611686018427387904')
    assert (following, rows) == (
        'http://testserver/v1/repository/?limit=10000&offset=10000',
        10_000,
    )
