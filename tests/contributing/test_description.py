"""Descriptions: cases C94 and C95 of the contract."""

from backstay.contributing import Config, decide
from backstay.contributing.commands import WriteIssue
from backstay.contributing.configuration import Description
from backstay.contributing.description import START, is_blank, with_help
from backstay.contributing.events import IssueOpened, IssueSwept
from backstay.contributing.replies import render
from backstay.contributing.snapshot import Snapshot
from tests.contributing.making import BOB, DAY, MINUTE, NOW, issue, names, said, templates

TEAM = Config(description=Description(team='acme/portal-team'))


def opened(config=TEAM, team_exists=True, **facts):
    snapshot = Snapshot(issue=issue(**facts), team_exists=team_exists)
    return decide(IssueOpened(number=7, author=BOB), snapshot, config, NOW)


def swept(now=NOW, **facts):
    return decide(IssueSwept(number=7), Snapshot(issue=issue(**facts)), TEAM, now)


def test_c94_an_empty_issue_gets_help_and_the_team_is_asked_for_a_description() -> None:
    commands = opened(body=' \n')

    assert names(commands) == ['WriteIssue', 'Comment']
    assert '`assign me`' in commands[0].body
    assert render(commands[1].text).startswith('@acme/portal-team, this issue has no description')


def test_c94_a_described_issue_gets_help_behind_what_was_written() -> None:
    (command,) = opened(body='It fails.\n')

    assert isinstance(command, WriteIssue)
    assert command.body.startswith('It fails.\n\n<!--')


def test_c94_neither_comes_twice() -> None:
    body = with_help('')

    assert names(opened(body=body, said=(said('description:1'),))) == ['Noop']
    assert body.count(START) == 1


def test_c94_a_team_that_does_not_exist_is_not_mentioned() -> None:
    assert render(opened(body='', team_exists=False)[1].text).startswith('this issue')
    assert render(opened(body='', team_exists=None)[1].text).startswith('@acme/portal-team')
    assert '@' not in render(opened(Config(), body='')[1].text)


def test_our_own_section_and_hidden_comments_are_no_description() -> None:
    assert is_blank(with_help(''))
    assert is_blank('<!-- Tell us what happened -->\n')
    assert not is_blank(with_help('It fails.'))


def test_c95_there_are_no_more_reminders_than_configured() -> None:
    told = [said('description:1', at=NOW - 7 * DAY)]
    for number in (2, 3):
        (command,) = swept(body='', said=tuple(told))
        assert command.key == f'description:{number}'
        told.append(said(command.key, at=NOW - 7 * DAY))

    assert names(swept(body='', said=tuple(told))) == ['Noop']


def test_c95_and_no_sooner_than_the_days_between_them() -> None:
    told = (said('description:1', at=NOW - 7 * DAY),)

    assert names(swept(now=NOW - MINUTE, body='', said=told)) == ['Noop']
    assert templates(swept(now=NOW, body='', said=told)) == ['description-wanted']


def test_old_issues_are_asked_for_a_description_only_when_they_are_marked() -> None:
    assert names(swept(body='')) == ['Noop']
    assert templates(swept(body='', labels=(':soap:',))) == ['description-wanted']
    assert names(swept(body='It fails.', labels=(':soap:',))) == ['Noop']


def test_help_can_be_switched_off() -> None:
    config = Config(description=Description(help=False, reminders=0))

    assert names(opened(config, body='')) == ['Noop']
