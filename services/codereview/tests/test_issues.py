"""Issues of a diff, known issues, and diffs compared (cases 73 to 85 and 101)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from backstay.testing import statements
from services.codereview.comparison import is_new_for_revision
from services.codereview.models import Diff, Issue, IssueLink, Repository, Revision
from services.codereview.tests import data
from services.codereview.tests.data import Bot

PLACES: list[dict[str, Any]] = [
    {'in_patch': True},
    {'in_patch': None},
    {'new_for_revision': True},
    {'line': 11},
    {'nb_lines': 2},
]


@pytest.fixture
def revision(db: None) -> Revision:
    return data.stored_revision()


@pytest.fixture
def diff(revision: Revision) -> Diff:
    return data.stored_diff(revision)


class TestIssuesOfADiff:
    url = '/v1/diff/PHID-DIFF-aaa/issues/'

    @pytest.fixture
    def links(self, diff: Diff) -> list[IssueLink]:
        """Five issues, of which one can not be published."""
        kinds: list[tuple[str, bool | None]] = [
            ('error', True),
            ('error', None),
            ('error', False),
            ('warning', None),
            ('warning', True),
        ]
        return [
            data.link(
                data.stored_issue(str(number), level=level),
                diff.revision,
                diff,
                in_patch=in_patch,
                line=number,
            )
            for number, (level, in_patch) in enumerate(kinds)
        ]

    def test_case_73_they_come_as_they_were_sent(self, bot: Bot, diff: Diff) -> None:
        sent = [data.issue(hash_, line=line) for line, hash_ in enumerate('cabdcba')]
        body = {'diff_provider_id': diff.provider_id, 'issues': sent}
        bot.post(f'/v1/revision/{diff.revision_id}/issues/', body)

        results = bot.get(self.url).json()['results']
        # Each where its issue was first sent; then in the order of lines, as they are stored.
        found = [(each['hash'], each['line']) for each in results]
        assert found == [('c', 0), ('c', 4), ('a', 1), ('a', 6), ('b', 2), ('b', 5), ('d', 3)]

    def test_case_73_a_row_for_each_link(self, guest: Bot, links: list[IssueLink]) -> None:
        page = guest.get(self.url).json()

        assert page['count'] == 5
        assert [each['hash'] for each in page['results']] == list('01234')
        assert [each['publishable'] for each in page['results']] == [True, True, True, False, True]
        assert list(page['results'][0].items()) == [
            ('id', str(links[0].issue_id)),
            ('hash', '0'),
            ('analyzer', 'mozlint'),
            ('path', 'a/b.py'),
            ('level', 'error'),
            ('check', 'E501'),
            ('message', 'msg'),
            ('publishable', True),
            ('in_patch', True),
            ('new_for_revision', None),
            ('line', 0),
            ('nb_lines', None),
            ('char', None),
        ]

    def test_case_73_an_issue_without_the_diff_is_not_there(self, guest: Bot, diff: Diff) -> None:
        found = data.stored_issue('1')
        data.link(found, diff.revision)

        assert guest.get(self.url).json()['count'] == 0
        assert guest.get(f'{self.url}{found.pk}/').status_code == 404

    def test_case_74_what_is_not_there(self, bot: Bot, guest: Bot, diff: Diff) -> None:
        missing = guest.get('/v1/diff/PHID-DIFF-x/issues/')
        assert missing.status_code == 404
        assert missing.json() == {'detail': 'No Diff matches the given query.'}
        assert bot.post(self.url, {}).status_code == 405
        assert guest.post(self.url, {}).status_code == 403
        for key in ('zz', '00000000-0000-0000-0000-000000000000', '1'):
            assert guest.get(f'{self.url}{key}/').status_code == 404

    def test_one_issue_is_shown_at_its_first_place(self, guest: Bot, diff: Diff) -> None:
        found = data.stored_issue('1')
        for line in (7, 3):
            data.link(found, diff.revision, diff, line=line)

        shown = guest.get(f'{self.url}{found.pk}/')

        assert (shown.status_code, shown.json()['line']) == (200, 7)

    def test_case_76_no_issue_changes(self, bot: Bot, links: list[IssueLink]) -> None:
        for method in ('PUT', 'PATCH', 'DELETE'):
            response = bot.call(method, f'{self.url}{links[0].issue_id}/', data.issue('0'))
            assert response.status_code == 405
        assert IssueLink.objects.count() == 5

    def test_old_diffs_have_theirs(self, guest: Bot, links: list[IssueLink]) -> None:
        Diff.objects.update(created=timezone.now() - timedelta(days=400))

        assert guest.get(self.url).json()['count'] == 5


class TestKnownIssues:
    url = '/v1/issues/try/'

    @pytest.fixture
    def known(self, db: None) -> None:
        """Of try: err and warn in a revision of 2010, warn in one of 2000."""
        new = data.stored_revision(head_changeset='1' * 40, created=moment(2010))
        old = data.stored_revision(provider_id=2, head_changeset='2' * 40, created=moment(2000))
        error = data.stored_issue('err', level='error', path='err')
        warning = data.stored_issue('warn', path='warn')
        data.link(error, new)
        data.link(warning, new)
        data.link(warning, old)

    def hashes(self, guest: Bot, query: str) -> list[str]:
        response = guest.get(self.url + query)
        assert response.status_code == 200, response.content
        page = response.json()
        found = [each['hash'] for each in page['results']]
        assert page['count'] == len(found)
        return found

    def test_case_77_every_fault_at_once(self, guest: Bot) -> None:
        response = guest.get(
            '/v1/issues/no/?date=2000-01-01T00:00:00Z&revision_changeset=whatisthat'
        )

        assert response.status_code == 400
        assert response.json() == {
            'repo_slug': ['invalid repo_slug path argument - No repository match this slug'],
            'date': ['invalid date - should be YYYY-MM-DD'],
            'revision_changeset': [
                'invalid revision_changeset - should be the mercurial hash on the head repository'
            ],
        }

    @pytest.mark.parametrize(
        ('query', 'found'),
        [
            ('', ['err', 'warn']),
            ('?path=', ['err', 'warn']),
            ('?date=', ['err', 'warn']),
            ('?path=err', ['err']),
            ('?path=nowhere', []),
            ('?path=a%00b', []),
        ],
    )
    def test_case_78_all_of_the_repository(
        self, guest: Bot, known: None, query: str, found: list[str]
    ) -> None:
        assert self.hashes(guest, query) == found

    @pytest.mark.parametrize(
        ('query', 'found'),
        [
            (f'?revision_changeset={"2" * 40}&date=1999-01-01', ['warn']),
            (f'?revision_changeset={"1" * 40}', ['err', 'warn']),
            (f'?revision_changeset={"1" * 40}&path=warn', ['warn']),
            (f'?revision_changeset={"2" * 40}&path=err&date=2010-01-01', []),
        ],
    )
    def test_case_79_a_changeset_goes_before_the_date(
        self, guest: Bot, known: None, query: str, found: list[str]
    ) -> None:
        assert self.hashes(guest, query) == found

    @pytest.mark.parametrize(
        ('query', 'found'),
        [
            ('?date=2010-01-01', ['err', 'warn']),
            ('?date=2010-1-1', ['err', 'warn']),
            ('?date=2010-01-02', ['err', 'warn']),
            ('?date=2000-01-01', ['warn']),
            ('?date=2000-01-02&path=err', []),
            # A day without any revision knows all.
            ('?date=2005-01-01', ['err', 'warn']),
            ('?date=1999-12-31', ['err', 'warn']),
            ('?date=0001-01-01', ['err', 'warn']),
            ('?date=9999-12-31', ['err', 'warn']),
        ],
    )
    def test_case_81_the_revision_of_the_day_or_of_the_day_before(
        self, guest: Bot, known: None, query: str, found: list[str]
    ) -> None:
        assert self.hashes(guest, query) == found

    @pytest.mark.parametrize(
        ('query', 'found'),
        [
            (f'?revision_changeset={"3" * 40}', []),
            (f'?revision_changeset={"3" * 40}&date=1999-01-01', []),
            (f'?revision_changeset={"3" * 40}&date=2000-01-01', ['warn']),
        ],
    )
    def test_case_82_a_changeset_that_is_not_known(
        self, guest: Bot, known: None, query: str, found: list[str]
    ) -> None:
        assert self.hashes(guest, query) == found

    @pytest.mark.parametrize(
        ('name', 'value'),
        [
            ('revision_changeset', ''),
            ('revision_changeset', '1' * 39),
            ('revision_changeset', 'a%00b'),
            ('date', '2000-13-01'),
            ('date', 'today'),
            ('date', 'a%00b'),
        ],
    )
    def test_parameters_that_are_wrong(
        self, guest: Bot, known: None, name: str, value: str
    ) -> None:
        response = guest.get(f'{self.url}?{name}={value}')

        assert (response.status_code, list(response.json())) == (400, [name])

    def test_a_changeset_of_another_repository_is_not_known_here(
        self, guest: Bot, known: None
    ) -> None:
        other = data.stored_revision(
            provider_id=3, head_repository=data.repository('other'), head_changeset='9' * 40
        )
        data.link(Issue.objects.get(hash='err'), other)

        # Nothing is known by it here, so the day decides.
        query = f'?revision_changeset={"9" * 40}&date=2000-01-01'
        assert self.hashes(guest, query) == ['warn']

    def test_a_base_repository_knows_nothing(self, guest: Bot, known: None) -> None:
        assert guest.get('/v1/issues/mozilla-central/').json()['count'] == 0

    def test_the_newest_revision_of_a_day_decides(self, guest: Bot, known: None) -> None:
        data.stored_revision(provider_id=4, created=moment(2010) + timedelta(hours=3))

        assert self.hashes(guest, '?date=2010-01-01') == []

    def test_days_without_a_revision_may_know_nothing(
        self, guest: Bot, known: None, settings: Any
    ) -> None:
        settings.CODEREVIEW_STRICT_DATES = True

        assert self.hashes(guest, '?date=2005-01-01') == []
        assert self.hashes(guest, '') == ['err', 'warn']

    def test_case_85_items_and_distinct(self, guest: Bot, known: None) -> None:
        results = guest.get(self.url).json()['results']

        warning = Issue.objects.get(hash='warn')
        assert results[1] == {'id': str(warning.pk), 'hash': 'warn'}
        assert list(results[1]) == ['id', 'hash']
        assert len(results) == 2

    def test_a_slug_may_have_a_dot(self, guest: Bot) -> None:
        data.repository('mozilla_code.review')

        assert guest.get('/v1/issues/mozilla_code.review/').json()['count'] == 0

    def test_a_page_takes_three_statements(self, guest: Bot, known: None) -> None:
        with statements(3):  # the repository, the count, the page
            guest.get(f'{self.url}?date=2010-01-01&path=err')


def moment(year: int) -> datetime:
    return datetime(year, 1, 1, 12, tzinfo=UTC)


class TestComparison:
    @pytest.fixture
    def later(self, diff: Diff) -> Diff:
        """Of the revision of three links of an older diff."""
        for hash_ in ('h0', 'h1', 'h2'):
            data.link(data.stored_issue(hash_), diff.revision, diff)
        return data.stored_diff(diff.revision, 'bbb', created=diff.created + timedelta(hours=1))

    def test_case_101_new_for_the_revision(self, diff: Diff, later: Diff) -> None:
        path = 'a/b.py'

        assert is_new_for_revision(diff, path, 'h0')
        assert not is_new_for_revision(later, path, 'h1')
        assert is_new_for_revision(later, path, 'h12345')
        assert is_new_for_revision(later, 'elsewhere', 'h1')

    def test_case_101_links_without_a_diff_do_not_count(self, diff: Diff, later: Diff) -> None:
        data.link(data.stored_issue('h9'), diff.revision)

        assert is_new_for_revision(later, 'a/b.py', 'h9')

    def test_nor_do_other_revisions_or_diffs_of_the_same_moment(
        self, diff: Diff, later: Diff
    ) -> None:
        same = data.stored_diff(diff.revision, 'ccc', created=diff.created)
        other = data.stored_revision(provider_id=2)
        elsewhere = data.stored_diff(
            other, 'ddd', created=later.created, repository=diff.repository
        )

        assert is_new_for_revision(same, 'a/b.py', 'h1')
        assert is_new_for_revision(elsewhere, 'a/b.py', 'h1')

    def test_what_vanished_in_between_is_not_new(self, diff: Diff, later: Diff) -> None:
        last = data.stored_diff(diff.revision, 'ccc', created=later.created + timedelta(hours=1))

        assert not is_new_for_revision(last, 'a/b.py', 'h1')

    def test_no_diff_is_a_mistake_of_the_program(self) -> None:
        with pytest.raises(ValueError, match='only an issue of a diff'):
            is_new_for_revision(None, 'a', 'b')  # type: ignore[arg-type]

    def compared(self, guest: Bot, diff: Diff, mode: str) -> set[str]:
        answers = {
            guest.get(f'/v1/diff/{name}/issues/{mode}/').content
            for name in (diff.pk, diff.provider_id)
        }
        assert len(answers) == 1
        page = guest.get(f'/v1/diff/{diff.pk}/issues/{mode}/').json()
        assert page['count'] == len(page['results'])
        assert all(list(each) == ['id', 'hash'] for each in page['results'])
        return {each['hash'] for each in page['results']}

    def test_the_endpoint_compares(self, guest: Bot, diff: Diff, later: Diff) -> None:
        other = data.stored_revision(provider_id=2)
        elsewhere = data.stored_issue('h5')
        data.link(elsewhere, other)
        for found in (Issue.objects.get(hash='h1'), elsewhere, data.stored_issue('h7')):
            data.link(found, later.revision, later, line=3)
        data.link(Issue.objects.get(hash='h7'), other)  # published later elsewhere

        assert self.compared(guest, later, 'unresolved') == {'h1'}
        assert self.compared(guest, later, 'closed') == {'h0', 'h2'}
        assert self.compared(guest, later, 'known') == {'h1', 'h5'}
        assert self.compared(guest, diff, 'unresolved') == set()
        assert self.compared(guest, diff, 'closed') == set()
        assert self.compared(guest, diff, 'known') == set()

    def test_other_words_are_no_address(self, guest: Bot, diff: Diff) -> None:
        assert guest.get(f'/v1/diff/{diff.pk}/issues/open/').status_code == 404
        assert guest.get('/v1/diff/999/issues/closed/').status_code == 404


def test_case_102_issues_stay_when_their_repository_goes(diff: Diff) -> None:
    found = data.stored_issue('1')
    data.link(found, diff.revision, diff)

    Repository.objects.get(slug='try').delete()

    counts = [model.objects.count() for model in (Revision, Diff, IssueLink)]
    assert counts == [0, 0, 0]
    assert list(Issue.objects.all()) == [found]
