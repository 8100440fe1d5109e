"""Inactivity: cases C86 to C90 of the contract. All times are counted back from one noon."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstay.contributing import Config, decide
from backstay.contributing.commands import SetStatus, Unassign
from backstay.contributing.events import IssueSwept
from backstay.contributing.inactivity import Pause, idle_time
from backstay.contributing.snapshot import Labelling, Snapshot, Status
from tests.contributing.making import (
    BOB,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    act,
    assigned,
    issue,
    names,
    pull,
    said,
    templates,
)

LONG = 30 * DAY


def swept(now=NOW, **facts):
    given = {'assignments': assigned('alice', at=NOW - LONG), 'status': Status.IN_PROGRESS}
    return decide(IssueSwept(number=7), Snapshot(issue=issue(**{**given, **facts})), Config(), now)


def warning(start, at):
    return said(f'idle:alice:{int(start.timestamp())}', at=at)


def test_c86_warns_once_after_fourteen_days() -> None:
    since = assigned('alice', at=NOW - 14 * DAY)

    assert names(swept(now=NOW - MINUTE, assignments=since)) == ['Noop']
    assert templates(swept(now=NOW + MINUTE, assignments=since)) == ['idle-warning']
    told = (warning(NOW - 14 * DAY, NOW + MINUTE),)
    assert names(swept(now=NOW + 2 * HOUR, assignments=since, said=told)) == ['Noop']


def test_c87_a_late_run_still_warns_and_removal_waits_seven_days_from_then() -> None:
    since = assigned('alice', at=NOW - 15 * DAY - 6 * HOUR)
    assert templates(swept(assignments=since)) == ['idle-warning']
    told = (warning(since[0].at, NOW),)

    assert names(swept(now=NOW + 7 * DAY - MINUTE, assignments=since, said=told)) == ['Noop']
    commands = swept(now=NOW + 7 * DAY + MINUTE, assignments=since, said=told)

    assert templates(commands) == ['idle-removed']
    assert Unassign(issue=7, login='alice') in commands
    assert SetStatus(issue=7, status=Status.TO_DO) in commands


def test_nobody_is_removed_without_a_warning_however_long_it_took() -> None:
    assert names(swept(assignments=assigned('alice', at=NOW - 300 * DAY))) == ['Comment']


def test_a_comment_after_the_warning_starts_anew() -> None:
    told = (warning(NOW - LONG, NOW - 10 * DAY),)
    comments = (act('alice', NOW - 9 * DAY), act('bob', NOW - DAY))

    assert names(swept(said=told, acts=comments)) == ['Noop']
    later = swept(now=NOW + 6 * DAY, said=told, acts=comments)
    assert templates(later) == ['idle-warning']


def test_comments_of_others_do_not_count() -> None:
    assert templates(swept(acts=(act('bob', NOW - HOUR),))) == ['idle-warning']


def test_who_is_one_of_several_goes_alone() -> None:
    both = assigned('alice', at=NOW - LONG) + assigned('bob', at=NOW - DAY)
    told = (warning(NOW - LONG, NOW - 8 * DAY),)

    commands = swept(assignments=both, said=told)

    assert names(commands) == ['Comment', 'Unassign']


def test_a_farewell_is_not_repeated_when_the_removal_failed() -> None:
    told = warning(NOW - LONG, NOW - 8 * DAY)
    gone = said(f'{told.key}:removed', at=NOW - DAY)

    assert names(swept(said=(told, gone))) == ['Unassign', 'SetStatus']


@pytest.mark.parametrize('what', ['push', 'review reply'])
def test_c89_work_on_the_pull_request_counts(what: str) -> None:
    own = pull(draft=True, acts=(act('alice', NOW - DAY),))

    assert names(swept(pulls=(own,))) == ['Noop']


def test_c89_work_on_the_pull_request_of_somebody_else_does_not() -> None:
    other = pull(author=BOB, draft=True, acts=(act('alice', NOW - DAY),))

    assert templates(swept(pulls=(other,))) == ['idle-warning']


def test_c90_the_clock_stands_still_while_a_review_is_awaited() -> None:
    waiting = pull(ready_at=NOW - 25 * DAY, acts=(act('alice', NOW - 25 * DAY),))

    assert names(swept(pulls=(waiting,))) == ['Noop']


def test_c90_it_goes_on_when_the_review_has_come() -> None:
    reviews = (act('alice', NOW - 24 * DAY), act('carol', NOW - 20 * DAY))
    reviewed = pull(ready_at=NOW - 25 * DAY, acts=(act('alice', NOW - 25 * DAY),), reviews=reviews)

    assert templates(swept(pulls=(reviewed,))) == ['idle-warning']
    assert names(swept(now=NOW - 7 * DAY, pulls=(reviewed,))) == ['Noop']


def test_c90_a_draft_waits_for_nobody() -> None:
    assert templates(swept(pulls=(pull(ready_at=NOW - 25 * DAY, draft=True),))) == ['idle-warning']


def test_c90_the_clock_stands_still_while_the_issue_is_blocked() -> None:
    blocked = Labelling(name='blocked: outside', since=NOW - 29 * DAY)
    for_a_while = Labelling(name='blocked: outside', since=NOW - 29 * DAY, until=NOW - 15 * DAY)
    too_short = Labelling(name='blocked: outside', since=NOW - 29 * DAY, until=NOW - 16 * DAY)

    assert names(swept(labellings=(blocked,))) == ['Noop']
    assert names(swept(now=NOW - 2 * DAY, labellings=(for_a_while,))) == ['Noop']
    assert templates(swept(labellings=(too_short,))) == ['idle-warning']


def test_c90_the_time_after_the_warning_stands_still_too() -> None:
    told = (warning(NOW - LONG, NOW - 8 * DAY),)
    blocked = Labelling(name='blocked: inside', since=NOW - 7 * DAY, until=NOW - 2 * DAY)

    assert names(swept(said=told, labellings=(blocked,))) == ['Noop']


@pytest.mark.parametrize('status', [Status.READY_FOR_REVIEW, Status.IN_REVIEW])
def test_c90_the_clock_stands_still_in_the_columns_of_reviewing(status: Status) -> None:
    assert names(swept(status=status, status_since=NOW - 29 * DAY)) == ['Noop']


def test_it_starts_anew_when_the_issue_comes_back_from_review() -> None:
    assert names(swept(status_since=NOW - 13 * DAY)) == ['Noop']


def test_a_commit_from_the_future_does_not_stop_the_clock() -> None:
    ahead = pull(draft=True, acts=(act('alice', NOW + 300 * DAY),))

    assert templates(swept(pulls=(ahead,))) == ['idle-warning']


def test_an_issue_that_is_to_be_left_alone_is() -> None:
    assert names(swept(labels=(':robot:',))) == ['Noop']


spans = st.tuples(st.integers(-50, 400), st.integers(0, 200)).map(
    lambda span: Pause(since=NOW + span[0] * HOUR, until=NOW + (span[0] + span[1]) * HOUR)
)


@given(st.lists(spans, max_size=6), st.integers(0, 300))
def test_idle_time_is_what_no_pause_covers(pauses: list[Pause], hours: int) -> None:
    end = NOW + hours * HOUR
    counted = sum(
        not any(pause.since <= NOW + hour * HOUR < pause.until for pause in pauses)
        for hour in range(hours)
    )

    assert idle_time(NOW, end, pauses) == timedelta(hours=counted)


class TestAnAssignmentWithoutADate:
    """GitHub has no event of it: the issue may be old, and the assignment new."""

    SINCE = tuple(replace(each, is_dated=False) for each in assigned('alice', at=NOW - 400 * DAY))

    def test_starts_the_clock_at_first_sight(self) -> None:
        assert templates(swept(assignments=self.SINCE)) == ['idle-seen']
        seen = said('seen:alice', at=NOW)

        quiet = swept(now=NOW + 14 * DAY, assignments=self.SINCE, said=(seen,))
        assert names(quiet) == ['Noop']
        late = swept(now=NOW + 14 * DAY + MINUTE, assignments=self.SINCE, said=(seen,))
        assert templates(late) == ['idle-warning']

    def test_is_ended_like_any_other(self) -> None:
        seen = said('seen:alice', at=NOW)
        told = warning(NOW, NOW + 15 * DAY)

        ended = swept(now=NOW + 23 * DAY, assignments=self.SINCE, said=(seen, told))
        assert templates(ended) == ['idle-removed']

    def test_does_not_hide_one_that_has_a_date(self) -> None:
        both = (*self.SINCE, *assigned('bob', at=NOW - 20 * DAY))

        assert templates(swept(assignments=both)) == ['idle-seen', 'idle-warning']
