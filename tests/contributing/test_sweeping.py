"""The daily sweep on the simulated GitHub, with its calls counted."""

import httpx
import pytest

from backstay.contributing.github.running import PAGE
from tests.contributing.github.running import Site
from tests.contributing.github.simulator import GitHub
from tests.contributing.github.state import Work
from tests.contributing.making import ALICE, BOB, CAROL


def test_c86_warns_once_and_c87_removes_a_week_later(github: GitHub, site: Site) -> None:
    issue = github.add_issue(column='In Progress')
    github.assign(issue, 'alice')
    github.pass_time(days=15, hours=6)

    for _again in range(3):
        site.sweep()
        github.pass_time(hours=1)
    assert len(github.said(issue)) == 1
    github.pass_time(days=6, hours=20)
    site.sweep()
    assert issue.assignees == ['alice']
    github.pass_time(hours=3)
    site.sweep()

    assert issue.assignees == []
    assert len(github.said(issue)) == 2
    assert github.repository.columns() == {7: 'To Do'}


def test_a_word_of_the_assignee_stops_it(github: GitHub, site: Site) -> None:
    issue = github.add_issue(column='In Progress')
    github.assign(issue, 'alice')
    github.pass_time(days=15)
    site.sweep()
    github.comment(issue, 'I am still on it.')
    github.pass_time(days=10)

    site.sweep()

    assert issue.assignees == ['alice']
    assert len(github.said(issue)) == 1


def test_c89_work_on_the_linked_pull_request_counts(github: GitHub, site: Site) -> None:
    issue = github.add_issue(column='In Progress')
    github.assign(issue, 'alice')
    pull = github.add_pull(closes=[7], draft=True)
    github.pass_time(days=20)
    pull.commits.append(Work(sha='9' * 40, at=github.now, authors=[]))
    github.pass_time(days=1)

    site.sweep()

    assert github.said(issue) == []


def test_c89_so_does_a_comment_or_a_review_of_hers(github: GitHub, site: Site) -> None:
    issue = github.add_issue(column='In Progress')
    github.assign(issue, 'alice')
    pull = github.add_pull(closes=[7], draft=True)
    github.pass_time(days=20)
    github.review(pull, BOB)
    site.sweep()
    assert len(github.said(issue)) == 1
    github.review(pull, ALICE)
    github.pass_time(days=10)

    site.sweep()

    assert issue.assignees == ['alice']


def test_c90_waiting_for_a_review_does_not_count(github: GitHub, site: Site) -> None:
    issue = github.add_issue(column='In Progress')
    github.assign(issue, 'alice')
    pull = github.add_pull(closes=[7])
    github.pass_time(days=40)
    site.sweep()
    assert github.said(issue) == []
    github.review(pull, CAROL)
    github.pass_time(days=15)

    site.sweep()

    assert len(github.said(issue)) == 1


def test_c90_being_blocked_does_not_count(github: GitHub, site: Site) -> None:
    issue = github.add_issue(column='In Progress')
    github.assign(issue, 'alice')
    github.label(issue, 'blocked: outside')
    github.pass_time(days=40)

    site.sweep()

    assert github.said(issue) == []


@pytest.mark.parametrize('comments', [0, 99, 150, 250])
def test_c91_many_comments_make_no_difference(github: GitHub, site: Site, comments: int) -> None:
    issue = github.add_issue(column='In Progress')
    github.assign(issue, 'alice')
    github.pass_time(days=15)
    site.sweep()
    for _each in range(comments):
        github.comment(issue, 'Me too!', BOB)
    github.pass_time(days=8)

    site.sweep()

    assert issue.assignees == []
    assert len(github.said(issue)) == 2


def test_c93_one_issue_that_fails_does_not_stop_the_others(github: GitHub, site: Site) -> None:
    issues = [github.add_issue(number=number, column='In Progress') for number in (1, 2, 3)]
    for issue in issues:
        github.assign(issue, 'alice')
    github.pass_time(days=15)
    github.fault = lambda request: (
        httpx.Response(500) if request.url.path.endswith('/issues/2/comments') else None
    )

    report = site.sweep()

    assert [place for place, _reason in report.failed] == ['#2']
    assert [len(github.said(issue)) for issue in issues] == [1, 0, 1]


def test_c95_reminds_no_more_often_than_configured(github: GitHub, site: Site) -> None:
    issue = github.add_issue(body='', labels=[':soap:'])

    for _day in range(40):
        site.sweep()
        github.pass_time(days=1)

    assert len(github.said(issue)) == 3


def test_reads_two_and_one_for_each_hundred(github: GitHub, site: Site) -> None:
    github.configure('[description]\nteam = "acme/portal-team"\n')
    for number in range(1, 251):
        github.add_issue(number=number, column=None)

    site.sweep()

    assert github.calls == ['StartOfSweep', 'Team', 'OpenIssues', 'OpenIssues', 'OpenIssues']


def test_with_an_agreement_pull_requests_are_items_too(github: GitHub, site: Site) -> None:
    github.configure('[agreement]\nversion = "1.0.0"\nlink = "https://acme.example/a"')
    for number in range(1, 121):
        github.add_issue(number=number, column=None)
    github.repository.branches['signatures'] = {'signatures.jsonl': ''}

    site.sweep()

    assert github.calls == ['StartOfSweep', 'OpenIssues', 'OpenIssues', 'Store', 'OpenPulls']


def test_asks_for_less_when_a_page_is_too_much(github: GitHub, site: Site) -> None:
    for number in range(1, 61):
        github.add_issue(number=number, column=None)
    github.fault = lambda request: (
        httpx.Response(502) if f'"size": {PAGE}'.encode() in request.content else None
    )

    report = site.sweep()

    assert report.failed == []
    assert len({place for place, _command in report.done}) == 60


def test_a_sweep_is_quiet_when_everything_is_as_it_should_be(github: GitHub, site: Site) -> None:
    github.add_issue()

    site.sweep()

    assert github.writes == []
