"""The board: the columns of issues, and the events that move issues between them."""

from collections.abc import Collection

from backstay.contributing.answering import reply, thumb
from backstay.contributing.commands import Command, SetStatus
from backstay.contributing.events import Commented
from backstay.contributing.snapshot import Issue, Pull, Status

#: Columns of issues that somebody works on; an issue without assignees leaves them.
_WORKED_ON = (Status.IN_PROGRESS, Status.READY_FOR_REVIEW, Status.IN_REVIEW)

#: Every move that we make: its cause, the columns it starts from (None: no column), its target.
MOVES: dict[str, tuple[tuple[Status | None, ...], Status]] = {
    'assign me': ((None, Status.TO_DO), Status.IN_PROGRESS),
    'nobody is assigned any longer': (_WORKED_ON, Status.TO_DO),
    'ready for review': ((Status.IN_PROGRESS,), Status.READY_FOR_REVIEW),
    'requires changes': ((Status.READY_FOR_REVIEW, Status.IN_REVIEW), Status.IN_PROGRESS),
    'its pull request is merged': (_WORKED_ON, Status.STAGING),
}


def move(issue: Issue, cause: str) -> list[Command]:
    """Return the command that moves the issue for this cause; none when it is in another column."""
    sources, target = MOVES[cause]
    if not issue.has_board or issue.status not in sources:
        return []
    return [SetStatus(issue=issue.number, status=target)]


def after_assigning(issue: Issue) -> list[Command]:
    """Move an issue that somebody took to those in progress."""
    return move(issue, 'assign me')


def after_unassigning(issue: Issue, leaving: Collection[str]) -> list[Command]:
    """Move an open issue back to those to do when its last assignee leaves."""
    stays = any(each.login not in leaving for each in issue.assignments)
    return [] if stays or not issue.open else move(issue, 'nobody is assigned any longer')


def ready_for_review(event: Commented, issue: Issue) -> list[Command]:
    """Move an issue from in progress to ready for review, for one of its assignees."""
    return _by_prompt(event, issue, 'ready for review', 'not-in-progress', allowed=False)


def requires_changes(event: Commented, issue: Issue) -> list[Command]:
    """Move an issue back to in progress, for one of its assignees or a maintainer."""
    allowed = event.author.maintains
    return _by_prompt(event, issue, 'requires changes', 'not-in-review', allowed=allowed)


def after_merge(pull: Pull, closes: Collection[Issue]) -> list[Command]:
    """Move the issues that a merged pull request closes and its author was assigned to."""
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
