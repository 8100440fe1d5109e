"""The admin: accounts, repositories, revisions with their diffs, issues (case 99, section 3)."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from backstay.resources.admin import deleting
from backstay.testing import run_tasks
from services.codereview import admin as pages
from services.codereview.models import Diff, Issue, IssueLink, Repository, Revision
from services.codereview.tests import data
from services.codereview.tests.data import Bot
from services.codereview.tests.test_counting import assert_all_is_counted


@pytest.fixture
def operator(db: None) -> Client:
    """Somebody who may do everything, in a browser."""
    account = get_user_model().objects.create_superuser('operator', 'operator-s3cret')
    client = Client(headers={'accept': 'text/html'})
    client.force_login(account)
    return client


def test_case_99_a_stranger_is_sent_to_sign_in(client: Client) -> None:
    response = client.get('/admin/', headers={'accept': 'text/html'})

    assert response.status_code == 302
    assert response.headers['Location'] == '/admin/login/?next=/admin/'


def test_an_operator_makes_the_account_of_the_bot(operator: Client) -> None:
    given = {'username': 'bot', 'password1': 'bot-s3cret-1', 'password2': 'bot-s3cret-1'}
    response = operator.post('/admin/identity/account/add/', {**given, 'usable_password': 'true'})
    assert response.status_code == 302, response.content

    answer = Bot(data.basic('bot', 'bot-s3cret-1')).post('/v1/revision/', {})

    assert answer.status_code == 400  # signed in, and nothing given


class TestRepositories:
    url = '/admin/codereview/repository/'

    def test_they_may_be_on_any_host(self, operator: Client) -> None:
        given = {'slug': 'my-repo', 'url': 'https://git.example.test/x'}

        assert operator.post(f'{self.url}add/', given).status_code == 302
        assert Repository.objects.get().url == given['url']
        assert 'my-repo' in operator.get(self.url).content.decode()

    @pytest.mark.parametrize(
        ('slug', 'url'), [('a.b', 'https://x.test/'), ('a/b', 'https://x.test/'), ('ab', 'x')]
    )
    def test_values_that_are_refused(self, operator: Client, slug: str, url: str) -> None:
        response = operator.post(f'{self.url}add/', {'slug': slug, 'url': url})

        assert response.status_code == 200
        assert Repository.objects.count() == 0

    def test_one_can_be_renamed_and_deleted(self, operator: Client) -> None:
        found = data.repository('a.b')
        change = f'{self.url}{found.pk}/'

        assert operator.post(f'{change}change/', {'slug': 'a.b', 'url': 'https://x.test/'})
        assert operator.post(f'{change}change/', {'slug': 'c', 'url': 'https://x.test/'})
        found.refresh_from_db()
        assert (found.slug, found.url) == ('c', 'https://x.test/')
        assert operator.post(f'{change}delete/', {'post': 'yes'}).status_code == 302
        assert Repository.objects.count() == 0


class TestRevisions:
    url = '/admin/codereview/revision/'

    def test_the_list_has_filters_and_a_search(self, operator: Client) -> None:
        revision = data.stored_revision()

        page = operator.get(self.url).content.decode()
        for text in ('1001', 'Bug 42 - Fix the widget', 'mozilla-central', 'By provider'):
            assert text in page
        for query in ('?q=1001', '?q=42', '?q=widget', '?provider__exact=phabricator'):
            assert 'Fix the widget' in operator.get(self.url + query).content.decode()
        other = f'?head_repository__id__exact={revision.base_repository_id}'
        assert 'Fix the widget' not in operator.get(self.url + other).content.decode()

    def test_its_diffs_are_shown_and_not_changed(self, operator: Client) -> None:
        diff = data.stored_diff(data.stored_revision())

        response = operator.get(f'{self.url}{diff.revision_id}/change/')

        assert response.status_code == 200
        page = response.content.decode()
        assert 'PHID-DIFF-aaa' in page
        assert 'name="diffs-0-provider_id"' not in page

    def test_one_goes_with_what_it_has(self, operator: Client) -> None:
        diff = data.stored_diff(data.stored_revision())
        data.link(data.stored_issue('1'), diff.revision, diff)

        response = operator.post(f'{self.url}{diff.revision_id}/delete/', {'post': 'yes'})

        assert response.status_code == 302
        assert (Diff.objects.count(), IssueLink.objects.count()) == (0, 0)


class TestLargeDeletions:
    @pytest.fixture
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """More than two rows are many."""
        monkeypatch.setattr(deleting, 'MAX_ROWS_AT_ONCE', 2)

    @pytest.fixture
    def diff(self, db: None, few: None) -> Diff:
        """One with seven places, in a repository that keeps another revision."""
        diff = data.stored_diff(data.stored_revision())
        for line in range(7):
            data.link(data.stored_issue(str(line)), diff.revision, diff, line=line)
        return diff

    @pytest.mark.parametrize('name', ['repository', 'revision'])
    def test_the_page_counts_no_further_than_it_shows_and_a_task_deletes(
        self, operator: Client, diff: Diff, name: str, django_assert_max_num_queries: Any
    ) -> None:
        row = diff.repository if name == 'repository' else diff.revision
        url = f'/admin/codereview/{name}/{row.pk}/delete/'

        with django_assert_max_num_queries(24) as statements:
            page = operator.get(url).content.decode()
        assert 'Issue links: more than 2' in page.replace('issue links', 'Issue links')
        assert not any('OFFSET' in each['sql'] or '"path"' in each['sql'] for each in statements)

        response = operator.post(url, {'post': 'yes'}, follow=True)
        assert 'A task deletes' in response.content.decode()
        assert IssueLink.objects.count() == 7
        run_tasks()

        assert (Diff.objects.count(), IssueLink.objects.count()) == (0, 0)
        assert not type(row).objects.filter(pk=row.pk).exists()
        assert Issue.objects.count() == 7
        assert_all_is_counted()

    def test_several_are_deleted_by_the_action(self, operator: Client, diff: Diff) -> None:
        other = data.stored_revision(provider_id=2)
        given = {
            'action': 'delete_selected',
            '_selected_action': [diff.revision_id, other.pk],
            'post': 'yes',
        }

        operator.post('/admin/codereview/revision/', given)
        run_tasks()

        assert (Revision.objects.count(), IssueLink.objects.count()) == (0, 0)

    def test_few_rows_go_at_once(self, operator: Client, few: None) -> None:
        revision = data.stored_revision()
        url = f'/admin/codereview/revision/{revision.pk}/delete/'

        assert 'Phabricator D1001' in operator.get(url).content.decode()
        operator.post(url, {'post': 'yes'})

        assert not Revision.objects.exists()


@pytest.mark.parametrize('name', ['diff', 'difftext', 'issuelink', 'sighting', 'tally'])
def test_what_has_no_page(operator: Client, name: str) -> None:
    assert operator.get(f'/admin/codereview/{name}/').status_code in (403, 404)
    assert f'/admin/codereview/{name}/' not in operator.get('/admin/').content.decode()


class TestIssues:
    url = '/admin/codereview/issue/'

    @pytest.fixture
    def issues(self, db: None) -> list[Issue]:
        return [
            data.stored_issue(f'hash{number}', path=f'dir/file{number}.py', analyzer=name)
            for number, name in enumerate(('clang', 'mozlint', 'clang'))
        ]

    def paths(self, response: Any) -> list[str]:
        assert response.status_code == 200, response.content
        return [issue.path for issue in response.context['cl'].result_list]

    def test_the_newest_come_first(self, operator: Client, issues: list[Issue]) -> None:
        expected = ['dir/file2.py', 'dir/file1.py', 'dir/file0.py']
        assert self.paths(operator.get(self.url)) == expected

    @pytest.mark.parametrize(
        ('text', 'found'),
        [('file1', 1), ('mozlint', 1), ('E501', 3), ('hash2', 1), ('nothing', 0), ('%', 0)],
    )
    def test_search(self, operator: Client, issues: list[Issue], text: str, found: int) -> None:
        assert len(self.paths(operator.get(self.url, {'q': text}))) == found

    def test_parts_of_texts_are_looked_for_among_the_newest(
        self, operator: Client, issues: list[Issue], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages, 'MAX_SEARCHED_ROWS', 2)

        assert self.paths(operator.get(self.url, {'q': 'file'})) == [
            'dir/file2.py',
            'dir/file1.py',
        ]
        for name in ('hash0', 'dir/file0.py'):  # these are found wherever they stand
            assert self.paths(operator.get(self.url, {'q': name})) == ['dir/file0.py']

    def test_of_one_analyzer(self, operator: Client, issues: list[Issue]) -> None:
        response = operator.get(f'{self.url}?analyzer=clang')

        assert self.paths(response) == ['dir/file2.py', 'dir/file0.py']
        assert 'mozlint' in response.content.decode()

    def test_rows_are_never_all_counted(
        self,
        operator: Client,
        issues: list[Issue],
        monkeypatch: pytest.MonkeyPatch,
        django_assert_max_num_queries: Any,
    ) -> None:
        monkeypatch.setattr(pages, 'MAX_LISTED_ROWS', 2)

        with django_assert_max_num_queries(6) as statements:
            response = operator.get(self.url)

        assert response.context['cl'].paginator.count == 2
        counts = [each['sql'] for each in statements if 'COUNT(' in each['sql'].upper()]
        assert counts
        assert all('LIMIT 2' in sql for sql in counts)

    def test_one_is_looked_at_and_not_changed(self, operator: Client, issues: list[Issue]) -> None:
        url = f'{self.url}{issues[0].pk}/change/'
        assert 'file0' in operator.get(url).content.decode()

        operator.post(url, {'path': 'other'})

        issues[0].refresh_from_db()
        assert issues[0].path == 'dir/file0.py'
        assert operator.get(f'{self.url}add/').status_code == 403

    def test_one_can_be_deleted(self, operator: Client, issues: list[Issue]) -> None:
        data.link(issues[0], data.stored_revision())

        response = operator.post(f'{self.url}{issues[0].pk}/delete/', {'post': 'yes'})

        assert response.status_code == 302
        assert Issue.objects.count() == 2
