"""What triggers count, compared with plain counts after every kind of change."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from services.codereview.checks import history, statistics
from services.codereview.models import Diff, Issue, IssueLink, Repository, Revision, Sighting, Tally
from services.codereview.tasks import sum_tallies
from services.codereview.tests import data


def counted_statistics(since: Any) -> dict[Any, tuple[int, int]]:
    """Distinct issues by head repository, analyzer and check, one by one."""
    total: dict[Any, set[Any]] = {}
    publishable: dict[Any, set[Any]] = {}
    for link in IssueLink.objects.select_related('issue', 'revision__head_repository'):
        if link.revision.created.date() < since:
            continue
        issue = link.issue
        key = (link.revision.head_repository.slug, issue.analyzer, issue.analyzer_check)
        total.setdefault(key, set()).add(issue.pk)
        if link.in_patch or issue.level == 'error':
            publishable.setdefault(key, set()).add(issue.pk)
    return {key: (len(total[key]), len(publishable.get(key, ()))) for key in total}


def counted_history(repository: str) -> dict[Any, int]:
    """Issues by the day on which they were first stored, one by one."""
    issues = Issue.objects.all()
    if repository:
        base = Issue.objects.filter(links__revision__base_repository__slug=repository)
        head = Issue.objects.filter(links__revision__head_repository__slug=repository)
        issues = (base | head).distinct()
    return dict(Counter(issue.created.date() for issue in issues))


def counted_links(diff: Diff) -> tuple[int, ...]:
    """The counters of a diff, one by one."""
    links = list(diff.links.select_related('issue'))
    errors = sum(link.issue.level == 'error' for link in links)
    publishable = sum(bool(link.in_patch) or link.issue.level == 'error' for link in links)
    return len(links), publishable, len(links) - errors, errors


def assert_all_is_counted() -> None:
    for days in (0, 3, 6, 400):
        since = (timezone.now() - timedelta(days=days)).date()
        found = {tuple(row.values())[:3]: tuple(row.values())[3:] for row in statistics(since)}
        assert found == counted_statistics(since)
    for slug in ('', *Repository.objects.values_list('slug', flat=True)):
        assert dict(history({'repository': slug}, None)) == counted_history(slug)
    for diff in Diff.objects.select_related('revision'):
        counters = (
            diff.nb_issues,
            diff.nb_issues_publishable,
            diff.nb_warnings,
            diff.nb_errors,
        )
        assert counters == counted_links(diff)
        assert diff.base_repository_id == diff.revision.base_repository_id
        assert diff.head_repository_id == diff.revision.head_repository_id


class Life:
    """Random changes of every kind, by the ways that the service and its admin have."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 0
        for slug in 'abc':
            data.repository(slug)

    def any(self, model: Any) -> Any:
        rows = list(model.objects.order_by('pk'))
        return self.random.choice(rows) if rows else None

    def moment(self) -> Any:
        return timezone.now() - timedelta(days=self.random.randrange(8))

    def add_revision(self) -> None:
        self.number += 1
        Revision.objects.create(
            provider_id=self.number,
            title='t',
            base_repository=self.any(Repository),
            head_repository=self.any(Repository),
            created=self.moment(),
        )

    def add_diff(self) -> None:
        self.number += 1
        if revision := self.any(Revision):
            data.stored_diff(revision, str(self.number))

    def add_issues(self) -> None:
        for _ in range(3):
            self.number += 1
            data.stored_issue(
                str(self.number),
                level=self.random.choice(['warning', 'error']),
                analyzer=self.random.choice('xy'),
                analyzer_check=self.random.choice(['1', '2', None]),
                created=self.moment(),
            )

    def add_links(self) -> None:
        links = []
        for _ in range(6):
            issue, revision = self.any(Issue), self.any(Revision)
            if issue and revision:
                diffs = [None, *revision.diffs.order_by('pk')]
                link = IssueLink(
                    issue=issue,
                    revision=revision,
                    diff=self.random.choice(diffs),
                    in_patch=self.random.choice([True, False, None]),
                    line=self.random.randrange(3),
                )
                links.append(link)
        IssueLink.objects.bulk_create(links, ignore_conflicts=True)

    def change_link(self) -> None:
        if link := self.any(IssueLink):
            self.number += 1
            IssueLink.objects.filter(pk=link.pk).update(in_patch=True, nb_lines=self.number)

    def change_issue(self) -> None:
        if issue := self.any(Issue):
            issue.level = self.random.choice(['warning', 'error'])
            issue.analyzer_check = self.random.choice(['1', None])
            issue.created = self.moment()
            issue.save()

    def change_revision(self) -> None:
        if revision := self.any(Revision):
            revision.created = self.moment()
            revision.head_repository = self.any(Repository)
            revision.base_repository = self.any(Repository)
            revision.save()

    def delete_links(self) -> None:
        if revision := self.any(Revision):
            revision.links.filter(line=1).delete()

    def delete_issue(self) -> None:
        if issue := self.any(Issue):
            issue.delete()

    def delete_diff(self) -> None:
        if diff := self.any(Diff):
            diff.delete()

    def delete_revision(self) -> None:
        if self.random.random() < 0.3 and (revision := self.any(Revision)):
            revision.delete()

    def sum_up(self) -> None:
        sum_tallies.call()


ACTIONS = [name for name in vars(Life) if name.split('_')[0] in ('add', 'change', 'delete', 'sum')]


@pytest.mark.django_db
@pytest.mark.parametrize('seed', [1, 2, 3])
def test_counts_are_right_after_whatever_happens(seed: int) -> None:
    life = Life(seed)
    for step in range(60):
        getattr(life, life.random.choice([*ACTIONS, 'add_links', 'add_links', 'add_issues']))()
        if step % 5 == 4:
            assert_all_is_counted()
    assert IssueLink.objects.count() > 5
    assert len(counted_statistics(timezone.now().date() - timedelta(days=400))) > 2


@pytest.mark.django_db
def test_nothing_is_left_of_a_repository_that_goes() -> None:
    revision = data.stored_revision()
    data.link(data.stored_issue('1'), revision)

    Repository.objects.all().delete()

    assert Sighting.objects.count() == 0
    assert_all_is_counted()


@pytest.mark.django_db
def test_tallies_are_summed_up_without_changing_a_count() -> None:
    revision = data.stored_revision()
    for number in range(10):
        data.link(data.stored_issue(str(number)), revision)
    before = list(statistics(timezone.now().date()))
    entries = Tally.objects.count()

    sum_tallies.call()

    assert list(statistics(timezone.now().date())) == before
    assert Tally.objects.count() == 3 < entries  # everywhere, in the head, in the base
    assert_all_is_counted()

    Issue.objects.all().delete()
    sum_tallies.call()
    assert Tally.objects.count() == 0
