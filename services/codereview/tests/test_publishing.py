"""Bulk creation (cases 53 to 72)."""

import json
from typing import Any
from uuid import RFC_4122, UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from services.codereview.models import Diff, Issue, IssueLink, Revision
from services.codereview.tests import data
from services.codereview.tests.data import Bot, issue


@pytest.fixture
def revision(db: None) -> Revision:
    return data.stored_revision()


@pytest.fixture
def url(revision: Revision) -> str:
    return f'/v1/revision/{revision.pk}/issues/'


def publish(bot: Bot, url: str, *issues: Any, **body: Any) -> list[dict[str, Any]]:
    """What the API answers for each issue."""
    response = bot.post(url, {'issues': issues, **body})
    assert response.status_code == 201, response.content
    answer = response.json()
    assert list(answer) == ['diff_provider_id', 'issues']
    assert answer['diff_provider_id'] == (body.get('diff_provider_id') or None)
    found: list[dict[str, Any]] = answer['issues']
    assert len(found) == len(issues)
    return found


def faults(bot: Bot, url: str, body: Any) -> Any:
    """What is said to be wrong; nothing is stored."""
    before = (Issue.objects.count(), IssueLink.objects.count())
    response = bot.post(url, json.dumps(body))
    assert response.status_code == 400, response.content
    assert (Issue.objects.count(), IssueLink.objects.count()) == before
    return response.json()


def test_case_53_who_and_where(bot: Bot, guest: Bot, url: str) -> None:
    assert guest.post(url, {'issues': []}).status_code == 403
    for method in ('GET', 'PUT', 'PATCH', 'DELETE'):
        assert bot.call(method, url).status_code == 405
    for number in ('99999', '9' * 40):
        response = bot.post(f'/v1/revision/{number}/issues/', {})
        assert response.status_code == 404
        assert response.json() == {'detail': 'No Revision matches the given query.'}


def test_case_53_zeros_may_lead(bot: Bot, revision: Revision) -> None:
    assert bot.post(f'/v1/revision/00{revision.pk}/issues/', {'issues': []}).status_code == 201


def test_case_54_bodies(bot: Bot, url: str) -> None:
    assert faults(bot, url, {}) == {'issues': ['This field is required.']}
    assert faults(bot, url, {'issues': None}) == {'issues': ['This field may not be null.']}
    assert list(faults(bot, url, {'issues': {}})['issues']) == ['non_field_errors']
    assert list(faults(bot, url, {'issues': 'x'})['issues']) == ['non_field_errors']
    assert list(faults(bot, url, [])) == ['non_field_errors']
    assert list(faults(bot, url, 5)) == ['non_field_errors']
    assert publish(bot, url) == []


def test_case_55_as_the_bot_sends_it(bot: Bot, url: str) -> None:
    (answer,) = publish(bot, url, data.bot_issue('1' * 32))

    assert list(answer.items()) == [
        ('id', str(Issue.objects.get().pk)),
        ('hash', '1' * 32),
        ('analyzer', 'mozlint'),
        ('path', 'a/b.py'),
        ('level', 'warning'),
        ('check', 'E501'),
        ('message', 'msg'),
        ('publishable', True),
        ('in_patch', True),
        ('new_for_revision', None),
        ('line', 10),
        ('nb_lines', 1),
        ('char', None),
    ]


@pytest.mark.parametrize(
    ('level', 'in_patch', 'publishable'),
    [
        ('warning', None, False),
        ('warning', False, False),
        ('warning', True, True),
        ('error', None, True),
        ('error', False, True),
    ],
)
def test_case_55_publishable(
    bot: Bot, url: str, level: str, in_patch: bool | None, publishable: bool
) -> None:
    (answer,) = publish(bot, url, issue('1' * 32, level=level, in_patch=in_patch))

    assert answer['publishable'] is publishable


def test_case_56_the_least(bot: Bot, url: str, revision: Revision) -> None:
    least = {'analyzer': 'mozlint', 'path': 'a', 'level': 'error'}

    answers = publish(bot, url, {**least, 'hash': '1'}, {**least, 'hash': '2', 'line': None})

    for answer in answers:
        for name in (
            'check',
            'message',
            'in_patch',
            'new_for_revision',
            'line',
            'nb_lines',
            'char',
        ):
            assert answer[name] is None
    links: list[Any] = list(IssueLink.objects.values_list('revision', 'diff', 'new_for_revision'))
    assert links == [(revision.pk, None, None)] * 2


