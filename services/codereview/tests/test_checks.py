"""Check details, statistics and history (cases 86 to 96)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from backstay.testing import statements
from services.codereview.models import Diff, Issue, IssueLink, Revision
from services.codereview.tests import data
from services.codereview.tests.data import CENTRAL, TRY, Bot


@pytest.fixture
def revision(db: None) -> Revision:
    return data.stored_revision()


@pytest.fixture
def diff(revision: Revision) -> Diff:
    return data.stored_diff(revision)


class TestDetails:
    url = '/v1/check/try/mozlint/E501/'

    @pytest.fixture
    def five(self, diff: Diff) -> None:
        """Five issues, of which the fourth cannot be published."""
        kinds: list[tuple[str, bool | None]] = [
            ('error', True),
            ('error', None),
            ('error', False),
            ('warning', None),
            ('warning', True),
        ]
        for number, (level, in_patch) in enumerate(kinds):
            found = data.stored_issue(str(number), level=level)
            data.link(found, diff.revision, diff, in_patch=in_patch, line=number)

    def hashes(self, guest: Bot, query: str = '') -> str:
        response = guest.get(self.url + query)
        assert response.status_code == 200, response.content
        page = response.json()
        found = ''.join(each['hash'] for each in page['results'])
        assert page['count'] == len(found)
        return found

    @pytest.mark.parametrize(
        ('query', 'found'),
        [
            ('', '4210'),
            ('?publishable=true', '4210'),
            ('?publishable=TRUE', '4210'),
            ('?publishable=', '4210'),
            ('?publishable=false', '3'),
            ('?publishable=all', '43210'),
            ('?since=2000-01-01', '4210'),
            ('?since=', '4210'),
            ('?since=9999-12-31', ''),
        ],
    )
    def test_case_86_which(self, guest: Bot, five: None, query: str, found: str) -> None:
        assert self.hashes(guest, query) == found

    def test_case_86_since_when(self, guest: Bot, five: None) -> None:
        Issue.objects.filter(hash='0').update(created=datetime(2020, 5, 1, tzinfo=UTC))
        Issue.objects.filter(hash='1').update(
            created=datetime(2020, 4, 30, 23, 59, 59, 999_999, tzinfo=UTC)
        )

        assert self.hashes(guest, '?since=2020-05-01') == '420'
        assert self.hashes(guest, '?since=2020-5-1') == '420'

    @pytest.mark.parametrize(
        ('query', 'detail'),
        [
            ('?publishable=no', 'publishable can only be true, false or all'),
            ('?since=bad', 'invalid since date - should be YYYY-MM-DD'),
            ('?since=2020-02-30', 'invalid since date - should be YYYY-MM-DD'),
        ],
    )
    def test_case_88_parameters_that_are_wrong(
        self, guest: Bot, five: None, query: str, detail: str
    ) -> None:
        response = guest.get(self.url + query)

        assert (response.status_code, response.json()) == (400, {'detail': detail})

    def test_case_89_an_item(self, guest: Bot, five: None, revision: Revision, diff: Diff) -> None:
        item = guest.get(self.url).json()['results'][0]

        issue = Issue.objects.get(hash='4')
        assert list(item.items()) == [
            ('id', str(issue.pk)),
            ('hash', '4'),
            ('analyzer', 'mozlint'),
            ('path', 'a/b.py'),
            ('level', 'warning'),
            ('check', 'E501'),
            ('message', 'msg'),
            ('publishable', True),
            ('in_patch', True),
            ('new_for_revision', None),
            ('line', 4),
            ('nb_lines', None),
            ('char', None),
            ('diffs', item['diffs']),
        ]
        (shown,) = item['diffs']
        assert list(shown) == ['provider_id', 'repository', 'revision', 'id']
        assert (shown['repository'], shown['id']) == (TRY, diff.pk)
        assert list(shown['revision'].items()) == [
            ('id', revision.pk),
            ('provider', 'phabricator'),
            ('provider_id', 1001),
            ('base_repository', CENTRAL),
            ('head_repository', TRY),
            ('base_changeset', None),
            ('head_changeset', 'b' * 40),
            ('title', 'Bug 42 - Fix the widget'),
            ('bugzilla_id', 42),
            ('url', 'https://phabricator.services.mozilla.com/D1001'),
        ]

    def test_one_row_with_the_latest_place_and_distinct_diffs(self, guest: Bot, diff: Diff) -> None:
        later = data.stored_diff(diff.revision, 'bbb')
        elsewhere = data.stored_diff(
            data.stored_revision(provider_id=2, head_repository=data.repository('other')), 'ccc'
        )
        found = data.stored_issue('1')
        data.link(found, diff.revision, diff, line=1, in_patch=True)
        data.link(found, diff.revision, diff, line=2)
        data.link(found, later.revision, later, line=3, in_patch=False, new_for_revision=True)
        data.link(found, elsewhere.revision, elsewhere, line=9)

        (item,) = guest.get(self.url).json()['results']

        assert (item['line'], item['in_patch'], item['new_for_revision']) == (3, False, True)
        assert item['publishable'] is True
        assert [each['id'] for each in item['diffs']] == [diff.pk, later.pk, elsewhere.pk]
        (other,) = guest.get('/v1/check/other/mozlint/E501/').json()['results']
        assert (other['line'], other['publishable']) == (9, False)

    @pytest.mark.parametrize(
        'url',
        [
            '/v1/check/no/mozlint/E501/',
            '/v1/check/try/no/E501/',
            '/v1/check/try/mozlint/no/',
            '/v1/check/mozilla-central/mozlint/E501/',
            '/v1/check/try/mozlint/a%00b/',
        ],
    )
    def test_unknown_names_are_empty(self, guest: Bot, five: None, url: str) -> None:
        assert guest.get(url).json() == {
            'count': 0,
            'next': None,
            'previous': None,
            'results': [],
        }

    def test_a_check_may_have_slashes(self, guest: Bot, diff: Diff) -> None:
        data.link(data.stored_issue('1', analyzer_check='a/b'), diff.revision, in_patch=True)

        assert guest.get('/v1/check/try/mozlint/a/b/').json()['count'] == 1
        assert guest.get('/v1/check/try/mozlint/').status_code == 404


def days_ago(days: int) -> datetime:
    return datetime.combine(timezone.now().date() - timedelta(days=days), time(12), UTC)


class TestStatistics:
    url = '/v1/check/stats/'

    def rows(self, guest: Bot, query: str = '') -> list[tuple[Any, ...]]:
        response = guest.get(self.url + query)
        assert response.status_code == 200, response.content
        results = response.json()['results']
        assert all(
            list(each) == ['repository', 'analyzer', 'check', 'total', 'publishable']
            for each in results
        )
        return [tuple(each.values()) for each in results]

    def test_case_90_five_hundred_issues(self, guest: Bot, revision: Revision) -> None:
        analyzers = ['analyzer-X', 'analyzer-Y', 'analyzer-Z']
        checks = ['check-1', 'check-10', 'check-42', 'check-1000', None]
        for number in range(500):
            found = data.stored_issue(
                str(number),
                analyzer=analyzers[number % 3],
                analyzer_check=checks[number % 5],
            )
            data.link(found, revision)
        for number in range(500, 510):
            data.stored_issue(str(number))

        page = guest.get(self.url).json()

        assert page['count'] == 15
        found_rows = self.rows(guest)
        assert [row[1:4] for row in found_rows[:5]] == [
            ('analyzer-X', 'check-1', 34),
            ('analyzer-X', 'check-1000', 34),
            ('analyzer-Y', 'check-10', 34),
            ('analyzer-Y', None, 34),
            ('analyzer-Z', 'check-42', 34),
        ]
        assert {row[3] for row in found_rows[5:]} == {33}
        assert {(row[0], row[4]) for row in found_rows} == {('try', 0)}

    def test_distinct_issues_are_counted(self, guest: Bot, revision: Revision) -> None:
        """One row for a check, whatever flags its links have (F6)."""
        twice, error = data.stored_issue('1'), data.stored_issue('2', level='error')
        data.link(twice, revision)
        data.link(twice, revision, in_patch=True)
        data.link(twice, revision, in_patch=False)
        data.link(twice, revision, new_for_revision=True)
        data.link(error, revision)
        data.link(data.stored_issue('3'), revision)
        data.link(twice, data.stored_revision(provider_id=2))

        assert self.rows(guest) == [('try', 'mozlint', 'E501', 3, 2)]

    def test_the_window_is_that_of_revisions(self, guest: Bot, revision: Revision) -> None:
        Revision.objects.update(created=days_ago(90))
        found = data.stored_issue('1', created=days_ago(500))
        data.link(found, revision, in_patch=True)
        data.link(data.stored_issue('2'), data.stored_revision(provider_id=2, created=days_ago(91)))

        assert self.rows(guest) == [('try', 'mozlint', 'E501', 1, 1)]
        assert self.rows(guest, f'?since={days_ago(89).date()}') == []
        assert self.rows(guest, f'?since={days_ago(91).date()}') == [
            ('try', 'mozlint', 'E501', 2, 1)
        ]
        assert self.rows(guest, '?since=') == self.rows(guest)

    def test_an_issue_is_publishable_where_it_is_in_the_window(
        self, guest: Bot, revision: Revision
    ) -> None:
        found = data.stored_issue('1')
        data.link(found, revision)
        old = data.stored_revision(provider_id=2, created=days_ago(100))
        data.link(found, old, in_patch=True)

        assert self.rows(guest) == [('try', 'mozlint', 'E501', 1, 0)]
        assert self.rows(guest, '?since=2000-01-01') == [('try', 'mozlint', 'E501', 1, 1)]

    def test_repositories_are_those_where_it_was_analysed(
        self, guest: Bot, revision: Revision
    ) -> None:
        found = data.stored_issue('1')
        data.link(found, revision)
        autoland = data.stored_revision(provider_id=2, head_repository=data.repository('autoland'))
        data.link(found, autoland)

        assert self.rows(guest) == [
            ('autoland', 'mozlint', 'E501', 1, 0),
            ('try', 'mozlint', 'E501', 1, 0),
        ]

    def test_pages(self, guest: Bot, revision: Revision) -> None:
        for number in range(3):
            data.link(data.stored_issue(str(number), analyzer_check=f'c{number}'), revision)

        page = guest.get(f'{self.url}?limit=2').json()

        assert (page['count'], len(page['results'])) == (3, 2)
        assert page['next'] == f'http://testserver{self.url}?limit=2&offset=2'
        assert self.rows(guest, '?offset=5') == []

    @pytest.mark.parametrize('url', ['/v1/check/stats/', '/v1/check/history/'])
    def test_case_93_what_is_shown_is_never_old(
        self, guest: Bot, bot: Bot, revision: Revision, url: str
    ) -> None:
        first = guest.get(url)
        data.link(data.stored_issue('1'), revision)
        second = guest.get(url)

        assert first.content != second.content == bot.get(url).content
        for response in (first, second):
            assert response.headers['Cache-Control'] == 'max-age=60'
            varying = response.headers['Vary'].lower()
            assert all(name in varying for name in ('accept', 'authorization', 'cookie', 'origin'))

    @pytest.mark.parametrize('url', ['/v1/check/stats/', '/v1/check/history/'])
    @pytest.mark.parametrize('since', ['bad', '2020-02-30', '2020-01-01T00:00:00', 'a%00b', '0'])
    def test_days_that_are_none(self, guest: Bot, url: str, since: str) -> None:
        response = guest.get(f'{url}?since={since}')

        assert response.status_code == 400
        assert response.json() == {'detail': 'invalid since date - should be YYYY-MM-DD'}

    @pytest.mark.parametrize('url', ['/v1/check/stats/', '/v1/check/history/?repository=try'])
    def test_one_statement(self, guest: Bot, revision: Revision, url: str) -> None:
        with statements(1):
            guest.get(url)


class TestHistory:
    url = '/v1/check/history/'

    @pytest.fixture
    def days(self, revision: Revision) -> tuple[date, date]:
        """Three issues yesterday, of which one without a link, and two today."""
        yesterday, today = days_ago(1), days_ago(0)
        for number in range(3):
            found = data.stored_issue(str(number), created=yesterday, analyzer_check=f'c{number}')
            if number:
                data.link(found, revision, line=1)
                data.link(found, revision, line=2)
        for number in (3, 4):
            data.link(data.stored_issue(str(number), created=today, analyzer='other'), revision)
        return yesterday.date(), today.date()

    def points(self, guest: Bot, query: str = '') -> list[tuple[str, int]]:
        response = guest.get(self.url + query)
        assert response.status_code == 200, response.content
        assert all(list(each) == ['date', 'total'] for each in response.json())
        return [(each['date'], each['total']) for each in response.json()]

    def test_case_94_points_by_day(self, guest: Bot, days: tuple[date, date]) -> None:
        yesterday, today = (day.isoformat() for day in days)
        every = [(yesterday, 3), (today, 2)]

        assert self.points(guest) == every
        assert self.points(guest, '?limit=1') == every
        assert self.points(guest, '?analyzer=&check=&repository=&since=') == every
        assert self.points(guest, '?analyzer=unknown') == []
        assert self.points(guest, '?analyzer=mozlint') == [(yesterday, 3)]
        assert self.points(guest, '?check=c0') == [(yesterday, 1)]
        assert self.points(guest, '?analyzer=mozlint&check=E501') == []

    def test_case_94_of_a_repository(self, guest: Bot, days: tuple[date, date]) -> None:
        """Base or head, without diffs, each issue once, with a first day (F7)."""
        yesterday, today = (day.isoformat() for day in days)
        seen = [(yesterday, 2), (today, 2)]

        assert self.points(guest, '?repository=try') == seen
        assert self.points(guest, '?repository=mozilla-central') == seen
        assert self.points(guest, f'?repository=try&since={today}') == [(today, 2)]
        assert self.points(guest, '?repository=try&analyzer=mozlint&check=c1') == [(yesterday, 1)]
        assert self.points(guest, '?repository=unknown') == []
        assert self.points(guest, '?repository=a%00b') == []

    def test_an_old_issue_counts_on_its_first_day(
        self, guest: Bot, days: tuple[date, date]
    ) -> None:
        other = data.stored_revision(provider_id=2, head_repository=data.repository('late'))
        IssueLink.objects.create(issue=Issue.objects.get(hash='1'), revision=other)

        assert self.points(guest, '?repository=late') == [(days[0].isoformat(), 1)]

    def test_case_96_days_may_be_short(self, guest: Bot, revision: Revision) -> None:
        data.stored_issue('1', created=datetime(2026, 1, 1, tzinfo=UTC))
        data.stored_issue('2', created=datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC))

        assert self.points(guest, '?since=2026-1-1') == [('2026-01-01', 1)]
        assert self.points(guest, '?since=2026-1-1') == self.points(guest, '?since=2026-01-01')
        assert self.points(guest) == [('2025-12-31', 1), ('2026-01-01', 1)]
