"""Moves on the board by prompts and merges: cases C81 and C85 of the contract."""

import pytest

from backstay.contributing import Config, decide
from backstay.contributing.board import MOVES
from backstay.contributing.commands import Noop, React, SetStatus
from backstay.contributing.configuration import Board
from backstay.contributing.events import PullChanged
from backstay.contributing.snapshot import Snapshot, Status
from tests.contributing.making import (
    BOB,
    CAROL,
    NOW,
    answer,
    assigned,
    issue,
    names,
    pull,
    templates,
)

MINE = assigned('alice')


def test_a_finished_issue_becomes_ready_for_review() -> None:
    assert answer('ready for review', issue(assignments=MINE, status=Status.IN_PROGRESS)) == [
        SetStatus(issue=7, status=Status.READY_FOR_REVIEW),
        React(comment_id=900),
    ]


@pytest.mark.parametrize('status', [Status.READY_FOR_REVIEW, Status.IN_REVIEW])
def test_c81_what_requires_changes_is_in_progress_again(status: Status) -> None:
    assert answer('requires changes', issue(assignments=MINE, status=status)) == [
        SetStatus(issue=7, status=Status.IN_PROGRESS),
        React(comment_id=900),
    ]


def test_a_maintainer_may_require_changes_and_a_stranger_may_not() -> None:
    place = issue(assignments=MINE, status=Status.IN_REVIEW)

    assert names(answer('requires changes', place, by=CAROL)) == ['SetStatus', 'React']
    assert templates(answer('requires changes', place, by=BOB)) == ['not-assigned']


@pytest.mark.parametrize(
    ('text', 'facts', 'reason'),
    [
        ('ready for review', {'open': False}, 'closed'),
        ('ready for review', {'assignments': ()}, 'not-assigned'),
        ('ready for review', {'has_board': False, 'status': None}, 'no-board'),
        ('ready for review', {'status': Status.TO_DO}, 'not-in-progress'),
        ('ready for review', {'status': Status.OTHER}, 'not-in-progress'),
        ('requires changes', {'open': False}, 'closed'),
        ('requires changes', {'status': Status.IN_PROGRESS}, 'not-in-review'),
        ('requires changes', {'status': Status.STAGING}, 'not-in-review'),
    ],
)
def test_every_refusal_names_its_reason(text: str, facts: dict, reason: str) -> None:
    place = issue(**{'assignments': MINE, 'status': Status.IN_PROGRESS, **facts})

    commands = answer(text, place)

    assert templates(commands) == [reason]
    assert names(commands) == ['Comment']


def merged(place, **facts):
    snapshot = Snapshot(pull=pull(open=False, **facts), closes=(place,))
    return decide(PullChanged(number=12, merged=True), snapshot, Config(), NOW)


def test_c85_a_merge_moves_what_it_closes_on() -> None:
    place = issue(assignments=MINE, status=Status.IN_REVIEW, open=False)

    assert merged(place) == [SetStatus(issue=7, status=Status.STAGING)]


def test_c85_a_merge_leaves_alone_what_its_author_is_not_assigned_to() -> None:
    assert names(merged(issue(assignments=assigned('bob'), status=Status.IN_REVIEW))) == ['Noop']
    assert names(merged(issue(assignments=MINE, status=Status.PRODUCTION))) == ['Noop']


def test_a_pull_request_that_was_only_closed_moves_nothing() -> None:
    place = issue(assignments=MINE, status=Status.IN_REVIEW)
    snapshot = Snapshot(pull=pull(open=False), closes=(place,))

    commands = decide(PullChanged(number=12), snapshot, Config(), NOW)

    assert commands == [Noop(reason='everything is as it should be')]


def test_columns_are_told_apart_whatever_their_capitals_and_blanks() -> None:
    board = Board(to_do='Todo')

    assert board.status('To Do') == board.status('TODO') == Status.TO_DO
    assert board.status('Ready for review') == Status.READY_FOR_REVIEW
    assert board.status('Icebox') == Status.OTHER


def test_no_move_leads_to_where_it_comes_from() -> None:
    for sources, target in MOVES.values():
        assert target not in sources