class TestDiff:
    @pytest.fixture
    def diff(self, revision: Revision) -> Diff:
        return data.stored_diff(revision)

    def test_case_57_issues_of_a_diff(self, bot: Bot, url: str, diff: Diff) -> None:
        answers = publish(
            bot, url, issue('1' * 32, new_for_revision=True), diff_provider_id='PHID-DIFF-aaa'
        )

        assert IssueLink.objects.get().diff == diff
        listed = bot.get('/v1/diff/PHID-DIFF-aaa/issues/').json()['results']
        assert listed == answers
        assert listed[0]['new_for_revision'] is True

    @pytest.mark.parametrize('name', [None, ''])
    def test_no_diff(self, bot: Bot, url: str, diff: Diff, name: str | None) -> None:
        publish(bot, url, issue('1' * 32), diff_provider_id=name)

        assert IssueLink.objects.get().diff is None

    @pytest.mark.parametrize('name', ['PHID-DIFF-bbb', 'x' * 40, 5])
    def test_a_diff_of_nothing(self, bot: Bot, url: str, diff: Diff, name: Any) -> None:
        body = {'diff_provider_id': name, 'issues': [issue('1' * 32)]}

        assert faults(bot, url, body) == {
            'diff_provider_id': [f'Object with provider_id={name} does not exist.']
        }

    @pytest.mark.parametrize('name', [[], {}, True, False, 'a\x00b', 'x' * 41])
    def test_no_id_of_a_diff(self, bot: Bot, url: str, name: Any) -> None:
        body = {'diff_provider_id': name, 'issues': [issue('1' * 32)]}

        assert list(faults(bot, url, body)) == ['diff_provider_id']

    def test_a_diff_of_another_revision(self, bot: Bot, url: str) -> None:
        data.stored_diff(data.stored_revision(provider_id=2))

        body = {'diff_provider_id': 'PHID-DIFF-aaa', 'issues': [issue('1' * 32)]}
        assert list(faults(bot, url, body)) == ['diff_provider_id']

    def test_issues_may_be_attached_to_the_newest_diff(
        self, bot: Bot, url: str, diff: Diff, settings: Any
    ) -> None:
        newest = data.stored_diff(diff.revision, 'bbb')
        settings.CODEREVIEW_ATTACH_TO_NEWEST_DIFF = True

        publish(bot, url, issue('1' * 32))

        assert IssueLink.objects.get().diff == newest


def test_case_59_one_wrong_element_refuses_all(bot: Bot, url: str) -> None:
    required = ['This field is required.']

    assert faults(bot, url, {'issues': [issue('ok'), {}]}) == {
        'issues': [{}, dict.fromkeys(('hash', 'analyzer', 'path', 'level'), required)]
    }


WRONG: list[Any] = [None, '', ' ', []]


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('hash', 'x' * 33),
        ('level', 'info'),
        ('analyzer', 'x' * 51),
        ('path', 'x' * 251),
        ('in_patch', 'maybe'),
        ('nb_lines', 'a'),
        ('line', -1),
        ('line', 2**31),
        ('line', 10**30),
        ('nb_lines', -1),
        ('char', -1),
        ('char', 1.5),
        ('line', True),
        ('check', 'x' * 251),
        ('new_for_revision', []),
        ('id', 'zz'),
        ('id', None),
        *((name, value) for name in ('hash', 'analyzer', 'path') for value in WRONG),
        *((name, 'a\x00b') for name in ('hash', 'analyzer', 'path', 'check', 'message')),
        *((name, 'a\ud800') for name in ('hash', 'analyzer', 'path', 'check', 'message')),
        ('level', None),
        ('message', {}),
    ],
)
def test_case_60_and_68_values_that_are_refused(bot: Bot, url: str, name: str, value: Any) -> None:
    found = faults(bot, url, {'issues': [issue('ok'), {**issue('other'), name: value}]})

    assert [list(each) for each in found['issues']] == [[], [name]]


@pytest.mark.parametrize('element', [5, 'x', []])
def test_elements_that_are_no_object(bot: Bot, url: str, element: Any) -> None:
    found = faults(bot, url, {'issues': [issue('ok'), element]})

    assert list(found['issues'][1]) == ['non_field_errors']


def test_case_61_the_same_twice(bot: Bot, url: str) -> None:
    first, second = publish(bot, url, issue('1' * 32), issue('1' * 32))

    assert first == second
    assert (Issue.objects.count(), IssueLink.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    'place', [{}, {'line': None}, {'line': None, 'nb_lines': None}, {'char': 3}, {'in_patch': None}]
)
def test_case_63_again_is_as_once(bot: Bot, url: str, place: dict[str, Any]) -> None:
    first = publish(bot, url, issue('1' * 32, **place), issue('2' * 32, **place))

    assert publish(bot, url, issue('1' * 32, **place), issue('2' * 32, **place)) == first
    assert (Issue.objects.count(), IssueLink.objects.count()) == (2, 2)


def test_five_places_of_one_issue(bot: Bot, url: str) -> None:
    places: list[dict[str, Any]] = [
        {'in_patch': True},
        {'in_patch': None},
        {'new_for_revision': True},
        {'line': 11},
        {'nb_lines': 2},
    ]

    answers = publish(bot, url, *(issue('1' * 32, **place) for place in places))

    assert len({each['id'] for each in answers}) == 1
    assert IssueLink.objects.count() == 5


