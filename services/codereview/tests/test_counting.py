"""What triggers count, compared with plain counts after every kind of change."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from services.codereview.checks import distinct_statistics, found_by, history, statistics
from services.codereview.models import (
    Diff,
    DiffText,
    Issue,
    IssueLink,
    Repository,
    Revision,
    Sighting,
    Tally,
)
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


def counted_distinct(since: Any) -> dict[Any, tuple[int, int]]:
    """The same by analyzer and check, in whatever repository, one by one."""
    found: dict[Any, dict[Any, bool]] = {}
    for link in IssueLink.objects.select_related('issue', 'revision'):
        if link.revision.created.date() >= since:
            issue = link.issue
            seen = found.setdefault((issue.analyzer, issue.analyzer_check), {})
            can_be = bool(link.in_patch) or issue.level == 'error'
            seen[issue.pk] = seen.get(issue.pk, False) or can_be
    return {key: (len(seen), sum(seen.values())) for key, seen in found.items()}


def counted_history(repository: str) -> dict[Any, int]:
    """Issues by the day on which they were first stored, one by one."""
    issues = Issue.objects.all()
    if repository:
        base = Issue.objects.filter(links__revision__base_repository__slug=repository)
        head = Issue.objects.filter(links__revision__head_repository__slug=repository)
        issues = (base | head).distinct()
    return dict(Counter(issue.created.date() for issue in issues))


def counted_links(rows: Any) -> tuple[int, ...]:
    """The counters of a diff or revision, one by one, of its links."""
    links = list(rows.select_related('issue'))
    errors = sum(link.issue.level == 'error' for link in links)
    publishable = sum(bool(link.in_patch) or link.issue.level == 'error' for link in links)
    return len(links), publishable, len(links) - errors, errors


def assert_all_is_counted() -> None:
    for days in (0, 3, 6, 400):
        since = (timezone.now() - timedelta(days=days)).date()
        found = {tuple(row.values())[:3]: tuple(row.values())[3:] for row in statistics(since)}
        assert found == counted_statistics(since)
        assert distinct_statistics(since) == counted_distinct(since)
    for slug in ('', *Repository.objects.values_list('slug', flat=True)):
        assert dict(history({'repository': slug}, None)) == counted_history(slug)
    for diff in Diff.objects.select_related('revision'):
        assert counters_of(diff) == counted_links(diff.links)
        assert diff.base_repository_id == diff.revision.base_repository_id
        assert diff.head_repository_id == diff.revision.head_repository_id
        name = f'D{diff.revision.provider_id}'
        text = [diff.pk, diff.provider_id, name, diff.revision.bugzilla_id, diff.revision.title]
        assert diff.searched.text.split('\n') == [str(each) for each in text if each is not None]
    assert DiffText.objects.count() == Diff.objects.count()
    for revision in Revision.objects.all():
        assert counters_of(revision) == counted_links(revision.links.filter(diff=None))
    assert_checks_are_listed()


def counters_of(row: Diff | Revision) -> tuple[int, ...]:
    return row.nb_issues, row.nb_issues_publishable, row.nb_warnings, row.nb_errors


def assert_checks_are_listed() -> None:
    """Check details have the issues that plain questions find, in order, and count them."""
    since = (timezone.now() - timedelta(days=3)).date()
    for slug in Repository.objects.values_list('slug', flat=True):
        seen = Issue.objects.filter(
            analyzer='x', analyzer_check='1', links__revision__head_repository__slug=slug
        )
        for choice in ('true', 'false', 'all'):
            for day in (None, since):
                found = found_by(slug, 'x', '1', choice, day)
                listed = list(found.sightings.values_list('issue', 'last_link'))
                issues = [
                    (issue.pk, max(link.pk for link in links if in_head(link, slug)))
                    for issue in seen.distinct().prefetch_related(
                        'links__revision__head_repository'
                    )
                    if day is None or issue.created.date() >= day
                    for links in [issue.links.all()]
                    if choice in ('all', str(is_publishable(issue, links)).lower())
                ]
                assert sorted(listed) == sorted(issues)
                assert found.number == len(issues)


def in_head(link: IssueLink, slug: str) -> bool:
    return link.revision.head_repository.slug == slug


def is_publishable(issue: Issue, links: Iterable[IssueLink]) -> bool:
    return issue.level == 'error' or any(link.in_patch for link in links)


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
    # Everywhere, in the head, in the base.
    assert Tally.objects.filter(is_sum=True).count() == Tally.objects.count() == 3 < entries
    assert_all_is_counted()

    Issue.objects.all().delete()
    sum_tallies.call()
    assert Tally.objects.count() == 0
