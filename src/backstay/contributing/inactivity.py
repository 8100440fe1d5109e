"""Inactivity: an assignee who does nothing is warned once, and later taken off the issue.

Work is a comment on the issue, and a push, comment or review on the assignee's pull request for it.
The clock stands still while others are to act: while the pull request waits for a review, while the
issue stands in a column of reviewing, and while it is labelled as blocked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from backstay.contributing.board import after_unassigning
from backstay.contributing.commands import Command, Comment, Unassign
from backstay.contributing.configuration import Config
from backstay.contributing.replies import Text, mention, number
from backstay.contributing.snapshot import Assignment, Issue, Pull, Said, Status

_REVIEWED = (Status.READY_FOR_REVIEW, Status.IN_REVIEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A time that does not count."""

    since: datetime
    until: datetime


def warn_or_unassign(issue: Issue, config: Config, now: datetime) -> list[Command]:
    """Warnings for those who are idle, and the end of the assignment for those who were warned."""
    said, leaving = list[Command](), list[str]()
    for assignment in issue.assignments:
        start = last_active(issue, assignment, now)
        key = f'idle:{assignment.login}:{int(start.timestamp())}'
        warning = next((each for each in issue.said if each.key == key), None)
        if warning is None and _idle(issue, assignment, start, now, config) > (
            config.inactivity.warn_after
        ):
            said.append(_warning(issue, assignment, key, config))
        elif warning and _has_had_its_time(issue, assignment, warning, now, config):
            leaving.append(assignment.login)
            said += _farewell(issue, assignment, f'{key}:removed')
    ends: list[Command] = [Unassign(issue=issue.number, login=login) for login in leaving]
    return [*said, *ends, *(after_unassigning(issue, leaving) if leaving else [])]


def last_active(issue: Issue, assignment: Assignment, now: datetime) -> datetime:
    """When the assignee last did something, or was assigned, or the issue was moved."""
    login = assignment.login
    acts = [act.at for act in issue.acts if act.login == login]
    for pull in _pulls_of(issue, login):
        acts += [act.at for act in pull.acts if act.login == login]
    moved = [issue.status_since] if issue.status_since else []
    # The date of a commit is what the clock of its author said: one to come is not believed.
    return max([assignment.at, *(at for at in [*acts, *moved] if at <= now)])


def idle_time(since: datetime, now: datetime, pauses: Iterable[Pause]) -> timedelta:
    """The time from `since` to `now` outside of all pauses, which may overlap.

    >>> day = [datetime(2026, 1, n) for n in range(1, 11)]
    >>> idle_time(day[0], day[9], [Pause(since=day[2], until=day[4])]).days
    7
    """
    counted, reached = timedelta(), since
    for pause in sorted(pauses, key=lambda pause: pause.since):
        start, end = max(pause.since, reached), min(pause.until, now)
        if end > start:
            counted += start - reached
            reached = end
    return counted + max(now - reached, timedelta())


def pauses_of(issue: Issue, login: str, config: Config, now: datetime) -> list[Pause]:
    """When others were to act, as far as it is known."""
    blocked = {name.casefold() for name in config.labels.blocked}
    pauses = [
        Pause(since=each.since, until=each.until or now)
        for each in issue.labellings
        if each.name.casefold() in blocked
    ]
    if issue.status in _REVIEWED and issue.status_since:
        pauses.append(Pause(since=issue.status_since, until=now))
    pauses += [
        pause for pull in _pulls_of(issue, login) if (pause := _waiting(pull, now)) is not None
    ]
    return pauses


def _waiting(pull: Pull, now: datetime) -> Pause | None:
    """From when it was last ready until somebody else reviewed it; None for a draft."""
    if pull.ready_at is None or pull.draft or not pull.open:
        return None
    ready = pull.ready_at
    reviewed = [
        act.at for act in pull.reviews if act.login != pull.author.login and act.at >= ready
    ]
    return Pause(since=ready, until=min(reviewed, default=now))


def _pulls_of(issue: Issue, login: str) -> list[Pull]:
    return [pull for pull in issue.pulls if pull.author.login == login]


def _idle(
    issue: Issue, assignment: Assignment, since: datetime, now: datetime, config: Config
) -> timedelta:
    return idle_time(since, now, pauses_of(issue, assignment.login, config, now))


def _has_had_its_time(
    issue: Issue, assignment: Assignment, warning: Said, now: datetime, config: Config
) -> bool:
    idle = _idle(issue, assignment, warning.at, now, config)
    return idle > config.inactivity.unassign_after


def _warning(issue: Issue, assignment: Assignment, key: str, config: Config) -> Command:
    values = {
        'who': mention(assignment.login),
        'days': number(config.inactivity.warn_after_days),
        'left': number(config.inactivity.unassign_after_days),
    }
    text = Text(template='idle-warning', values=values)
    return Comment(number=issue.number, key=key, text=text)


def _farewell(issue: Issue, assignment: Assignment, key: str) -> list[Command]:
    """Said once, also when a run ended before it could take the assignee off."""
    if any(each.key == key for each in issue.said):
        return []
    text = Text(template='idle-removed', values={'who': mention(assignment.login)})
    return [Comment(number=issue.number, key=key, text=text)]
