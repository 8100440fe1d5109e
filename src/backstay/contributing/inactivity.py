"""Inactivity: an idle assignee is warned once, and later unassigned from the issue.

Work is a comment on the issue, and a push, comment or review on the assignee's pull request for it.
The clock stops while others have to act: while the pull request waits for a review, while the issue
is in a column for reviews, and while it is labelled as blocked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from backstay.contributing.board import after_unassigning
from backstay.contributing.commands import Command, Comment, Unassign
from backstay.contributing.configuration import Config
from backstay.contributing.replies import Text, mention, number
from backstay.contributing.snapshot import Assignment, Issue, Pull, Status

_REVIEWED = (Status.READY_FOR_REVIEW, Status.IN_REVIEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A time that does not count."""

    since: datetime
    until: datetime


def warn_or_unassign(issue: Issue, config: Config, now: datetime) -> list[Command]:
    """Warn idle assignees, and unassign those who stayed idle after their warning."""
    said, leaving = list[Command](), list[str]()
    keys = {each.key for each in issue.said}
    limits = config.inactivity
    for assignment in issue.assignments:
        if not assignment.is_dated:
            seen = next((each for each in issue.said if each.key == _seen(assignment)), None)
            if seen is None:
                said.append(_first_sight(issue, assignment, config))
                continue
            assignment = replace(assignment, at=seen.at)
        start = last_active(issue, assignment, now)
        key = f'idle:{assignment.login}:{int(start.timestamp())}'
        warning = next((each for each in issue.said if each.key == key), None)
        pauses = pauses_of(issue, assignment.login, config, now)
        idle = idle_time(warning.at if warning else start, now, pauses)
        if warning is None and idle > limits.warn_after:
            said.append(_warning(issue, assignment, key, config))
        elif warning and idle > limits.unassign_after:
            leaving.append(assignment.login)
            # An earlier run may have stopped between the comment and the unassignment.
            if f'{key}:removed' not in keys:
                values = {'who': mention(assignment.login)}
                text = Text(template='idle-removed', values=values)
                said.append(Comment(number=issue.number, key=f'{key}:removed', text=text))
    ends: list[Command] = [Unassign(issue=issue.number, login=login) for login in leaving]
    return [*said, *ends, *(after_unassigning(issue, leaving) if leaving else [])]


def last_active(issue: Issue, assignment: Assignment, now: datetime) -> datetime:
    """Return the last time that the assignee acted or was assigned, or the issue was moved."""
    login = assignment.login
    acts = [act.at for act in issue.acts if act.login == login]
    for pull in _pulls_of(issue, login):
        acts += [act.at for act in pull.acts if act.login == login]
    moved = [issue.status_since] if issue.status_since else []
    # The date of a commit comes from its author's clock, so a date in the future is ignored.
    return max([assignment.at, *(at for at in [*acts, *moved] if at <= now)])


def idle_time(since: datetime, now: datetime, pauses: Iterable[Pause]) -> timedelta:
    """Return the time from `since` to `now` outside of all pauses, which may overlap.

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
    """Return the known times in which others had to act."""
    blocked = {name.casefold() for name in config.labels.blocked}
    pauses = [
        Pause(since=each.since, until=each.until or now)
        for each in issue.labellings
        if each.name.casefold() in blocked
    ]
    if issue.status in _REVIEWED and issue.status_since:
        pauses.append(Pause(since=issue.status_since, until=now))
    for pull in _pulls_of(issue, login):
        ready = pull.ready_at
        if ready is None or pull.draft or not pull.open:
            continue
        by_others = [act.at for act in pull.reviews if act.login != login and act.at >= ready]
        pauses.append(Pause(since=ready, until=min(by_others, default=now)))
    return pauses


def _pulls_of(issue: Issue, login: str) -> list[Pull]:
    return [pull for pull in issue.pulls if pull.author.login == login]


def _seen(assignment: Assignment) -> str:
    return f'seen:{assignment.login}'


def _first_sight(issue: Issue, assignment: Assignment, config: Config) -> Command:
    """Say that the clock starts now, since nobody knows when the assignment was made."""
    days = number(config.inactivity.warn_after_days)
    text = Text(template='idle-seen', values={'who': mention(assignment.login), 'days': days})
    return Comment(number=issue.number, key=_seen(assignment), text=text)


def _warning(issue: Issue, assignment: Assignment, key: str, config: Config) -> Command:
    values = {
        'who': mention(assignment.login),
        'days': number(config.inactivity.warn_after_days),
        'left': number(config.inactivity.unassign_after_days),
    }
    text = Text(template='idle-warning', values=values)
    return Comment(number=issue.number, key=key, text=text)
