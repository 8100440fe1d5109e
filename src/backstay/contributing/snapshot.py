"""What is true on GitHub when the engine decides: facts, read afresh, never counts of an event."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """Where an issue stands on the board."""

    TO_DO = 'to_do'
    IN_PROGRESS = 'in_progress'
    READY_FOR_REVIEW = 'ready_for_review'
    IN_REVIEW = 'in_review'
    STAGING = 'staging'
    PRODUCTION = 'production'
    CLOSED = 'closed'
    #: A column that the configuration does not name.
    OTHER = 'other'


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account on GitHub."""

    login: str
    id: int
    #: Whether GitHub says that it is an app or a bot; a name says nothing.
    bot: bool = False
    #: What the account is to the repository, in GitHub's words: OWNER, MEMBER, NONE, ...
    association: str = 'NONE'

    @property
    def maintains(self) -> bool:
        """Whether it belongs to those who keep the repository."""
        return self.association in {'OWNER', 'MEMBER', 'COLLABORATOR'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Somebody is assigned to an open issue."""

    issue: int
    login: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Somebody did something that counts as work: a comment, a push, a review."""

    login: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """A label was on the issue for a time."""

    name: str
    since: datetime
    #: None while it is still on.
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A comment of our own, found by its key."""

    key: str
    comment_id: int
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Whom a commit names as its author or co-author. None of it is proven by git."""

    name: str
    email: str
    #: The account to which GitHub ties the address; None when there is none.
    id: int | None = None
    login: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit of a pull request with all its authors."""

    sha: str
    authors: tuple[Author, ...]


class CheckState(StrEnum):
    """What the check of the agreement says."""

    PASSED = 'passed'
    FAILED = 'failed'
    #: It cannot be told now; the next run tries again.
    UNDECIDED = 'undecided'


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The check as it stands on the newest commit."""

    state: CheckState
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request."""

    repository: str
    number: int
    author: Person
    open: bool = True
    draft: bool = False
    body: str = ''
    sha: str = ''
    #: When it was last ready to be reviewed: opened, marked ready, or pushed to since.
    ready_at: datetime | None = None
    #: Pushes, comments and reviews, of whomever.
    acts: tuple[Act, ...] = ()
    #: Reviews alone.
    reviews: tuple[Act, ...] = ()
    commits: tuple[Commit, ...] = ()
    check: Check | None = None
    said: tuple[Said, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An issue of the repository."""

    repository: str
    number: int
    author: Person
    open: bool = True
    body: str = ''
    labels: tuple[str, ...] = ()
    #: Every label that was on it and is known, oldest first.
    labellings: tuple[Labelling, ...] = ()
    #: Who is assigned, in the order of the assignments.
    assignments: tuple[Assignment, ...] = ()
    #: Whether there is a board that can be read and written.
    has_board: bool = False
    #: Its column; None when it is not on the board.
    status: Status | None = None
    #: When the column last changed.
    status_since: datetime | None = None
    #: Comments of people.
    acts: tuple[Act, ...] = ()
    said: tuple[Said, ...] = ()
    #: Open pull requests that close it or mention it.
    pulls: tuple[Pull, ...] = ()

    def assignment_of(self, login: str) -> Assignment | None:
        """The assignment of this account, if it is assigned."""
        return next((each for each in self.assignments if each.login == login), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """An account signed a version of the agreement."""

    id: int
    login: str
    version: str
    #: SHA-256 of the lower-case addresses that GitHub tied to the account when it signed.
    addresses: tuple[str, ...]
    at: datetime
    #: The comment that signed: the path of its address on the server.
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The signatures, all of them readable."""

    signatures: tuple[Signature, ...] = ()
    #: Whether the branch is there; without it nobody has signed yet.
    exists: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that the decision on one event may look at."""

    #: Our own account: the name by which a comment may call us.
    me: str = ''
    issue: Issue | None = None
    pull: Pull | None = None
    #: Whether our reaction stands under the comment: it has been dealt with.
    reacted: bool = False
    #: What else in the repository the author of the comment is assigned to, open issues only.
    elsewhere: tuple[Assignment, ...] = ()
    #: The pull request that the comment names; None when there is none.
    named: Pull | None = None
    #: The issues that the pull request closes.
    closes: tuple[Issue, ...] = ()
    #: None when the signatures cannot be read, in part or at all.
    store: Store | None = None
    #: Whether GitHub knows the team of the configuration; None when it does not tell us.
    team_exists: bool | None = None
