"""What the simulated GitHub holds: repositories with issues, pull requests, files and boards."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from backstay.contributing.snapshot import Person

_ids = count(10_000)


def new_id() -> int:
    """A number that nothing else has."""
    return next(_ids)


@dataclass(kw_only=True)
class Comment:
    """A comment with the thumbs that it got from us."""

    author: Person
    body: str
    at: datetime
    edited_at: datetime | None = None
    id: int = field(default_factory=new_id)
    thumbs: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class Happened:
    """An entry of the timeline."""

    kind: str
    at: datetime
    login: str = ''
    label: str = ''


@dataclass(kw_only=True)
class Work:
    """A commit with the authors that its message and git name."""

    sha: str
    at: datetime
    authors: list[tuple[str, str, Person | None]]


@dataclass(kw_only=True)
class Review:
    """A review."""

    author: Person
    at: datetime


@dataclass(kw_only=True)
class Thing:
    """An issue or, with a head, a pull request."""

    number: int
    author: Person
    created_at: datetime
    body: str = ''
    state: str = 'OPEN'
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    timeline: list[Happened] = field(default_factory=list)
    id: str = field(default_factory=lambda: f'N_{new_id()}')
    #: Of pull requests only.
    head: str = ''
    draft: bool = False
    from_fork: bool = False
    commits: list[Work] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    #: Numbers of the issues that it closes.
    closes: list[int] = field(default_factory=list)


@dataclass(kw_only=True)
class Board:
    """A project with its columns and the items that stand in them."""

    number: int = 1
    columns: list[str] = field(
        default_factory=lambda: [
            'To Do',
            'In Progress',
            'Ready For Review',
            'In Review',
            'Staging',
            'Production',
        ]
    )
    #: Column and time of each issue, by its node id.
    items: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    id: str = 'PVT_1'
    field_id: str = 'PVTSSF_1'


@dataclass(kw_only=True)
class Repository:
    """A repository."""

    owner: str
    name: str
    things: dict[int, Thing] = field(default_factory=dict)
    #: Texts by branch and path; HEAD is the default branch.
    branches: dict[str, dict[str, str]] = field(default_factory=lambda: {'HEAD': {}})
    labels: list[dict[str, Any]] = field(default_factory=list)
    checks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    board: Board | None = None

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f'{self.owner}/{self.name}'

    def columns(self) -> dict[int, str]:
        """Where each issue stands on the board."""
        items = self.board.items if self.board else {}
        return {
            number: items[thing.id][0] for number, thing in self.things.items() if thing.id in items
        }


def oid(text: str) -> str:
    """The id of a text, as git gives it to a file."""
    data = text.encode()
    return hashlib.sha1(b'blob %d\0' % len(data) + data, usedforsecurity=False).hexdigest()
