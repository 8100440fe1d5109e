"""Comments on issues, from the event file to what then stands on GitHub, with calls counted."""

import asyncio
import itertools
from typing import Any

import httpx
import pytest

from backstay.contributing.commands import Noop
from backstay.contributing.github.client import CallFailed
from backstay.contributing.snapshot import Person
from tests.contributing.github.events import commented, issue_changed, pull_changed
from tests.contributing.github.running import Site
from tests.contributing.github.simulator import GitHub
from tests.contributing.github.state import Thing
from tests.contributing.making import ALICE, BOB

#: Calls of one comment, at the most.
MOST = 5


def says(site: Site, thing: Thing, text: str, by: Person = ALICE, **more: Any) -> list[str]:
    """Somebody comments and the workflow runs; gives the replies that it wrote."""
    github = site.github
    before = len(github.said(thing))
    comment = github.comment(thing, text, by)
    github.calls.clear()
    report = site.run('issue_comment', commented(thing, comment), **more)
    assert report.failed == []
    assert len(github.calls) <= MOST
    return github.said(thing)[before:]


def test_c73_assigns_and_moves_to_in_progress(github: GitHub, site: Site) -> None:
    issue = github.add_issue()

    assert says(site, issue, '@acme-helper Assign me, please! 🚀') == []

    assert issue.assignees == ['alice']
    assert github.repository.columns() == {7: 'In Progress'}
    assert issue.comments[-1].thumbs == {'acme-helper[bot]'}
    assert github.calls == [
        'CommentOnIssue',
        'Assign',
        'SetColumn',
        f'POST /repos/acme/portal/issues/comments/{issue.comments[-1].id}/reactions',
    ]


def test_c73_an_issue_that_is_not_on_the_board_is_put_there(github: GitHub, site: Site) -> None:
    issue = github.add_issue(column=None)

    says(site, issue, 'assign me')

    assert github.repository.columns() == {7: 'In Progress'}
    assert len(github.calls) == MOST


def test_c74_refuses_and_changes_nothing(github: GitHub, site: Site) -> None:
    issue = github.add_issue(state='CLOSED')

    (reply,) = says(site, issue, 'assign me')

    assert reply.startswith('@alice, this issue is closed')
    assert issue.assignees == []
    assert len(github.calls) == 2


class Turns:
    """Lets runs make their calls one after the other, in an order that the test gives."""

    def __init__(self, github: GitHub, order: list[int]) -> None:
        self.github, self.order = github, order
        self.waiting: dict[int, asyncio.Future[None]] = {}
        self.done: set[int] = set()

    def transport(self, number: int) -> httpx.AsyncBaseTransport:
        """The transport of one of the runs."""

        async def answer(request: httpx.Request) -> httpx.Response:
            turn = self.waiting[number] = asyncio.get_running_loop().create_future()
            self.let_one_go()
            await turn
            return self.github.answer(request)

        return httpx.MockTransport(answer)

    def end(self, number: int) -> None:
        """A run has ended."""
        self.done.add(number)
        self.let_one_go()

    def let_one_go(self) -> None:
        """When every run waits or has ended, the next in the order makes its call."""
        if len(self.waiting) + len(self.done) < 2 or not self.waiting:
            return
        wanted = self.order.pop(0) if self.order else min(self.waiting)
        chosen = wanted if wanted in self.waiting else min(self.waiting)
        self.waiting.pop(chosen).set_result(None)


@pytest.mark.parametrize('order', list(itertools.product('01', repeat=4)), ids=''.join)
def test_c75_of_two_at_the_same_second_one_stays_and_the_other_is_told(
    github: GitHub, site: Site, order: tuple[str, ...]
) -> None:
    issue = github.add_issue()
    for login in ('ann', 'ben', 'cem', 'dan'):
        github.assign(issue, login)
    events = [commented(issue, github.comment(issue, 'assign me', who)) for who in (ALICE, BOB)]

    async def together() -> None:
        turns = Turns(github, [int(turn) for turn in order])

        async def one(number: int) -> None:
            try:
                transport = turns.transport(number)
                await site.running('issue_comment', events[number], transport=transport)
            finally:
                turns.end(number)

        await asyncio.gather(one(0), one(1))

    asyncio.run(together())

    assert len(issue.assignees) == 5
    assert len({'alice', 'bob'} & set(issue.assignees)) == 1
    (told,) = github.said(issue)
    loser = ({'alice', 'bob'} - set(issue.assignees)).pop()
    assert told.startswith(f'@{loser}, ')


def test_the_limit_of_a_person_counts_other_issues(github: GitHub, site: Site) -> None:
    others = [github.add_issue(number=number) for number in (1, 2, 3)]
    for other in others:
        github.assign(other, 'alice')

    (reply,) = says(site, github.add_issue(), 'assign me')
    others[0].state = 'CLOSED'
    assert says(site, github.repository.things[7], 'assign me') == []

    assert 'assigned to 3 open issues' in reply
    assert github.repository.things[7].assignees == ['alice']


