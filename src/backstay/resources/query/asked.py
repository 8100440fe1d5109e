"""`Asked`: one request as a frozen value, which reads, writes, commands and tests all take.

Whoever receives a request makes it once: the view from HTTP, a command from its options, a worker
from what it has to tell. It knows no Django request, and nothing behind it needs one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backstay.caller import GUEST, Caller, Facts
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource

Parameters = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request for a resource, and its caller."""

    resource: type[Resource]
    caller: Caller = GUEST
    #: The text of the lookup field in the path; None where the collection is meant.
    lookup: str | None = None
    #: Every value of each name of the query string.
    parameters: Parameters = field(default_factory=dict)
    #: The text of the mask header.
    mask: str | None = None
    #: The body as JSON was read; None where there is none.
    body: Any = None
    #: Entity tags without quotes of which one must be the row's, or `*`; () where none is given.
    if_match: tuple[str, ...] = ()
    #: Entity tags of which none may be the row's, or `*`.
    if_none_match: tuple[str, ...] = ()
    #: The Idempotency-Key as it was sent.
    key: str | None = None
    #: Method and path, in which an Idempotency-Key is unique.
    address: str = ''
    #: Scheme and host, which URLs begin with.
    origin: str = ''
    #: Whether names that do not exist are refused (`Prefer: handling=strict`).
    strict: bool = False
    #: Whether softly deleted rows are asked for too.
    deleted: bool = False
    #: Relations whose lists in the body are whole, dotted, such as `notes.replies`.
    whole_lists: frozenset[str] = frozenset()
    #: Alias of the database.
    using: str = 'default'
    #: The resource as the caller may read it.
    readable: Readable = field(init=False)

    def __post_init__(self) -> None:
        restoring = self.caller.standing(writing=True) if self.deleted else None
        readable = Readable(self.resource, self.caller.standing(), restoring)
        object.__setattr__(self, 'readable', readable)

    @property
    def facts(self) -> Facts:
        """The values of a statement's named slots."""
        return Facts(self.caller, self.origin)
