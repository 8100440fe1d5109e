"""Commands: the changes that the engine may ask for, each with its target and whole content.

Commands of a plan are performed in order; when one fails, the rest are not tried.
"""

from dataclasses import dataclass

from backstay.contributing.replies import Text
from backstay.contributing.snapshot import CheckState, Signature, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Assign somebody. It ends its plan: the next decision is made on a fresh read."""

    issue: int
    login: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassign:
    """Take somebody off an issue."""

    issue: int
    login: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatus:
    """Move an issue on the board, and add it first when it is not there."""

    issue: int
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLabel:
    """Put a label on an issue."""

    issue: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLabel:
    """Take a label off an issue."""

    issue: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """Write a comment under an issue or a pull request, with its key hidden in it."""

    number: int
    key: str
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class EditComment:
    """Replace the text of a comment of our own."""

    comment_id: int
    key: str
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class React:
    """Show with a thumb that a comment has been dealt with."""

    comment_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteIssue:
    """Write the description of an issue."""

    issue: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPull:
    """Make a pull request say that it resolves the issue, by its new body."""

    issue: int
    repository: str
    number: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkPull:
    """Make a pull request no longer say that it resolves the issue, by its new body."""

    issue: int
    repository: str
    number: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateStore:
    """Make the branch of the signatures, empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSignature:
    """Write a signature into the branch."""

    signature: Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCheck:
    """Set the check of the agreement on a commit."""

    sha: str
    state: CheckState
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noop:
    """Do nothing, for this reason."""

    reason: str


Command = (
    Assign
    | Unassign
    | SetStatus
    | AddLabel
    | RemoveLabel
    | Comment
    | EditComment
    | React
    | WriteIssue
    | LinkPull
    | UnlinkPull
    | CreateStore
    | RecordSignature
    | SetCheck
    | Noop
)