def test_who_cannot_be_assigned_is_told(github: GitHub, site: Site) -> None:
    github.not_assignable.add('alice')

    (reply,) = says(site, github.add_issue(), 'assign me')

    assert 'A maintainer has to do it' in reply


def test_c91_a_long_conversation_costs_no_more_calls(github: GitHub, site: Site) -> None:
    issue = github.add_issue(column=None)
    for _each in range(250):
        github.comment(issue, 'Me too!', BOB)

    says(site, issue, 'assign me')

    assert issue.assignees == ['alice']
    assert len(github.calls) == MOST


def test_c77_an_ordinary_comment_makes_no_call(github: GitHub, site: Site) -> None:
    issue = github.add_issue()

    assert says(site, issue, 'Could somebody assign me?') == []

    assert github.calls == []


def test_c78_apps_are_not_heard_and_ignored_issues_left_alone(github: GitHub, site: Site) -> None:
    issue = github.add_issue(labels=[':robot:'])
    app = Person(login='other[bot]', id=77, bot=True)

    assert says(site, github.add_issue(number=8), 'assign me', app) == []
    assert github.calls == []
    assert says(site, issue, 'assign me') == []

    assert github.writes == []


def test_c78_pull_requests_are_left_alone(github: GitHub, site: Site) -> None:
    assert says(site, github.add_pull(), 'assign me') == []

    assert github.calls == []


def test_c79_the_last_one_to_leave_puts_it_back(github: GitHub, site: Site) -> None:
    issue = github.add_issue()
    says(site, issue, 'assign me')

    says(site, issue, '/unassign')

    assert issue.assignees == []
    assert github.repository.columns() == {7: 'To Do'}


def test_c81_there_and_back(github: GitHub, site: Site) -> None:
    issue = github.add_issue()
    says(site, issue, 'assign me')
    says(site, issue, 'Ready for review!')
    assert github.repository.columns() == {7: 'Ready For Review'}

    says(site, issue, 'requires changes')

    assert github.repository.columns() == {7: 'In Progress'}


def test_c82_links_and_unlinks(github: GitHub, site: Site) -> None:
    issue, pull = github.add_issue(), github.add_pull(body='Resolves #70')
    github.assign(issue, 'alice')

    (linked,) = says(site, issue, 'link pr #12')
    assert 'Resolves acme/portal#7\n' in pull.body
    (unlinked,) = says(site, issue, 'unlink pr https://github.com/acme/portal/pull/12')

    assert '`acme/portal#12` is now linked' in linked
    assert 'no longer linked' in unlinked
    assert pull.body == 'Resolves #70'


def test_a_pull_request_of_another_repository_is_linked(github: GitHub, site: Site) -> None:
    issue = github.add_issue()
    github.assign(issue, 'alice')
    other = github.add_repository('api')
    pull = github.add_pull()
    other.things[12] = github.repository.things.pop(12)

    (reply,) = says(site, issue, 'link pr 12 api')

    assert '`acme/api#12` is now linked' in reply
    assert 'Resolves acme/portal#7' in pull.body


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('link pr 99', 'there is no pull request `acme/portal#99`'),
        ('link pr 12 secrets', 'there is no pull request `acme/secrets#12`'),
        ('link pr other/portal#12', 'there is no pull request `other/portal#12`'),
        ('link pr 13', '`acme/portal#13` is not yours'),
        ('link pr 14', 'is linked with this issue already'),
    ],
)
def test_c83_refuses_and_edits_nothing(github: GitHub, site: Site, text: str, reason: str) -> None:
    issue = github.add_issue()
    github.assign(issue, 'alice')
    github.add_pull()
    github.add_pull(number=13, author=BOB)
    github.add_pull(number=14, body='Closes #7')

    (reply,) = says(site, issue, text)

    assert reason in reply
    assert [call for call in github.writes if 'PATCH' in call] == []


def test_c85_a_merge_moves_the_issue_on(github: GitHub, site: Site) -> None:
    issue = github.add_issue(column='In Review')
    github.assign(issue, 'alice')
    pull = github.add_pull(closes=[7], body='Closes #7', state='MERGED')

    site.run('pull_request_target', pull_changed('closed', pull, merged=True))

    assert github.repository.columns() == {7: 'Staging'}


def test_the_same_event_again_changes_nothing(github: GitHub, site: Site) -> None:
    issue = github.add_issue()
    for text in ('assign me', 'assign me', 'ready for review', 'link pr 99'):
        comment = github.comment(issue, text)
        site.run('issue_comment', commented(issue, comment))
        github.writes.clear()

        report = site.run('issue_comment', commented(issue, comment))

        assert [type(command) for _place, command in report.done] == [Noop]
        assert github.writes == []


def test_an_edit_into_a_prompt_is_heard_and_an_edit_of_one_is_not(
    github: GitHub, site: Site
) -> None:
    issue = github.add_issue()
    comment = github.comment(issue, 'assign me')

    site.run('issue_comment', commented(issue, comment, before='Assign me!'))
    assert issue.assignees == []
    site.run('issue_comment', commented(issue, comment, before='asign me'))

    assert issue.assignees == ['alice']


