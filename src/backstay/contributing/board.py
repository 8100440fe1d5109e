"""The board: where an issue stands, and which events move it."""

from collections.abc import Collection

from backstay.contributing.answering import reply, thumb
from backstay.contributing.commands import Command, SetStatus
from backstay.contributing.events import Commented
from backstay.contributing.snapshot import Issue, Pull, Status

#: Columns in which people work on an issue: left when nobody is assigned any longer.
_WORKED_ON = (Status.IN_PROGRESS, Status.READY_FOR_REVIEW, Status.IN_REVIEW)

#: Every move that we make: what causes it, from which columns (None: not on the board), to which.
MOVES: dict[str, tuple[tuple[Status | None, ...], Status]] = {
    'assign me': ((None, Status.TO_DO), Status.IN_PROGRESS),
    'nobody is assigned any longer': (_WORKED_ON, Status.TO_DO),
    'ready for review': ((Status.IN_PROGRESS,), Status.READY_FOR_REVIEW),
    'requires changes': ((Status.READY_FOR_REVIEW, Status.IN_REVIEW), Status.IN_PROGRESS),
    'its pull request is merged': (_WORKED_ON, Status.STAGING),
}


def move(issue: Issue, cause: str) -> list[Command]:
    """The command that moves the issue for this cause; none when it stands elsewhere."""
    sources, target = MOVES[cause]
    if not issue.has_board or issue.status not in sources:
        return []
    return [SetStatus(issue=issue.number, status=target)]


def after_assigning(issue: Issue) -> list[Command]:
    """An issue that somebody took is in progress."""
    return move(issue, 'assign me')


def after_unassigning(issue: Issue, leaving: Collection[str]) -> list[Command]:
    """An open issue that the last one left is to do again."""
    stays = any(each.login not in leaving for each in issue.assignments)
    return [] if stays or not issue.open else move(issue, 'nobody is assigned any longer')


def ready_for_review(event: Commented, issue: Issue) -> list[Command]:
    """Move an issue in progress on, for somebody who is assigned."""
    return _by_prompt(event, issue, 'ready for review', 'not-in-progress', allowed=False)


def requires_changes(event: Commented, issue: Issue) -> list[Command]:
    """Move an issue back, for somebody who is assigned or who keeps the repository."""
    allowed = event.author.maintains
    return _by_prompt(event, issue, 'requires changes', 'not-in-review', allowed=allowed)


def after_merge(pull: Pull, closes: Collection[Issue]) -> list[Command]:
    """Move on what the merged pull request closes and its author was assigned to."""
    return [
        command
        for issue in closes
        if issue.assignment_of(pull.author.login)
        for command in move(issue, 'its pull request is merged')
    ]


def _by_prompt(
    event: Commented, issue: Issue, cause: str, refusal: str, *, allowed: bool
) -> list[Command]:
    if not issue.open:
        return [reply(event, 'closed')]
    if not allowed and not issue.assignment_of(event.author.login):
        return [reply(event, 'not-assigned')]
    if not issue.has_board:
        return [reply(event, 'no-board')]
    moved = move(issue, cause)
    return [*moved, thumb(event)] if moved else [reply(event, refusal)]
