"""What resources and counts tell of a diff equals the comparison of the contract (section 5)."""

from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from backstay.caller import GUEST
from backstay.resources import read_rows
from services.codereview.comparison import closed_places, compared, counted
from services.codereview.models import Diff, IssueLink
from services.codereview.resources import IssueOfDiffResource
from services.codereview.tests import data


@pytest.fixture
def diffs(db: None) -> list[Diff]:
    """Eight diffs of two revisions, some of the same moment, with random occurrences."""
    draw = Random(6)
    revisions = [data.stored_revision(), data.stored_revision(provider_id=2)]
    issues = [data.stored_issue(str(number)) for number in range(25)]
    made = []
    for number in range(8):
        created = timezone.now() + timedelta(hours=draw.randrange(3))
        made.append(data.stored_diff(revisions[number % 2], str(number), created=created))
    for line in range(90):
        diff = draw.choice([*made, None])
        revision = diff.revision if diff else draw.choice(revisions)
        data.link(draw.choice(issues), revision, diff, line=line)
    return made


def test_what_is_new_is_neither_unresolved_nor_known(diffs: list[Diff]) -> None:
    found = 0
    for diff in diffs:
        seen = [each.issue_id for mode in ('unresolved', 'known') for each in compared(diff, mode)]
        new = IssueLink.objects.filter(diff=diff).exclude(issue__in=seen)
        assert counted(diff).new == new.count()
        found += new.count()
    assert found > 3


@pytest.mark.parametrize('mode', ['unresolved', 'known'])
def test_a_place_is_marked_where_its_issue_is_compared(diffs: list[Diff], mode: str) -> None:
    found = 0
    for diff in diffs:
        filters = [{'field': 'diff_id', 'value': diff.pk}, {'field': mode, 'value': True}]
        rows = read_rows(IssueOfDiffResource, GUEST, filter=filters, mask='{id}').objects
        expected = {f'{{"id":"{each.issue_id}"}}'.encode() for each in compared(diff, mode)}
        assert {*rows} == expected
        assert len(rows) == getattr(counted(diff), mode)
        found += len(rows)
    assert found > 10


def test_a_closed_issue_is_shown_where_it_was_last(diffs: list[Diff]) -> None:
    found = 0
    for diff in diffs:
        places = [*closed_places(diff)]
        assert {each.issue_id for each in places} == {
            each.issue_id for each in compared(diff, 'closed')
        }
        for place in places:
            older = IssueLink.objects.filter(
                issue=place.issue, revision=diff.revision, diff__created__lt=diff.created
            )
            assert place == older.latest('pk')
        assert len(places) == counted(diff).closed
        found += len(places)
    assert found > 5


def test_what_has_no_diff_is_counted_for_its_revision(diffs: list[Diff]) -> None:
    for diff in diffs:
        own = IssueLink.objects.filter(revision=diff.revision, diff=None)
        assert counted(diff).undiffed == own.count() > 0
