"""`assign me` and `unassign me`: cases C73 to C79 of the contract."""

from backstay.contributing import Config, decide
from backstay.contributing.commands import Assign, Noop, React, SetStatus, Unassign
from backstay.contributing.configuration import Limits
from backstay.contributing.events import Assigned
from backstay.contributing.snapshot import Assignment, Person, Snapshot, Status
from tests.contributing.making import (
    ALICE,
    BOB,
    DAY,
    MINUTE,
    NOW,
    answer,
    assigned,
    comment,
    issue,
    names,
    on_pull,
    pull,
    said,
    templates,
)

FIVE = ('ann', 'ben', 'cem', 'dan', 'eve')


def settled(place, config=None, **facts):
    event = Assigned(number=7, comment_id=900, author=ALICE)
    return decide(event, Snapshot(issue=place, **facts), config or Config(), NOW)


def test_c73_assigns_and_moves_the_issue_on() -> None:
    assert answer('assign me', issue()) == [Assign(issue=7, login='alice')]

    assert settled(issue(assignments=assigned('alice'))) == [
        SetStatus(issue=7, status=Status.IN_PROGRESS),
        React(comment_id=900),
    ]


def test_c73_puts_an_issue_that_is_not_on_the_board_there() -> None:
    assert SetStatus(issue=7, status=Status.IN_PROGRESS) in settled(
        issue(assignments=assigned('alice'), status=None)
    )


def test_leaves_an_issue_alone_that_stands_further_on() -> None:
    place = issue(assignments=assigned('bob', 'alice'), status=Status.IN_REVIEW)

    assert settled(place) == [React(comment_id=900)]


def test_does_without_a_board() -> None:
    place = issue(assignments=assigned('alice'), status=None, has_board=False)

    assert settled(place) == [React(comment_id=900)]


def test_c74_refuses_with_the_reason_and_changes_nothing() -> None:
    assert templates(answer('assign me', issue(open=False))) == ['closed']
    assert templates(answer('assign me', issue(assignments=assigned('alice')))) == [
        'already-assigned'
    ]
    assert templates(answer('assign me', issue(assignments=assigned(*FIVE)))) == ['issue-full']
    for place in (issue(open=False), issue(assignments=assigned(*FIVE))):
        assert names(answer('assign me', place)) == ['Comment']


def test_c75_of_two_at_the_same_second_the_later_one_leaves_and_is_told() -> None:
    both = issue(assignments=assigned(*FIVE[:4], 'bob', 'alice'))

    commands = settled(both)

    assert commands[0] == Unassign(issue=7, login='alice')
    assert templates(commands) == ['lost-race']


def test_c75_the_earlier_one_stays() -> None:
    assert names(settled(issue(assignments=assigned(*FIVE[:4], 'alice', 'bob')))) == [
        'SetStatus',
        'React',
    ]


def test_one_person_has_no_more_issues_than_the_limit() -> None:
    elsewhere = tuple(Assignment(issue=n, login='alice', at=NOW - DAY) for n in (1, 2, 3))

    assert templates(answer('assign me', issue(), elsewhere=elsewhere)) == ['person-full']
    assert names(answer('assign me', issue(), elsewhere=elsewhere[1:])) == ['Assign']
    roomy = Config(limits=Limits(per_person=4))
    assert names(answer('assign me', issue(), roomy, elsewhere=elsewhere)) == ['Assign']


def test_two_issues_taken_in_the_same_second_do_not_slip_past_the_limit() -> None:
    place = issue(assignments=assigned('alice', at=NOW))
    others = tuple(Assignment(issue=n, login='alice', at=NOW) for n in (1, 2, 3))

    assert templates(settled(place, elsewhere=others)) == ['lost-race']


def test_says_so_when_github_does_not_assign_somebody() -> None:
    assert templates(settled(issue())) == ['not-assignable']


def test_goes_on_with_an_assignment_that_a_run_did_not_finish() -> None:
    place = issue(assignments=assigned('alice', at=NOW + MINUTE))

    assert names(answer('assign me', place)) == ['SetStatus', 'React']


def test_c77_an_ordinary_comment_is_a_noop() -> None:
    for text in ('', 'Thanks!', 'Could you assign me to this?', '> assign me', '\tassign me'):
        assert answer(text, issue()) == [Noop(reason='the comment is no prompt')], text


def test_c78_a_bot_a_label_or_a_pull_request_is_left_alone() -> None:
    app = Person(login='helper[bot]', id=1, bot=True)

    assert names(answer('assign me', issue(), by=app)) == ['Noop']
    assert names(answer('assign me', issue(labels=(':robot:',)))) == ['Noop']
    on_a_pull = decide(on_pull('assign me'), Snapshot(pull=pull()), Config(), NOW)
    assert on_a_pull == [Noop(reason='the prompt belongs on an issue')]


def test_c78_a_person_whose_name_looks_like_that_of_a_bot_is_heard() -> None:
    person = Person(login='robot', id=1)

    assert names(answer('assign me', issue(), by=person)) == ['Assign']


def test_c79_the_last_one_leaves_and_the_issue_is_to_do_again() -> None:
    place = issue(assignments=assigned('alice'), status=Status.IN_PROGRESS)

    assert answer('unassign me', place) == [
        Unassign(issue=7, login='alice'),
        SetStatus(issue=7, status=Status.TO_DO),
        React(comment_id=900),
    ]


def test_the_issue_stays_where_it_is_while_somebody_is_left() -> None:
    place = issue(assignments=assigned('alice', 'bob'), status=Status.IN_PROGRESS)

    assert names(answer('unassign me', place)) == ['Unassign', 'React']


def test_who_leaves_a_closed_issue_does_not_move_it() -> None:
    place = issue(assignments=assigned('alice'), status=Status.IN_REVIEW, open=False)

    assert names(answer('unassign me', place)) == ['Unassign', 'React']


def test_who_is_not_assigned_cannot_leave() -> None:
    assert templates(answer('unassign me', issue(assignments=assigned('bob')))) == ['not-assigned']


def test_a_comment_is_answered_once() -> None:
    told = issue(said=(said('answer:900'),), open=False)

    assert answer('assign me', told) == [Noop(reason='the comment has been answered')]
    assert names(answer('assign me', issue(), reacted=True)) == ['Noop']
    assert names(answer('assign me', issue(said=(said('answer:901'),)))) == ['Assign']


def test_an_edit_that_asks_for_the_same_asks_for_nothing() -> None:
    snapshot = Snapshot(issue=issue())
    again = comment('Assign me!', previous='assign me')
    anew = comment('assign me', previous='asign me')

    assert names(decide(again, snapshot, Config(), NOW)) == ['Noop']
    assert names(decide(anew, snapshot, Config(), NOW)) == ['Assign']


def test_answers_to_its_own_names_only() -> None:
    assert names(answer('@acme-bot assign me', issue(), me='acme-bot[bot]')) == ['Assign']
    assert names(answer('@backstay assign me', issue(), me='acme-bot[bot]')) == ['Assign']
    assert answer('@bob assign me', issue(), by=BOB, me='acme-bot[bot]') == [
        Noop(reason='the comment calls somebody else')
    ]
