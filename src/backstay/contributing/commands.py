"""What the engine may want done. A command names its target and its whole content.

Commands of a plan are performed in order; when one fails, those behind it are not tried.
"""

from dataclasses import dataclass

from backstay.contributing.replies import Text
from backstay.contributing.snapshot import CheckState, Signature, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Assign somebody. It ends its plan: what follows is decided on a fresh read."""

    issue: int
    login: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassign:
    """Take somebody off an issue."""

    issue: int
    login: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatus:
    """Move an issue on the board; one that is not on it is put there."""

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
    """Write a comment under an issue or a pull request. Its key stands hidden in it."""

    number: int
    key: str
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class EditComment:
    """Write another text into a comment of our own."""

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
    """Let a pull request say that it resolves the issue: the body it shall have."""

    issue: int
    repository: str
    number: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkPull:
    """Let a pull request no longer say so: the body it shall have."""

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
