"""The events that the engine decides on. None carries a count or a state.

An event is an action of somebody. The current state is in the snapshot, which is read afresh.
"""

from dataclasses import dataclass
from datetime import datetime

from backstay.contributing.snapshot import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Commented:
    """Somebody wrote a comment on an issue or a pull request, or edited one."""

    number: int
    #: Whether it is on a pull request.
    on_pull: bool = False
    comment_id: int
    author: Person
    text: str
    #: The text before an edit; None for a new comment.
    previous: str | None = None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Our own assignment for a comment, to be checked against the limits."""

    number: int
    comment_id: int
    author: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueOpened:
    """An issue was opened or reopened."""

    number: int
    author: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueLabelled:
    """A label was put on an issue, or taken off."""

    number: int
    #: The label that was put on; None when one was taken off.
    added: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PullChanged:
    """A pull request was opened, pushed to, edited, reopened or closed."""

    number: int
    #: Whether it has just been merged.
    merged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PullQueued:
    """A merge queue tries a pull request on top of others, and waits for the check of that."""

    number: int
    #: The commit that the queue made, on which it looks for the check.
    sha: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueSwept:
    """The daily look at an open issue."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSwept:
    """The daily look at an open pull request."""

    number: int


Event = (
    Commented
    | Assigned
    | IssueOpened
    | IssueLabelled
    | PullChanged
    | PullQueued
    | IssueSwept
    | PullSwept
)
