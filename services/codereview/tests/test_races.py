"""Bots that publish at once, with connections of their own. SQLite lets one write at a time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections, transaction

from backstay.engine import engine_of
from services.codereview.api import snapshot
from services.codereview.checks import described, found_by
from services.codereview.management.commands import cleanup_issues
from services.codereview.models import Diff, Issue, IssueLink, Repository, Revision
from services.codereview.storing import store
from services.codereview.tasks import sum_tallies
from services.codereview.tests import data
from services.codereview.tests.data import Bot, issue
from services.codereview.tests.test_commands import ago
from services.codereview.tests.test_counting import assert_all_is_counted

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        engine_of(connection).name != 'postgresql', reason='a database in memory has one connection'
    ),
]


@pytest.fixture(autouse=True)
def _account(transactional_db: None) -> None:
    data.bot_account()
    Bot().get('/v1/')  # the password is hashed once


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What the calls give, which begin at the same moment, each on a connection of its own."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [each.result() for each in [pool.submit(run, call) for call in calls]]


def bulk(revision: Revision, order: int, count: int = 32) -> Callable[[], int]:
    """Publishes the same issues as others do, in an order of its own; `count` is a power of 2."""
    hashes = [f'h{(number * (2 * order + 1)) % count}' for number in range(count)]
    body = {
        'issues': [issue(hash_, path=f'p{order}', in_patch=True) for hash_ in hashes],
        'diff_provider_id': revision.diffs.get().provider_id,
    }
    return lambda: Bot().post(f'/v1/revision/{revision.pk}/issues/', body).status_code


def test_the_same_issues_are_published_by_many() -> None:
    """No link twice, no deadlock, and every count is right: at first all issues are new."""
    for turn in range(3):
        revisions = [data.stored_revision(provider_id=3 * turn + each + 1) for each in range(3)]
        for revision in revisions:
            data.stored_diff(revision, str(revision.pk))
        statuses = at_once(*(bulk(revisions[order % 3], order, 256) for order in range(9)))
        assert statuses == [201] * 9

    assert Issue.objects.count() == 256
    assert IssueLink.objects.count() == 9 * 256
    assert_all_is_counted()


def test_places_of_known_issues_are_stored_in_one_order() -> None:
    """A writer with another order would wait for this one, and this one for it."""
    revision = data.stored_revision()
    elements = [issue(f'h{number}') for number in range(2_000)]
    meet = Barrier(2, timeout=10)

    def wait_for_the_other(execute: Any, sql: str, *others: Any) -> Any:
        if sql.startswith('INSERT INTO codereview_issuelink'):
            meet.wait()
        return execute(sql, *others)

    def publish(sent: list[dict[str, Any]]) -> Callable[[], Any]:
        def run() -> Any:
            with connection.execute_wrapper(wait_for_the_other), transaction.atomic():
                return store(revision.pk, None, sent)

        return run

    with transaction.atomic():
        store(revision.pk, None, elements)
    again = [{**each, 'line': 11} for each in elements]
    at_once(publish(again), publish(again[::-1]))

    assert IssueLink.objects.count() == 4_000


def test_tallies_are_summed_up_by_several_at_once() -> None:
    revision = data.stored_revision()
    for number in range(150):
        data.link(data.stored_issue(str(number), analyzer=f'a{number % 3}'), revision)

    gone = at_once(*(sum_tallies.call for _ in range(4)))

    assert sum(gone) > 0
    assert_all_is_counted()


def test_old_revisions_are_deleted_while_others_publish() -> None:
    young = data.stored_revision()
    data.stored_diff(young)
    for round_ in range(4):
        old = data.stored_revision(provider_id=round_ + 2, created=ago(60))
        data.stored_diff(old, f'old{round_}')
        assert bulk(old, 0)() == 201

        *statuses, _, _ = at_once(
            *(bulk(young, order) for order in range(3)),
            lambda: cleanup_issues.Command().handle(nb_days=30, link_less=True),
            lambda: sum_tallies.call(),
        )
        assert statuses == [201] * 3
    assert list(Revision.objects.all()) == [young]
    assert IssueLink.objects.count() == Issue.objects.count() == 32
    assert_all_is_counted()


def test_a_revision_is_created_once() -> None:
    body = data.revision_body(head_repository='https://github.com/a/b')

    answers = at_once(*(lambda: Bot().post('/v1/revision/', body) for _ in range(6)))

    assert sorted(each.status_code for each in answers) == [200] * 5 + [201]
    assert len({each.content for each in answers}) == 1
    assert Revision.objects.count() == 1
    assert Repository.objects.filter(slug='a_b').count() == 1


@pytest.fixture(autouse=True)
def _known(transactional_db: None) -> None:
    data.repository('mozilla-central')


def test_a_slug_is_taken_once() -> None:
    urls = ['https://github.com/a/b', 'http://github.com/a/b', 'https://hg.mozilla.org/a/b']
    bodies = [
        data.revision_body(provider_id=number + 1, head_repository=url)
        for number, url in enumerate(urls * 2)
    ]

    answers = at_once(*(lambda body=body: Bot().post('/v1/revision/', body) for body in bodies))

    statuses = [each.status_code for each in answers]
    assert set(statuses) == {201}
    slugs = Repository.objects.filter(url__in=urls).values_list('slug', flat=True)
    assert sorted(slugs) == ['a_b', 'a_b-2', 'a_b-3']
    assert Revision.objects.count() == len(bodies)


def test_a_diff_is_created_once() -> None:
    url = f'/v1/revision/{data.stored_revision().pk}/diffs/'

    answers = at_once(*(lambda: Bot().post(url, data.diff_body()) for _ in range(6)))

    assert sorted(each.status_code for each in answers) == [201] + [400] * 5
    refused = [each.json() for each in answers if each.status_code == 400]
    assert all(set(each) <= {'provider_id', 'review_task_id'} for each in refused)
    assert Diff.objects.count() == 1


def test_an_id_is_used_once() -> None:
    key = '12345678-1234-4234-8234-123456789012'
    url = f'/v1/revision/{data.stored_revision().pk}/issues/'
    bodies = [{'issues': [issue(f'h{number}', id=key)]} for number in range(5)]

    answers = at_once(*(lambda body=body: Bot().post(url, body) for body in bodies))

    assert sorted(each.status_code for each in answers) == [201] + [400] * 4
    assert Issue.objects.count() == 1


def test_check_details_are_of_one_moment() -> None:
    revision = data.stored_revision()
    diff = data.stored_diff(revision)
    data.link(data.stored_issue('1'), revision, diff, in_patch=True)

    with snapshot():
        found = found_by('try', 'mozlint', 'E501', 'true', None)
        at_once(lambda: Revision.objects.all().delete())
        (issue,) = described(found, slice(0, 50))

    assert (found.number, [each['id'] for each in issue['diffs']]) == (1, [diff.pk])
    assert found_by('try', 'mozlint', 'E501', 'true', None).number == 0
