"""What one request asks, as frozen values.

A `Query` is a shape and its values. The shape alone decides which SQL is written, so it is the key
of the plan cache; it holds no value. A node that needs a value names a *slot*: an index into
`Query.values`.
"""

from dataclasses import dataclass
from typing import Any, Literal

from backstay.resources.kinds.operators import Op as Op


@dataclass(frozen=True, slots=True)
class Mask:
    """A parsed `X-Fields` mask: names in the order asked for, each with the mask below it.

    `*` is a name like any other here; what it stands for is known only beside a resource.
    """

    entries: tuple[tuple[str, 'Mask | None'], ...] = ()

    def __str__(self) -> str:
        return '{' + ','.join(f'{name}{below or ""}' for name, below in self.entries) + '}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One comparison."""

    #: Name of a field of the resource that `relation` leads to.
    field: str
    op: Op
    #: The place of the value; None for the operators that take none.
    slot: int | None = None
    #: The field of the listed resource that names the related one; '' for the resource itself.
    relation: str = ''
    #: Member of a JSON field, such as `color` in `metadata.color`; '' for the field itself.
    member: str = ''


@dataclass(frozen=True, slots=True)
class And:
    """True where every part is; of no parts, true everywhere."""

    parts: tuple['Condition', ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True where some part is."""

    parts: tuple['Condition', ...]


@dataclass(frozen=True, slots=True)
class Not:
    """SQL's NOT: what is unknown stays unknown."""

    part: 'Condition'


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Whether some related row, or none, satisfies a condition of its own (`some`, `none`)."""

    relation: str
    where: 'Condition'
    negated: bool = False


Condition = Leaf | And | Or | Not | Related


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of an order."""

    field: str
    descending: bool = False
    #: The place of NULL: last when ascending and first when descending, unless asked otherwise.
    nulls_first: bool = False
    #: The to-one relation whose field it is; '' for the resource itself.
    relation: str = ''


CountMode = Literal['exact', 'estimate', 'none']


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetPage:
    """A page by position. The limit slot holds one more than the page, to see on."""

    limit_slot: int
    offset_slot: int
    #: Whether the next page lies too deep for an offset, so that a cursor leads there.
    is_last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorPage:
    """A page by position in the order. The limit slot holds one more than the page, to see on."""

    limit_slot: int
    #: The slots of the boundary row's keys; None where the key was NULL. () on the first page.
    key_slots: tuple[int | None, ...] = ()
    #: Whether the page lies before the boundary; its rows then come in reverse.
    backwards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRow:
    """One object, by the value of its lookup field."""

    lookup_slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AllRows:
    """Every row, streamed (CSV)."""


Page = OffsetPage | CursorPage | OneRow | AllRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Everything that decides the SQL of a request, and no value."""

    #: None for the resource's default mask.
    mask: Mask | None = None
    where: Condition = And(())
    order: tuple[Key, ...] = ()
    page: Page
    count: CountMode = 'none'
    #: Names that a strict client wants to exist (`Prefer: handling=strict`).
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One request: its shape, and the values of the shape's slots in Python's own types."""

    shape: Shape
    values: tuple[Any, ...] = ()
