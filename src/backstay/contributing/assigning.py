"""`assign me` and `unassign me`: the assignees of an issue, within the limits."""

from backstay.contributing.answering import reply, thumb
from backstay.contributing.board import after_assigning, after_unassigning
from backstay.contributing.commands import Assign, Command, Unassign
from backstay.contributing.configuration import Config
from backstay.contributing.events import Assigned, Commented
from backstay.contributing.replies import number
from backstay.contributing.snapshot import Issue, Snapshot


def assign_me(event: Commented, issue: Issue, snapshot: Snapshot, config: Config) -> list[Command]:
    """Assign the author of the comment; the first guard that fails answers."""
    login, limits = event.author.login, config.limits
    mine = issue.assignment_of(login)
    if not issue.open:
        return [reply(event, 'closed')]
    if mine and mine.at >= event.at:
        # Made for this comment by a run that stopped afterwards.
        after = Assigned(number=event.number, comment_id=event.comment_id, author=event.author)
        return settle(after, issue, snapshot, config)
    if mine:
        return [reply(event, 'already-assigned')]
    if len(issue.assignments) >= limits.per_issue:
        return [reply(event, 'issue-full', limit=number(limits.per_issue))]
    if len(snapshot.elsewhere) >= limits.per_person:
        return [reply(event, 'person-full', limit=number(limits.per_person))]
    return [Assign(issue=issue.number, login=login)]


def unassign_me(event: Commented, issue: Issue) -> list[Command]:
    """Take the author of the comment off the issue."""
    if not issue.assignment_of(event.author.login):
        return [reply(event, 'not-assigned')]
    return [
        Unassign(issue=issue.number, login=event.author.login),
        *after_unassigning(issue, [event.author.login]),
        thumb(event),
    ]


def settle(event: Assigned, issue: Issue, snapshot: Snapshot, config: Config) -> list[Command]:
    """Confirm our assignment on a read made after it, or undo it when it exceeds a limit.

    Of people who compete for the last place, those assigned later find the others before them, so
    at most the limit stays, in whatever order the runs read and write.
    """
    login, limits = event.author.login, config.limits
    mine = issue.assignment_of(login)
    if mine is None:
        return [reply(event, 'not-assignable')]
    place = issue.assignments.index(mine)
    if place >= limits.per_issue:
        return _leave(event, issue, limits.per_issue)
    # GitHub gives times in seconds, so assignments in the same second count as earlier.
    if sum(other.at <= mine.at for other in snapshot.elsewhere) >= limits.per_person:
        return _leave(event, issue, limits.per_person)
    return [*after_assigning(issue), thumb(event)]


def _leave(event: Assigned, issue: Issue, limit: int) -> list[Command]:
    return [
        Unassign(issue=issue.number, login=event.author.login),
        reply(event, 'lost-race', limit=number(limit)),
    ]
