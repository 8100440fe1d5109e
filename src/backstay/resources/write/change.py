"""Changes: the requested change of each row, and its state on the way through the passes.

A batch is a list of changes of one resource. Each pass of `backstay.resources.write.perform` takes
the batch one step on; a change that is refused on the way takes no part in the later ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db import models

from backstay.caller import Caller, Facts, Standing
from backstay.errors import Fault, Problem, refused
from backstay.resources.declaration.grants import Grant
from backstay.resources.declaration.resource import Resource
from backstay.resources.query.asked import Asked

Verb = Literal['create', 'update', 'delete', 'restore', 'upsert']
#: What the body of a change stands for: new members, a JSON Merge Patch, or all members anew.
Meaning = Literal['create', 'patch', 'replace']


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The requested change of one row, as it was sent."""

    verb: Verb
    #: Position in the request.
    index: int = 0
    #: JSON pointer to its body in what was sent.
    pointer: str = ''
    #: JSON pointer to its key.
    key_pointer: str = ''
    #: Names and values that find its row; of a new row, none.
    key: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    meaning: Meaning = 'patch'
    #: Tags of which one must be the row's, without quotes; `3` stands for version 3.
    if_match: tuple[str, ...] = ()
    #: Tags of which none may be the row's.
    if_none_match: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Change:
    """The change of one row: the request, and what is known about it so far.

    Hooks read it; those before the write may set `values`.
    """

    asked: Intent
    #: The verb in effect: an upsert becomes `create` or `update`.
    verb: Verb = field(init=False)
    body: Mapping[str, Any] = field(init=False)
    meaning: Meaning = field(init=False)
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
        self.verb, self.body, self.meaning = self.asked.verb, self.asked.body, self.asked.meaning

    @property
    def pointer(self) -> str:
        """The JSON pointer to its body in what was sent."""
        return self.asked.pointer

    @property
    def is_refused(self) -> bool:
        """Whether it is refused, in whole or for a fault of its body."""
        return self.problem is not None or bool(self.faults)

    def refuse(self, pointer: str, code: str, detail: str) -> None:
        """Add a fault of a member of the body; `pointer` starts at the body itself."""
        self.faults.append(Fault(pointer=self.pointer + pointer, code=code, detail=detail))

    def value(self, attribute: str) -> Any:
        """Return an attribute as it will be after the change."""
        if attribute in self.values:
            return self.values[attribute]
        return self.before.get(attribute)

    @property
    def parent_key(self) -> Any:
        """The value with which a child refers to its parent; None while the parent is new."""
        row = self.parent.row if self.parent else None
        return None if row is None else getattr(row, self.parent_local)

    def refusal(self) -> Problem | None:
        """Return the problem that the client gets; None if the change is not refused."""
        if self.problem or not self.faults:
            return self.problem
        return refused(self.faults)


@dataclass(slots=True, kw_only=True)
class Batch:
    """Changes of one resource by one caller, in one transaction."""

    asked: Asked
    #: The resource of the changes: that of the request, or of children that are written with it.
    resource: type[Resource]
    changes: Sequence[Change]
    #: Whether the request is about many rows, so that a fault must say of which.
    many: bool = False
    #: Whether the database refused it once, so that it is asked beforehand what it would refuse.
    careful: bool = False
    #: The relation that led here from the batch above, behind those that led there; () on top.
    path: tuple[str, ...] = ()
    #: Batches of the children that are written with its rows, by relation.
    children: dict[str, 'Batch'] = field(default_factory=dict)
    #: Changes that the deletion of its rows caused in other rows.
    consequences: 'list[Batch]' = field(default_factory=list)
    #: What its changes are to resources of other parts of the same rows, in children's tables.
    parts: 'list[Batch]' = field(default_factory=list)

    @property
    def caller(self) -> Caller:
        """The caller who writes."""
        return self.asked.caller

    @property
    def using(self) -> str:
        """Alias of the database."""
        return self.asked.using

    @property
    def depth(self) -> int:
        """The number of relations between the request's resource and this one: 0 for itself."""
        return len(self.path)

    @property
    def standing(self) -> Standing:
        """The caller's standing to write."""
        return self.caller.standing(writing=True)

    def facts(self, **more: Any) -> Facts:
        """Return the values to which the slots of its statements are bound."""
        facts = self.asked.facts
        facts.update(more)
        return facts

    def below(self, name: str, resource: type[Resource], changes: Sequence[Change]) -> 'Batch':
        """Return the batch of the children to which a relation leads."""
        return Batch(
            asked=self.asked,
            resource=resource,
            changes=changes,
            careful=self.careful,
            path=(*self.path, name),
        )

    def tree(self) -> Iterator['Batch']:
        """Yield this batch and all batches below it."""
        yield self
        for below in self.children.values():
            yield from below.tree()

    def open(self, *verbs: Verb) -> Iterator[Change]:
        """Yield the changes that are not refused, with these verbs or with any."""
        # Every pass asks every change; a property would cost a call for each.
        for change in self.changes:
            is_open = change.problem is None and not change.faults
            if is_open and (not verbs or change.verb in verbs):
                yield change

    def refuse(self) -> None:
        """Raise the problem of the refused changes; of many rows, one with a pointer to each."""
        told = [(change, problem) for change in self.changes if (problem := change.refusal())]
        if not told:
            return
        if not self.many:
            raise told[0][1]
        faults: list[Fault] = []
        for change, problem in told:
            pointer = change.asked.key_pointer or change.pointer
            own = Fault(pointer=pointer, code=problem.answer_code, detail=problem.detail)
            faults += problem.errors or (own,)
        statuses = {problem.answer_status for _, problem in told}
        codes = {problem.answer_code for _, problem in told}
        status = statuses.pop() if len(statuses) == 1 else 422
        raise refused(
            faults,
            status=status if status in _OF_MANY else 422,
            code=codes.pop() if len(codes) == 1 else 'bulk-refused',
        )


#: Statuses that may be said of many rows as of one.
_OF_MANY = (403, 409, 412)