def test_without_the_right_to_see_boards_everything_else_works(github: GitHub, site: Site) -> None:
    github.sees_boards = False
    issue = github.add_issue()

    assert says(site, issue, 'assign me') == []
    (reply,) = says(site, issue, 'ready for review')

    assert issue.assignees == ['alice']
    assert 'no project board' in reply


def test_the_configuration_may_stand_in_another_repository(github: GitHub, site: Site) -> None:
    github.configure('[limits]\nper_issue = 1', github.add_repository('.github'))
    site.home = 'acme/.github'
    issue = github.add_issue()
    github.assign(issue, 'ann')

    (reply,) = says(site, issue, 'assign me')

    assert '1 people work on this issue' in reply


def test_c94_a_new_empty_issue(github: GitHub, site: Site) -> None:
    github.configure('[description]\nteam = "acme/portal-team"')
    issue = github.add_issue(body='')

    for _again in range(2):
        site.run('issues', issue_changed('opened', issue))

    assert issue.body.count('backstay: help') == 1
    (asked,) = github.said(issue)
    assert asked.startswith('@acme/portal-team, this issue has no description')


def test_c94_a_team_that_github_does_not_know_is_not_mentioned(github: GitHub, site: Site) -> None:
    github.configure('[description]\nteam = "acme/dissolved"')
    issue = github.add_issue(body='')

    site.run('issues', issue_changed('opened', issue))

    assert '@' not in github.said(issue)[0]


def test_a_single_choice_is_kept(github: GitHub, site: Site) -> None:
    github.configure(
        "[[labels.groups]]\nname = 'type'\nlabels = ['bug', 'a/b c?#%']\nsingle = true"
    )
    issue = github.add_issue()
    github.label(issue, 'a/b c?#%')
    github.label(issue, 'bug')

    site.run('issues', issue_changed('labeled', issue, 'bug'))

    assert issue.labels == ['bug']


def test_c106_a_dry_run_prints_the_plan_and_writes_nothing(github: GitHub, site: Site) -> None:
    issue = github.add_issue()
    comment = github.comment(issue, 'assign me')

    report = site.run('issue_comment', commented(issue, comment), dry=True)

    assert [type(command).__name__ for _place, command in report.done] == ['Assign']
    assert github.writes == []


class TestPatience:
    def refuse(self, github: GitHub, times: int, answer: httpx.Response, where: str = '') -> None:
        left = iter(range(times))

        def fault(request: httpx.Request) -> httpx.Response | None:
            if where in request.url.path and next(left, None) is not None:
                return answer
            return None

        github.fault = fault

    def test_waits_as_long_as_github_says(self, github: GitHub, site: Site) -> None:
        issue = github.add_issue()
        told = {'retry-after': '7'}
        self.refuse(github, 1, httpx.Response(403, json={'message': 'slow'}, headers=told))

        site.run('issue_comment', commented(issue, github.comment(issue, 'assign me')))

        assert issue.assignees == ['alice']
        assert site.waits == [7.0]

    def test_a_write_that_a_limit_refused_is_made_again(self, github: GitHub, site: Site) -> None:
        issue = github.add_issue(state='CLOSED')
        self.refuse(github, 1, httpx.Response(429, json={'message': 'x'}), where='/comments')

        site.run('issue_comment', commented(issue, github.comment(issue, 'assign me')))

        assert len(github.said(issue)) == 1

    def test_a_read_that_broke_is_made_again(self, github: GitHub, site: Site) -> None:
        issue = github.add_issue()
        self.refuse(github, 2, httpx.Response(502))

        site.run('issue_comment', commented(issue, github.comment(issue, 'assign me')))

        assert issue.assignees == ['alice']

    def test_a_write_that_broke_is_reported_and_not_repeated(
        self, github: GitHub, site: Site
    ) -> None:
        issue = github.add_issue(state='CLOSED')
        self.refuse(github, 1, httpx.Response(502), where='/comments')

        report = site.run('issue_comment', commented(issue, github.comment(issue, 'assign me')))

        assert [place for place, _reason in report.failed] == ['#7']
        assert github.said(issue) == []

    def test_gives_up_rather_than_wait_for_ever(self, github: GitHub, site: Site) -> None:
        issue = github.add_issue()
        told = {'retry-after': '3000'}
        self.refuse(github, 9, httpx.Response(403, json={'message': 'slow'}, headers=told))

        with pytest.raises(CallFailed, match='403'):
            site.run('issue_comment', commented(issue, github.comment(issue, 'assign me')))

        assert site.waits == []

    def test_what_failed_holds_no_secret(self, github: GitHub, site: Site) -> None:
        issue = github.add_issue()
        self.refuse(github, 9, httpx.Response(401, json={'message': 'Bad credentials'}))

        with pytest.raises(CallFailed) as failed:
            site.run('issue_comment', commented(issue, github.comment(issue, 'assign me')))

        assert 'secret-token' not in str(failed.value)
