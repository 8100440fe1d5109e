"""The snapshot: facts on GitHub when the engine decides, read afresh and not from the event."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import AwareDatetime


class Status(StrEnum):
    """The column of an issue on the board."""

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
    #: Whether GitHub marks it as an app or a bot; its name proves nothing.
    bot: bool = False
    #: The relation of the account to the repository, in GitHub's words: OWNER, MEMBER, NONE, ...
    association: str = 'NONE'

    @property
    def maintains(self) -> bool:
        """Whether the account maintains the repository."""
        return self.association in {'OWNER', 'MEMBER', 'COLLABORATOR'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The assignment of somebody to an open issue."""

    issue: int
    login: str
    at: AwareDatetime
    #: False where GitHub has no event of it: it was made some time before `at`.
    is_dated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An act of somebody that counts as work: a comment, a push, a review."""

    login: str
    at: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """A time in which a label was on the issue."""

    name: str
    since: AwareDatetime
    #: None while it is still on.
    until: AwareDatetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A comment of our own, found by its key."""

    key: str
    comment_id: int
    text: str
    at: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """An author or co-author that a commit names, which git does not verify."""

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
    """The state of the check of the agreement."""

    PASSED = 'passed'
    FAILED = 'failed'
    #: The signatures cannot be read now; the next run tries again.
    UNDECIDED = 'undecided'


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The check on the newest commit."""

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
    #: The last time it became ready for review: opened, marked as ready, or pushed to.
    ready_at: AwareDatetime | None = None
    #: Pushes, comments and reviews by anybody.
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
    #: The assignments, oldest first.
    assignments: tuple[Assignment, ...] = ()
    #: Whether there is a board that can be read and written.
    has_board: bool = False
    #: Its column; None when it is not on the board.
    status: Status | None = None
    #: The time of its last change of column.
    status_since: AwareDatetime | None = None
    #: Comments of people.
    acts: tuple[Act, ...] = ()
    said: tuple[Said, ...] = ()
    #: Open pull requests that close it or mention it.
    pulls: tuple[Pull, ...] = ()

    def assignment_of(self, login: str) -> Assignment | None:
        """Return the assignment of this account, if there is one."""
        return next((each for each in self.assignments if each.login == login), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The signature of an account under a version of the agreement."""

    id: int
    login: str
    version: str
    #: SHA-256 of the lower-case addresses that GitHub tied to the account when it signed.
    addresses: tuple[str, ...]
    at: AwareDatetime
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
    """All facts that the decision on one event may use."""

    #: Our own account: the name by which a comment may call us.
    me: str = ''
    issue: Issue | None = None
    pull: Pull | None = None
    #: Whether our reaction is under the comment, which marks it as answered.
    reacted: bool = False
    #: Assignments of the author of the comment to other open issues of the repository.
    elsewhere: tuple[Assignment, ...] = ()
    #: The pull request that the comment names; None when there is none.
    named: Pull | None = None
    #: The issues that the pull request closes.
    closes: tuple[Issue, ...] = ()
    #: None when the signatures cannot be read, in part or at all.
    store: Store | None = None
    #: Whether GitHub knows the team of the configuration; None without an answer.
    team_exists: bool | None = None