def test_case_66_the_first_writer_wins(bot: Bot, url: str) -> None:
    first, second = publish(
        bot,
        url,
        issue('1' * 32, path='first', line=1),
        issue('1' * 32, path='second', line=2, level='error'),
    )

    assert first['path'] == second['path'] == 'first'
    assert first['publishable'] is second['publishable'] is False
    assert (first['line'], second['line']) == (1, 2)
    assert Issue.objects.get().path == 'first'
    assert IssueLink.objects.count() == 2

    (again,) = publish(bot, url, issue('1' * 32, path='third', check='other', message='other'))
    assert (again['path'], again['check'], again['message']) == ('first', 'E501', 'msg')


def test_answers_come_in_the_order_sent(bot: Bot, url: str) -> None:
    sent = [issue(hash_, line=line) for line, hash_ in enumerate('bacabca')]

    answers = publish(bot, url, *sent)

    assert [(each['hash'], each['line']) for each in answers] == [
        (each['hash'], each['line']) for each in sent
    ]


def test_case_68_line_0_is_a_line(bot: Bot, url: str) -> None:
    assert publish(bot, url, issue('1', line=0))[0]['line'] == 0


@pytest.mark.parametrize('char', [3, 0, None])
def test_case_69_char(bot: Bot, url: str, revision: Revision, char: int | None) -> None:
    data.stored_diff(revision)

    (answer,) = publish(bot, url, issue('1', char=char), diff_provider_id='PHID-DIFF-aaa')

    assert answer['char'] == char
    assert bot.get('/v1/diff/PHID-DIFF-aaa/issues/').json()['results'][0]['char'] == char


class TestIds:
    def test_case_70_a_client_may_choose_it(self, bot: Bot, url: str) -> None:
        key = str(uuid4())

        (answer,) = publish(bot, url, issue('1', id=key))
        assert answer['id'] == key
        assert Issue.objects.get().pk == UUID(key)

        again = faults(bot, url, {'issues': [issue('2'), issue('3', id=key)]})
        assert again == {'issues': [{}, {'id': ['issue with this id already exists.']}]}

    def test_those_that_are_made_count_on_from_the_moment(self, bot: Bot, url: str) -> None:
        answers = publish(bot, url, *(issue(hash_) for hash_ in 'bca'))

        ids = [UUID(each['id']) for each in answers]
        assert ids == sorted(set(ids))
        assert [(each.version, each.variant) for each in ids] == [(7, RFC_4122)] * 3
        first = Issue.objects.get(pk=ids[0])
        assert ids[0].int >> 80 == int(first.created.timestamp() * 1000)

    def test_one_id_is_that_of_one_issue(self, bot: Bot, url: str) -> None:
        key = str(uuid4())
        found = faults(bot, url, {'issues': [issue('1', id=key), issue('2', id=key)]})
        assert found == {'issues': [{}, {'id': ['issue with this id already exists.']}]}

        answers = publish(bot, url, issue('1', id=key), issue('1', id=key, line=3))
        assert [each['id'] for each in answers] == [key, key]

    def test_a_known_issue_keeps_its_id(self, bot: Bot, url: str) -> None:
        (first,) = publish(bot, url, issue('1'))

        assert publish(bot, url, issue('1', id=str(uuid4())))[0]['id'] == first['id']


class TestLenience:
    def test_texts_are_trimmed(self, bot: Bot, url: str) -> None:
        (answer,) = publish(
            bot, url, issue(' 1 ', message=' a b\n', path='\tp ', check='\u2003c', analyzer=' x')
        )

        assert (answer['hash'], answer['message'], answer['path']) == ('1', 'a b', 'p')
        assert (answer['check'], answer['analyzer']) == ('c', 'x')

    @pytest.mark.parametrize('name', ['check', 'message'])
    @pytest.mark.parametrize('value', [None, '', '  '])
    def test_an_empty_text_is_none(self, bot: Bot, url: str, name: str, value: Any) -> None:
        assert publish(bot, url, issue('1', **{name: value}))[0][name] is None

    def test_values_may_be_text(self, bot: Bot, url: str) -> None:
        (answer,) = publish(bot, url, issue(7, line='12', in_patch='true'))  # type: ignore[arg-type]

        assert (answer['hash'], answer['line'], answer['in_patch']) == ('7', 12, True)

    def test_other_scripts_stay_as_they_are(self, bot: Bot, url: str) -> None:
        text = 'é\u2028"\\\'😀 %s {} \x01'
        (answer,) = publish(bot, url, issue('1', message=text, path=text.strip()))

        assert answer['message'] == answer['path'] == text
        assert Issue.objects.get().message == text


def test_case_72_a_hundred_in_as_many_statements_as_one(bot: Bot, url: str) -> None:
    def statements(count: int, prefix: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            publish(bot, url, *(issue(f'{prefix}{number}') for number in range(count)))
        return len(queries)

    publish(bot, url)  # signs in

    assert statements(100, 'a') == statements(1, 'b') == statements(1000, 'c')
    assert Issue.objects.count() == IssueLink.objects.count() == 1101
