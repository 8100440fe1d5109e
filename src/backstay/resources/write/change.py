"""What is to be done to one row, and what becomes of it on the way.

A batch is a list of changes of one resource. Each pass of `backstay.resources.write.perform` takes
the batch one step on; a change that is refused on the way takes no part in the later ones.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db import models

from backstay.caller import Caller, Facts, Standing
from backstay.errors import Fault, Problem, refused
from backstay.resources.declaration.grants import Grant
from backstay.resources.declaration.resource import Resource

Verb = Literal['create', 'update', 'delete', 'restore', 'upsert']
#: What the body of a change stands for: new members, a JSON Merge Patch, or all members anew.
Meaning = Literal['create', 'patch', 'replace']

#: What of a change was asked, and not found out.
_ASKED = (
    'asked',
    'index',
    'pointer',
    'key_pointer',
    'key',
    'body',
    'meaning',
    'if_match',
)


@dataclass(slots=True, kw_only=True)
class Change:
    """One row's change. Hooks read it; those before the write may set `values`."""

    #: What is asked, and what that comes to: an upsert creates or updates.
    asked: Verb
    verb: Verb = 'update'
    #: Position in the batch.
    index: int = 0
    #: JSON pointer to its body in what was sent.
    pointer: str = ''
    #: JSON pointer to its key.
    key_pointer: str = ''
    #: Names and values that find its row; of a new row, none.
    key: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    meaning: Meaning = 'patch'
    #: ETags, without quotes, of which one must be the row's; `3` stands for version 3.
    if_match: tuple[str, ...] = ()
    #: The change of the row that it is a child of, the attribute that says so, and the attribute of
    #: the parent that it holds.
    parent: 'Change | None' = None
    parent_attribute: str = ''
    parent_local: str = ''

    #: The row: locked and as it was, until it is written; new ones are made then.
    row: models.Model | None = None
    #: The attributes of the row before the change; empty for a new one.
    before: Mapping[str, Any] = field(default_factory=dict)
    #: Attributes to write, by name, in Python's own types.
    values: dict[str, Any] = field(default_factory=dict)
    #: The writable relations of the body, as they were sent.
    related: dict[str, Any] = field(default_factory=dict)
    #: Keys of the rows that many-to-many relations shall lead to.
    links: dict[str, list[Any]] = field(default_factory=dict)
    #: Keys that they led to and lead to now, where that changed.
    relinked: dict[str, tuple[list[Any], list[Any]]] = field(default_factory=dict)
    #: The grant that decides about the row.
    grant: Grant | None = None
    faults: list[Fault] = field(default_factory=list)
    #: Why it is refused as a whole.
    problem: Problem | None = None

    def __post_init__(self) -> None:
        self.verb = self.asked

    @property
    def is_refused(self) -> bool:
        """Whether it is refused, in whole or for a fault of its body."""
        return self.problem is not None or bool(self.faults)

    def refuse(self, pointer: str, code: str, detail: str) -> None:
        """Find fault with a member of the body; `pointer` leads there from the body's own start."""
        self.faults.append(Fault(pointer=self.pointer + pointer, code=code, detail=detail))

    def value(self, attribute: str) -> Any:
        """An attribute as it will be."""
        if attribute in self.values:
            return self.values[attribute]
        return self.before.get(attribute)

    @property
    def parent_key(self) -> Any:
        """What a child holds of its parent; None where the parent is new."""
        row = self.parent.row if self.parent else None
        return None if row is None else getattr(row, self.parent_local)

    def refusal(self) -> Problem | None:
        """What the client is told, if it is refused."""
        if self.problem or not self.faults:
            return self.problem
        return refused(self.faults)

    def anew(self) -> 'Change':
        """The same change before anything was done about it."""
        asked = {name: getattr(self, name) for name in _ASKED}
        return Change(**asked)


@dataclass(slots=True, kw_only=True)
class Batch:
    """Changes of one resource by one caller, in one transaction."""

    resource: type[Resource]
    caller: Caller
    changes: Sequence[Change]
    using: str = 'default'
    #: Whether the request is about many rows, so that a fault must say of which.
    many: bool = False
    #: Whether the database refused it once, so that it is asked beforehand what it would refuse.
    careful: bool = False
    #: Scheme and host of the request, for the URLs in objects.
    origin: str = ''
    #: Relations between what the request is about and this: 0 for itself.
    depth: int = 0
    #: Batches of the children that are written with its rows, by relation.
    children: dict[str, 'Batch'] = field(default_factory=dict)
    #: Changes that the deletion of its rows caused in other rows.
    consequences: 'list[Batch]' = field(default_factory=list)
    #: The ETag of the one row, as the client would be shown it now.
    etag: Callable[[], str] | None = None

    @property
    def standing(self) -> Standing:
        """What the caller may write with."""
        return self.caller.standing(writing=True)

    def facts(self, **more: Any) -> Facts:
        """What the slots of its statements are bound to."""
        facts = Facts(self.caller, self.origin)
        facts.update(more)
        return facts

    def begin_again(self) -> None:
        """Forget all that was found out."""
        self.changes = [change.anew() for change in self.changes]
        self.children, self.consequences = {}, []

    def open(self, *verbs: Verb) -> Iterator[Change]:
        """The changes that are not refused, of these verbs or of all."""
        for change in self.changes:
            if not change.is_refused and (not verbs or change.verb in verbs):
                yield change
