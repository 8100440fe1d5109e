"""What the pages read, show and refuse."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from backstay.resources import ALL, Grant, anyone
from backstay.resources.declaration import readable
from backstay.resources.plan.cache import plans
from services.codereview.models import Diff, IssueLink
from services.codereview.pages import revision as revision_pages
from services.codereview.pages.answers import POLICY
from services.codereview.pages.tests.conftest import HOSTILE, Published
from services.codereview.resources import (
    IssueOfDiffResource,
    ListedDiffResource,
    RevisionResource,
)
from services.codereview.tests import data

pytestmark = pytest.mark.django_db

ALL_PAGES = (
    '/review/',
    '/review/diffs/555/',
    '/review/revisions/',
    '/review/checks/',
    '/review/history/',
)
CHECK = '/review/checks/issues/?repository=try&analyzer=mozlint&check=E501'


@pytest.fixture
def client() -> Client:
    """Somebody with a browser."""
    return Client(headers={'accept': 'text/html'})


def shown(client: Client, address: str, status: int = 200, **asked: Any) -> str:
    """The page, with blanks as a browser shows them."""
    response = client.get(f'{address}?{urlencode(asked)}' if asked else address)
    assert response.status_code == status
    assert response.headers['Content-Type'].startswith('text/html')
    assert response.headers['Content-Security-Policy'] == POLICY
    return ' '.join(response.content.decode().split())


def files_in(page: str) -> list[str]:
    return re.findall(r'<h3[^>]*>(?:<a [^>]*>)?([^<]*)', page)


class TestStatements:
    @pytest.mark.parametrize(
        ('address', 'most'),
        [
            ('/review/', 2),
            ('/review/?repository=try&search=Bug&issues=any', 4),
            ('/review/diffs/PHID-DIFF-new/', 5),
            ('/review/diffs/PHID-DIFF-new/?search=a&level=error&publishable=1&page=2', 5),
            ('/review/diffs/PHID-DIFF-new/?show=closed', 6),
            ('/review/revisions/?repository=try&kind=review&search=D1001', 2),
            ('/review/revisions/{revision}/', 3),
            ('/review/checks/', 2),
            (CHECK, 4),
            ('/review/history/?repository=try', 3),
        ],
    )
    def test_a_page_takes_no_more_however_much_it_shows(
        self,
        client: Client,
        published: Published,
        django_assert_num_queries: Any,
        address: str,
        most: int,
    ) -> None:
        address = address.format(revision=published.new.revision_id)
        shown(client, address)  # plans are made once
        with django_assert_num_queries(most):
            shown(client, address)


class TestDiffs:
    def test_the_newest_comes_first_with_what_was_found(
        self, client: Client, published: Published
    ) -> None:
        page = shown(client, '/review/')

        assert re.findall(r'<h2><a href="/review/diffs/(\d+)/">', page) == [
            str(published.new.pk),
            str(published.old.pk),
        ]
        assert 'Bug 42 - Fix the widget' in page
        assert '102 publishable' in page
        assert '101 errors' in page
        assert 'href="https://phabricator.services.mozilla.com/D1001"' in page
        assert f'href="https://hg.mozilla.org/try/rev/{"c" * 40}"' in page

    @pytest.mark.parametrize(
        ('asked', 'found'),
        [
            ({'search': 'widget'}, 2),
            ({'search': 'DIFF-old'}, 1),
            ({'search': '\x00'}, 0),
            ({'search': 'x' * 300}, 0),
            ({'repository': 'mozilla-central', 'search': ' '}, 2),
            ({'repository': 'missing'}, 0),
            ({'repository': ''}, 2),
            ({'issues': 'no'}, 0),
            ({'issues': 'publishable'}, 1),
            ({'issues': 'whatever'}, 2),
        ],
    )
    def test_filters_leave_what_those_of_the_api_do(
        self, client: Client, published: Published, asked: dict[str, Any], found: int
    ) -> None:
        page = shown(client, '/review/', **asked)

        assert len(re.findall('class="card diff"', page)) == found
        assert re.search(rf'>{found} diffs?', page)

    def test_what_was_filtered_by_stands_in_the_form(
        self, client: Client, published: Published
    ) -> None:
        page = shown(client, '/review/', search='"wid"', repository='try', issues='any')

        assert 'value="&quot;wid&quot;"' in page
        assert '<option selected>try</option>' in page
        assert '<option value="any" selected>' in page

    def test_pages_lead_on_and_keep_the_filters(self, client: Client) -> None:
        revision = data.stored_revision()
        for number in range(26):
            data.stored_diff(revision, str(number))

        first = shown(client, '/review/', search='Bug')
        assert '1\N{EN DASH}25 of 26' in first
        assert 'href="?search=Bug&amp;page=2"' in first
        second = shown(client, '/review/', search='Bug', page='2')
        assert '26\N{EN DASH}26 of 26' in second
        assert 'href="?search=Bug&amp;page=1"' in second

    @pytest.mark.parametrize('number', ['0', '-1', 'x', '²', '9' * 40])
    def test_a_number_of_no_page_is_the_first(
        self, client: Client, published: Published, number: str
    ) -> None:
        assert 'class="card diff"' in shown(client, '/review/', page=number)

    def test_past_the_end_there_is_a_way_back(self, client: Client, published: Published) -> None:
        page = shown(client, '/review/', page='999999999')

        assert 'Past the end of 2' in page
        assert 'href="?page=1"' in page


class TestDiff:
    @pytest.mark.parametrize('name', ['555', 'PHID-DIFF-new', '{pk}'])
    def test_it_is_found_by_each_of_its_names(
        self, client: Client, published: Published, name: str
    ) -> None:
        page = shown(client, f'/review/diffs/{name.format(pk=published.new.pk)}/')

        assert 'PHID-DIFF-new' in page
        assert 'aria-current="page" title="PHID-DIFF-new">Diff 2 <' in page

    @pytest.mark.parametrize('name', ['0', '9' * 30, 'PHID-DIFF-none'])
    def test_what_is_not_there_is_told_as_a_page(self, client: Client, name: str) -> None:
        assert 'There is no such diff.' in shown(client, f'/review/diffs/{name}/', 404)

    @pytest.mark.parametrize(
        ('kind', 'number', 'files'),
        [
            ('', 104, ['a/b.py', 'c.py']),
            ('new', 103, ['c.py']),
            ('unresolved', 1, ['a/b.py']),
            ('known', 1, ['a/b.py']),
            ('closed', 1, ['gone.py']),
            ('revision', 1, ['undiffed.py']),
            ('whatever', 104, ['a/b.py', 'c.py']),
        ],
    )
    def test_places_are_grouped_by_file(
        self, client: Client, published: Published, kind: str, number: int, files: list[str]
    ) -> None:
        page = shown(client, '/review/diffs/PHID-DIFF-new/', show=kind)

        assert files_in(page) == files
        assert re.search(rf'role="status">{number} places?<', page)

    def test_the_next_page_goes_on_in_the_file(self, client: Client, published: Published) -> None:
        page = shown(client, '/review/diffs/PHID-DIFF-new/', page='2')

        assert files_in(page) == ['c.py', 'z.py']

    @pytest.mark.parametrize(
        ('asked', 'files'),
        [
            ({'level': 'warning'}, ['a/b.py', 'z.py']),
            ({'search': 'A/B'}, ['a/b.py']),
            ({'search': 'e303'}, ['c.py']),
            ({'search': '%'}, []),
            ({'publishable': '1', 'level': 'warning'}, ['a/b.py']),
            ({'show': 'closed', 'level': 'error'}, []),
        ],
    )
    def test_filters_leave_some_places(
        self, client: Client, published: Published, asked: dict[str, Any], files: list[str]
    ) -> None:
        assert files_in(shown(client, '/review/diffs/PHID-DIFF-new/', **asked)) == files

    def test_a_place_says_what_became_of_it(self, client: Client, published: Published) -> None:
        page = shown(client, '/review/diffs/PHID-DIFF-new/', search='a/b.py')
        (state,) = re.findall(r'<td class="state">(.*?)</td>', page)
        assert re.findall(r'>(\w+)<', state) == ['unresolved', 'known', 'publishable']
        assert (
            f'href="https://hg.mozilla.org/try/file/{"c" * 40}/a/b.py#l4">4\N{EN DASH}6</a>' in page
        )

        closed = shown(client, '/review/diffs/PHID-DIFF-new/', show='closed')
        assert f'<a href="/review/diffs/{published.old.pk}/">last in diff 1</a>' in closed

    def test_all_that_was_published_of_a_place_is_shown(
        self, client: Client, published: Published
    ) -> None:
        IssueLink.objects.filter(diff=published.new, issue__hash='fresh', line=7).update(
            char=9, in_patch=False, new_for_revision=True
        )
        page = shown(client, '/review/diffs/PHID-DIFF-new/', path='c.py')

        (row,) = (each for each in re.findall(r'<tr>.*?</tr>', page) if '>7:9<' in each)
        for text in ('not in patch', 'new for revision', 'title="Hash fresh"', 'publishable'):
            assert text in row

    @pytest.mark.parametrize(
        ('asked', 'files'),
        [
            ({'path': 'z.py'}, ['z.py']),
            ({'path': 'z'}, []),
            ({'analyzer': 'mozlint', 'path': 'a/b.py'}, ['a/b.py']),
            ({'analyzer': 'other'}, []),
        ],
    )
    def test_files_and_analyzers_are_chosen_from_lists(
        self, client: Client, published: Published, asked: dict[str, Any], files: list[str]
    ) -> None:
        page = shown(client, '/review/diffs/PHID-DIFF-new/', **asked)

        assert files_in(page) == files
        for path in ('a/b.py', 'c.py', 'z.py'):
            assert f'<option value="{path}"></option>' in page
        assert re.search(r'<option (selected)?>mozlint</option>', page)

    @pytest.mark.parametrize('address', ['/review/', '/review/diffs/555/', '/review/revisions/{}/'])
    def test_links_lead_to_bug_jobs_and_task(
        self, client: Client, published: Published, settings: Any, address: str
    ) -> None:
        Diff.objects.filter(pk=published.new.pk).update(review_task_id='T' * 22)
        page = shown(client, address.format(published.new.revision_id))

        for link in (
            'https://bugzilla.mozilla.org/show_bug.cgi?id=42',
            f'https://treeherder.mozilla.org/jobs?repo=try&amp;revision={"c" * 40}',
            f'https://firefox-ci-tc.services.mozilla.com/tasks/{"T" * 22}',
        ):
            assert f'href="{link}"' in page

        settings.CODEREVIEW_BUGZILLA_URL = settings.TASKCLUSTER_ROOT_URL = ''
        settings.CODEREVIEW_TREEHERDER_URL = 'javascript:alert(1)'
        page = shown(client, address.format(published.new.revision_id))
        assert not re.search('href="[^"]*(show_bug|jobs|/tasks/)', page)

    def test_what_the_bot_publishes_without_a_diff_is_led_to(self, client: Client) -> None:
        revision = data.stored_revision()
        diff = data.stored_diff(revision)
        data.link(data.stored_issue('1'), revision)

        page = shown(client, f'/review/diffs/{diff.pk}/')

        assert '<a href="?show=revision">1 of its revision</a>' in page

    def test_what_a_revision_has_without_a_diff_is_counted(self, client: Client) -> None:
        revision = data.stored_revision()
        diff = data.stored_diff(revision)
        data.stored_diff(data.stored_revision(provider_id=2), 'none')
        for number, in_patch in enumerate((True, False)):
            data.link(data.stored_issue(str(number)), revision, in_patch=in_patch)

        page = shown(client, '/review/')
        assert '>2 of the revision, 1 publishable</a>' in page
        assert page.count('No issues') == 1
        for asked, found in (('any', [diff.pk]), ('publishable', [diff.pk]), ('no', [diff.pk + 1])):
            page = shown(client, '/review/', issues=asked)
            assert re.findall(r'<h2><a href="/review/diffs/(\d+)/"', page) == [
                str(pk) for pk in found
            ]


class TestRevisions:
    def test_files_stand_by_diff(self, client: Client, published: Published) -> None:
        revision, old, new = published.new.revision, published.old, published.new
        page = shown(client, f'/review/revisions/{revision.pk}/')

        (matrix,) = re.findall('<table class="matrix">.*?</table>', page)
        heads = re.findall(r'<th scope="col"[^>]*>(?:<a [^>]*>)?([^<]*)', matrix)
        assert heads == ['File', 'Diff 1', 'Diff 2', 'In no diff']
        cells = {
            re.findall(r'>([^<>]+)</a></th>', row)[0]: re.findall(
                r'<td [^>]*>(?:<a [^>]*>|<span [^>]*>)?([^<]*)', row
            )
            for row in re.findall(r'<tr><th scope="row".*?</tr>', matrix)
        }
        none = '\N{EN DASH}'
        assert cells == {
            'a/b.py': ['1', '1', none],
            'c.py': [none, '101', none],
            'gone.py': ['1', none, none],
            'undiffed.py': [none, none, '1'],
            'z.py': [none, '2', none],
        }
        assert '101 errors' in matrix
        assert f'href="/review/diffs/{old.pk}/?path=a%2Fb.py#issues"' in matrix
        assert f'href="/review/diffs/{old.pk}/?path=undiffed.py&amp;show=revision#issues"' in matrix
        assert '>555<' in page
        assert new.provider_id in page
        assert '107 places in 5 files' in page

    def test_a_push_has_a_page(self, client: Client) -> None:
        push = data.stored_revision(provider_id=None, title='Changeset')
        data.link(data.stored_issue('1'), push, line=3)
        listed = shown(client, '/review/revisions/', kind='push')
        assert f'href="/review/revisions/{push.pk}/">Changeset<' in listed

        page = shown(client, f'/review/revisions/{push.pk}/')

        assert '1 place in 1 file' in page
        assert f'href="https://hg.mozilla.org/try/file/{"b" * 40}/a/b.py"' in page

    @pytest.mark.parametrize(
        ('asked', 'found'),
        [
            ({}, 2),
            ({'search': 'D1001'}, 1),
            ({'search': '42'}, 1),
            ({'search': 'b' * 40}, 2),
            ({'search': 'widget'}, 1),
            ({'search': '\x00'}, 0),
            ({'repository': 'try'}, 2),
            ({'repository': 'mozilla-central'}, 0),
            ({'kind': 'push'}, 1),
            ({'kind': 'review'}, 1),
        ],
    )
    def test_the_list_is_filtered(self, client: Client, asked: dict[str, Any], found: int) -> None:
        data.stored_revision()
        data.stored_revision(provider_id=None, bugzilla_id=None, title='Changeset')

        page = shown(client, '/review/revisions/', **asked)

        assert page.count('class="card diff"') == found

    @pytest.mark.parametrize('number', ['0', '9' * 30])
    def test_what_is_not_there(self, client: Client, number: str) -> None:
        assert 'no such revision' in shown(client, f'/review/revisions/{number}/', 404)

    def test_files_come_in_pages(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(revision_pages, 'FILES', 2)
        revision = data.stored_revision()
        for path in 'abc':
            data.link(data.stored_issue(path, path=path), revision)

        page = shown(client, f'/review/revisions/{revision.pk}/', page='2')

        assert '3\N{EN DASH}3 of 3' in page
        assert re.findall(r'>(\w)</a></th>', page) == ['c']


class TestChecks:
    def test_what_occurs_in_two_repositories_counts_once(self, client: Client) -> None:
        issue, revision = data.stored_issue('1', level='error'), data.stored_revision()
        data.link(issue, revision)
        other = data.repository('autoland')
        data.link(issue, data.stored_revision(provider_id=2, head_repository=other))
        data.link(data.stored_issue('2', analyzer_check='E303'), revision)

        page = shown(client, '/review/checks/')
        assert '2 checks found 2 different issues, 1 publishable' in page
        assert 'A check has a row for each repository: 3 rows.' in page
        page = shown(client, '/review/checks/', repository='autoland')
        assert '1 check found 1 different issue, 1 publishable' in page
        page = shown(client, '/review/checks/', search='E501')
        assert '1 check found 1 different issue, 1 publishable' in page

    def test_they_are_counted_as_the_api_does(self, client: Client, published: Published) -> None:
        page = shown(client, '/review/checks/')
        rows = [
            re.findall(r'class="(?:repository|amount)">([^<]*)<', row)
            for row in re.findall(r'<tr>.*?</tr>', page)[1:]
        ]
        api = Client().get('/v1/check/stats/').json()['results']

        assert rows == [
            [row['repository'], f'{row["total"]}', f'{row["publishable"]}'] for row in api
        ]
        assert len(rows) == 3

    @pytest.mark.parametrize(
        ('asked', 'checks'),
        [
            ({}, ['E501', 'E303']),
            ({'order': 'check'}, ['E303', 'E501']),
            ({'order': 'whatever'}, ['E501', 'E303']),
            ({'search': 'e3'}, ['E303']),
            ({'analyzer': 'mozlint', 'repository': 'try'}, ['E501', 'E303']),
            ({'analyzer': 'other'}, []),
            ({'since': '2999-01-01'}, []),
        ],
    )
    def test_they_are_filtered_and_sorted(
        self, client: Client, published: Published, asked: dict[str, Any], checks: list[str]
    ) -> None:
        page = shown(client, '/review/checks/', **asked)

        assert re.findall(r'<span class="code">(\w+)</span>', page) == checks

    def test_one_leads_to_its_issues_and_those_to_their_diffs(
        self, client: Client, published: Published
    ) -> None:
        page = shown(client, '/review/checks/')
        (link,) = re.findall(r'<a href="(/review/checks/issues/[^"]*E501[^"]*)"', page)

        issues = shown(client, link.replace('&amp;', '&'))

        assert [*re.findall(r'<h2 class="code"><a [^>]*>([^<]*)', issues)] == [
            'z.py',
            'undiffed.py:1',
            'gone.py:8',
            'a/b.py:4\N{EN DASH}6',
        ]
        assert issues.count(f'href="/review/diffs/{published.old.pk}/"') == 2
        text = f'href="https://hg.mozilla.org/try/file/{"b" * 40}/undiffed.py#l1"'
        assert text in issues  # it has no diff, so its source is that of the revision
        assert f'href="/review/revisions/{published.old.revision_id}/"' in issues
        assert f'href="https://hg.mozilla.org/try/file/{"c" * 40}/gone.py#l8"' in issues

    def test_an_issue_in_many_diffs_names_five(self, client: Client) -> None:
        revision, issue = data.stored_revision(), data.stored_issue('1')
        for number in range(7):
            data.link(issue, revision, data.stored_diff(revision, str(number)))

        page = shown(client, CHECK)

        assert page.count('href="/review/diffs/') == 5
        assert 'and 2 more' in page

    @pytest.mark.parametrize(
        'asked',
        [
            {},
            {'repository': 'try', 'analyzer': 'mozlint', 'check': 'E501', 'publishable': 'maybe'},
            {'repository': 'try', 'analyzer': 'mozlint', 'check': 'E501', 'since': 'x'},
        ],
    )
    def test_what_cannot_be_asked_is_told(self, client: Client, asked: dict[str, Any]) -> None:
        assert 'Bad Request' in shown(client, '/review/checks/issues/', 400, **asked)


class TestHistory:
    @pytest.fixture
    def found(self) -> list[str]:
        """Three days: today, yesterday, and one long ago."""
        revision = data.stored_revision()
        moments = [timezone.now() - timedelta(days=days) for days in (0, 0, 1, 200)]
        for number, moment in enumerate(moments):
            check = 'E501' if number else 'E303'
            issue = data.stored_issue(str(number), created=moment, analyzer_check=check)
            data.link(issue, revision)
        return [moment.date().isoformat() for moment in moments[1:]]

    @pytest.mark.parametrize(
        ('asked', 'totals'),
        [
            ({}, ['2', '1']),
            ({'since': ''}, ['2', '1', '1']),
            ({'repository': 'try', 'check': 'E501'}, ['1', '1']),
            ({'repository': 'missing'}, []),
            ({'analyzer': '\x00'}, []),
        ],
    )
    def test_days_are_shown_the_newest_first(
        self, client: Client, found: list[str], asked: dict[str, Any], totals: list[str]
    ) -> None:
        page = shown(client, '/review/history/', **asked)

        assert re.findall(r'<data value="(\d+)">\1</data>', page) == totals
        assert re.findall(r'<time datetime="([\d-]+)">\1</time>', page) == found[: len(totals)]

    def test_a_day_that_is_none_is_told(self, client: Client) -> None:
        page = shown(client, '/review/history/', 400, since='yesterday')

        assert 'invalid since date' in page


class TestHostileText:
    def test_is_text_everywhere(self, client: Client, hostile: Any) -> None:
        check: dict[str, Any] = {'repository': 'hostile', 'analyzer': '<b>', 'check': HOSTILE}
        pages = [
            shown(client, '/review/', search='<script>'),
            shown(client, f'/review/diffs/{hostile.pk}/', search='<script>'),
            shown(client, '/review/revisions/', search='<script>'),
            shown(client, f'/review/revisions/{hostile.revision_id}/'),
            shown(client, '/review/checks/', search='<script>'),
            shown(client, '/review/checks/issues/', **check),
            shown(client, '/review/history/', **check),
        ]

        for page in pages:
            assert '&lt;script&gt;' in page
            assert '<script>' not in page
            assert '<b>' not in page
            assert not re.search('<img [^>]*onerror', page)
            assert 'href="javascript' not in page.lower()


class TestRights:
    @pytest.mark.parametrize(
        ('resource', 'rows', 'address', 'status'),
        [
            (ListedDiffResource, Q(provider_id='PHID-DIFF-old'), '/review/', 200),
            (ListedDiffResource, Q(pk=0), '/review/diffs/555/', 404),
            (IssueOfDiffResource, Q(pk=0), '/review/diffs/555/', 200),
            (IssueOfDiffResource, Q(pk=0), '/review/diffs/555/?show=closed', 200),
            (RevisionResource, Q(pk=0), '/review/revisions/', 200),
        ],
    )
    def test_pages_show_what_the_grants_give(
        self,
        client: Client,
        published: Published,
        monkeypatch: pytest.MonkeyPatch,
        resource: Any,
        rows: Q,
        address: str,
        status: int,
    ) -> None:
        def forget() -> None:
            readable._seen.cache_clear()
            plans.clear()

        monkeypatch.setattr(resource, 'grants', (Grant(anyone, read=ALL, rows=rows),))
        forget()
        try:
            page = shown(client, address, status)
        finally:
            monkeypatch.undo()
            forget()

        assert f'/review/diffs/{published.new.pk}/">' not in page
        assert files_in(page) == []


class TestAddresses:
    @pytest.mark.parametrize('address', ALL_PAGES)
    def test_a_missing_slash_is_mended(
        self, client: Client, published: Published, address: str
    ) -> None:
        response = client.get(address.removesuffix('/'))

        assert (response.status_code, response.headers['Location']) == (301, address)

    def test_an_unknown_address_is_told_as_a_page(self, client: Client) -> None:
        assert 'There is no page at this address.' in shown(client, '/review/nothing/', 404)

    @pytest.mark.parametrize('address', ALL_PAGES)
    def test_pages_are_only_read(self, client: Client, published: Published, address: str) -> None:
        assert client.post(address).status_code == 405
        assert client.head(address).status_code == 200

    def test_they_are_in_no_document_of_the_api(self, client: Client) -> None:
        for document in ('/docs.json', '/v1/openapi.json'):
            assert b'"/review/' not in client.get(document).content  # a text may
