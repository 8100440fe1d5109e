"""Diffs (cases 38 to 51)."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from backstay.testing import statements
from services.codereview.models import Diff, Repository, Revision
from services.codereview.tests import data
from services.codereview.tests.data import TRY, Bot


@pytest.fixture
def revision(db: None) -> Revision:
    return data.stored_revision()


@pytest.fixture
def url(revision: Revision) -> str:
    return f'/v1/revision/{revision.pk}/diffs/'


WRONG: list[Any] = [None, '', [], 'a\x00b']


class TestCreating:
    def test_case_38_a_new_diff(self, bot: Bot, url: str) -> None:
        response = bot.post(url, data.diff_body(id=555, provider='x'))

        assert response.status_code == 201
        assert list(response.json().items()) == [
            ('provider_id', 'PHID-DIFF-aaa'),
            ('review_task_id', 'TASK1'),
            ('repository', TRY),
            ('mercurial_hash', 'c' * 40),
            ('issues_url', 'http://testserver/v1/diff/PHID-DIFF-aaa/issues/'),
            ('id', Diff.objects.get().pk),
        ]

    def test_case_39_the_same_again(self, bot: Bot, url: str) -> None:
        bot.post(url, data.diff_body())

        response = bot.post(url, data.diff_body())

        assert response.status_code == 400
        assert response.json() == {
            'provider_id': ['diff with this provider id already exists.'],
            'review_task_id': ['diff with this review task id already exists.'],
        }
        assert Diff.objects.count() == 1

    def test_case_40_the_same_id_in_another_revision(self, bot: Bot, url: str) -> None:
        bot.post(url, data.diff_body())
        other = data.stored_revision(provider_id=2)

        response = bot.post(
            f'/v1/revision/{other.pk}/diffs/', data.diff_body(review_task_id='TASK2')
        )

        assert (response.status_code, list(response.json())) == (400, ['provider_id'])

    def test_case_41_an_unknown_revision(self, bot: Bot, url: str) -> None:
        for number in ('99999', '9' * 30):
            unknown = f'/v1/revision/{number}/diffs/'
            good = bot.post(unknown, data.diff_body())
            assert good.status_code == 404
            assert good.json() == {'detail': 'No Revision matches the given query.'}
            bad = bot.post(unknown, {})
            assert bad.status_code == 400
            required = ['This field is required.']
            assert bad.json() == dict.fromkeys(data.diff_body(), required)
        assert bot.get('/v1/revision/abc/diffs/').status_code == 404

    def test_case_42_a_repository_that_is_not_stored(self, bot: Bot, url: str) -> None:
        missing = 'https://hg.mozilla.org/missing'

        response = bot.post(url, data.diff_body(repository=missing))

        assert response.status_code == 400
        assert response.json() == {'repository': [f'Object with url={missing} does not exist.']}
        assert not Repository.objects.filter(url=missing).exists()

    @pytest.mark.parametrize(
        ('name', 'value'),
        [
            ('provider_id', 'x' * 41),
            ('review_task_id', 'x' * 31),
            ('mercurial_hash', 'x' * 41),
            ('provider_id', 'a.b'),
            ('provider_id', 'a_b'),
            ('provider_id', 'a/b'),
            ('provider_id', 'ä'),
            ('provider_id', 'a\n'),
            *((name, value) for name in data.diff_body() for value in WRONG),
        ],
    )
    def test_case_43_values_that_are_refused(
        self, bot: Bot, url: str, name: str, value: Any
    ) -> None:
        response = bot.post(url, data.diff_body(**{name: value}))

        if value == 'a\n':  # trimmed
            assert response.status_code == 201
        else:
            assert (response.status_code, list(response.json())) == (400, [name])
            assert bot.get('/v1/diff/').status_code == 200
            assert Diff.objects.count() == 0

    @pytest.mark.parametrize('body', ['[]', '[1]', '5', 'null', '"x"'])
    def test_bodies_that_are_no_object(self, bot: Bot, url: str, body: str) -> None:
        assert bot.post(url, body).status_code == 400

    def test_numbers_become_text(self, bot: Bot, url: str) -> None:
        response = bot.post(url, data.diff_body(provider_id=12, review_task_id=3))

        assert response.status_code == 201
        assert (response.json()['provider_id'], Diff.objects.get().review_task_id) == ('12', '3')

    @pytest.mark.parametrize('number', [True, 'abc', -1, 1.5, [], None, 10**30])
    def test_an_id_that_is_no_number_is_not_kept(self, bot: Bot, url: str, number: Any) -> None:
        assert bot.post(url, data.diff_body(id=number)).status_code == 201
        assert Diff.objects.get().number is None


class TestReading:
    def test_case_44_what_is_not_there(self, bot: Bot, revision: Revision, url: str) -> None:
        unknown = bot.get('/v1/revision/99999/diffs/')
        assert (unknown.status_code, unknown.json()['count']) == (200, 0)
        assert bot.get(f'/v1/revision/{"9" * 30}/diffs/').json()['count'] == 0

        diff = data.stored_diff(revision)
        assert bot.get(f'{url}{diff.pk}/').json()['provider_id'] == 'PHID-DIFF-aaa'
        other = data.stored_revision(provider_id=2)
        assert bot.get(f'/v1/revision/{other.pk}/diffs/{diff.pk}/').status_code == 404
        assert bot.get(f'{url}PHID-DIFF-aaa/').status_code == 404

    def test_case_46_phabricators_number_finds_it(self, bot: Bot, url: str) -> None:
        created = bot.post(url, data.diff_body(id=555)).json()

        assert bot.get(f'{url}555/').json() == created
        assert bot.get('/v1/diff/555/').json()['provider_id'] == 'PHID-DIFF-aaa'
        assert bot.get('/v1/diff/555/issues/').status_code == 200
        assert bot.get('/v1/diff/556/issues/').status_code == 404

    def test_case_46_its_own_key_goes_before_the_number_of_another(
        self, bot: Bot, revision: Revision, url: str
    ) -> None:
        first = data.stored_diff(revision, 'a')
        data.stored_diff(revision, 'b', number=first.pk)
        by_name = data.stored_diff(revision, 'c')
        Diff.objects.filter(pk=by_name.pk).update(provider_id='777')
        data.stored_diff(revision, 'd', number=777)

        assert bot.get(f'/v1/diff/{first.pk}/').json()['provider_id'] == 'PHID-DIFF-a'
        assert bot.get(f'{url}{first.pk}/').json()['provider_id'] == 'PHID-DIFF-a'
        found = data.stored_issue('1' * 32)
        data.link(found, revision, by_name)
        assert bot.get('/v1/diff/777/issues/').json()['count'] == 1

    def test_diffs_of_a_revision_come_in_the_order_of_time(
        self, bot: Bot, revision: Revision, url: str
    ) -> None:
        now = timezone.now()
        for hours in (1, 3, 2):
            data.stored_diff(revision, str(hours), created=now - timedelta(hours=hours))

        results = bot.get(url).json()['results']

        assert [each['provider_id'][-1] for each in results] == ['3', '2', '1']

    def test_no_diff_changes(self, bot: Bot, revision: Revision, url: str) -> None:
        diff = data.stored_diff(revision)
        for method in ('PUT', 'PATCH', 'DELETE'):
            assert bot.call(method, f'{url}{diff.pk}/').status_code == 405
            assert bot.call(method, f'/v1/diff/{diff.pk}/').status_code == 405
        assert bot.post('/v1/diff/', {}).status_code == 405

    @pytest.mark.parametrize('key', ['999', 'abc', '9' * 30, '-1', 'PHID-DIFF-x'])
    def test_a_diff_that_is_not_there(self, bot: Bot, key: str) -> None:
        response = bot.get(f'/v1/diff/{key}/')

        assert (response.status_code, list(response.json())) == (404, ['detail'])


class TestList:
    @pytest.fixture
    def diffs(self, revision: Revision) -> list[Diff]:
        return [data.stored_diff(revision, name) for name in 'abc']

    def test_case_47_the_newest_first(
        self, bot: Bot, revision: Revision, diffs: list[Diff]
    ) -> None:
        page = bot.get('/v1/diff/').json()

        assert [each['id'] for each in page['results']] == [each.pk for each in diffs[::-1]]
        shown = page['results'][0]
        assert list(shown) == [
            'id',
            'provider_id',
            'revision',
            'review_task_id',
            'repository',
            'mercurial_hash',
            'issues_url',
            'nb_issues',
            'nb_issues_publishable',
            'nb_warnings',
            'nb_errors',
            'created',
        ]
        assert shown['revision'] == bot.get(f'/v1/revision/{revision.pk}/').json()
        on_try = revision.head_repository
        assert shown['repository'] == {'id': on_try.pk, 'slug': 'try', 'url': TRY}
        assert bot.get(f'/v1/diff/{shown["id"]}/').json() == shown

    @pytest.mark.parametrize(
        ('slug', 'count'),
        [
            ('try', 3),
            ('mozilla-central', 3),
            ('', 0),
            ('missing', 0),
            ('https://hg.mozilla.org/try', 0),
            ('a%00b', 0),
        ],
    )
    def test_case_48_of_a_repository(
        self, bot: Bot, diffs: list[Diff], slug: str, count: int
    ) -> None:
        assert bot.get(f'/v1/diff/?repository={slug}').json()['count'] == count

    def test_case_48_of_its_own_repository(
        self, bot: Bot, revision: Revision, diffs: list[Diff]
    ) -> None:
        other = data.repository('autoland')
        data.stored_diff(revision, 'd', repository=other)

        assert bot.get('/v1/diff/?repository=autoland').json()['count'] == 1
        assert bot.get('/v1/diff/?repository=try').json()['count'] == 4

    @pytest.mark.parametrize(
        ('text', 'count'),
        [
            ('', 3),
            ('1001', 3),
            ('100', 3),
            ('42', 3),
            ('FIX THE', 3),
            ('fix  the', 0),
            ('%25', 0),
            ('_', 0),
            ('PHID-DIFF-b', 1),
            ('phid-diff', 3),
            ('x' * 300, 0),
            ('a%00b', 0),
            ('%5C', 0),
        ],
    )
    def test_search(self, bot: Bot, diffs: list[Diff], text: str, count: int) -> None:
        assert bot.get(f'/v1/diff/?search={text}').json()['count'] == count

    @pytest.mark.parametrize('text', ['fix', 'a', 'D1001', 'x' * 300])
    def test_a_text_that_many_have_is_found_as_one_that_few_have(
        self, guest: Bot, diffs: list[Diff], text: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        few = guest.get(f'/v1/diff/?search={text}').json()
        monkeypatch.setattr('services.codereview.diffs.MAX_NAMED', 0)

        assert guest.get(f'/v1/diff/?search={text}').json() == few

    def test_search_finds_wildcards_as_they_are(self, bot: Bot, revision: Revision) -> None:
        data.stored_diff(revision, 'a')
        Revision.objects.update(title=r'100% of a_b \ c')

        for text in ('100%25', 'a_b', '%5C', r'b%20%5C%20c'):
            assert bot.get(f'/v1/diff/?search={text}').json()['count'] == 1

    def test_filters_by_what_was_found(
        self, bot: Bot, revision: Revision, diffs: list[Diff]
    ) -> None:
        warning, error = data.stored_issue('1' * 32), data.stored_issue('2' * 32, level='error')
        data.link(warning, revision, diffs[0])
        data.link(warning, revision, diffs[1], in_patch=True)
        data.link(error, revision, diffs[1])
        data.link(error, revision, diffs[1], line=3)

        def found(query: str) -> list[tuple[int, ...]]:
            names = ('nb_issues', 'nb_issues_publishable', 'nb_warnings', 'nb_errors')
            results = bot.get(f'/v1/diff/{query}').json()['results']
            return [tuple(each[name] for name in names) for each in results]

        assert found('') == [(0, 0, 0, 0), (3, 3, 1, 2), (1, 0, 1, 0)]
        assert found('?issues=any') == [(3, 3, 1, 2), (1, 0, 1, 0)]
        assert found('?issues=publishable') == [(3, 3, 1, 2)]
        assert found('?issues=no') == [(0, 0, 0, 0)]
        assert len(found('?issues=other')) == len(found('?issues=')) == 3
        assert found('?issues=any&repository=try&search=fix') == found('?issues=any')

    def test_case_51_the_window(self, bot: Bot, revision: Revision, url: str) -> None:
        first = datetime.combine(timezone.now().date() - timedelta(days=90), time(), UTC)
        listed = data.stored_diff(revision, 'in', created=first)
        old = data.stored_diff(revision, 'out', created=first - timedelta(microseconds=1))

        page = bot.get('/v1/diff/').json()

        assert [each['id'] for each in page['results']] == [listed.pk]
        assert page['count'] == 1
        assert bot.get(url).json()['count'] == 2
        assert bot.get(f'/v1/diff/{old.pk}/').status_code == 200

    def test_moments_have_six_digits(self, bot: Bot, revision: Revision) -> None:
        moments = [
            timezone.now().replace(microsecond=0),
            timezone.now().replace(microsecond=120),
        ]
        for number, moment in enumerate(moments):
            data.stored_diff(revision, str(number), created=moment)

        shown = [each['created'] for each in bot.get('/v1/diff/').json()['results']]

        assert shown == [each.strftime('%Y-%m-%dT%H:%M:%S.%fZ') for each in moments[::-1]]

    def test_a_page_is_one_statement(self, bot: Bot, guest: Bot, diffs: list[Diff]) -> None:
        with statements(1):
            guest.get('/v1/diff/?issues=no')
        with statements(2):  # the keys that have the text
            guest.get('/v1/diff/?issues=no&search=fix')
        with statements(2):  # the repository's key
            guest.get('/v1/diff/?repository=try')
