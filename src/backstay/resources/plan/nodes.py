"""What the passes work on: one draft, filled in from pass to pass."""

from dataclasses import dataclass, field

from django.db import models
from django.db.models.expressions import Combinable

from backstay.engine.pages import Count
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.shape import Field, Relation
from backstay.resources.query.nodes import Key, Mask, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowField:
    """A value of the row; of a JSON field, as much of it as `inner` says."""

    field: Field
    inner: Mask | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOne:
    """The one related row, or null."""

    relation: Relation
    selection: 'Selection'


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowMany:
    """A list of related rows."""

    relation: Relation
    selection: 'Selection'


Member = ShowField | ShowOne | ShowMany


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is shown of a resource: its members by name, in the order of the mask."""

    readable: Readable
    members: tuple[tuple[str, Member], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SortKey:
    """One key of the order, as the ORM writes it."""

    key: Key
    expression: Combinable
    field: Field
    #: Whether it may be NULL; only then it matters where NULL goes.
    nullable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan in the making. Every pass returns it with one more part filled in."""

    readable: Readable
    shape: Shape
    #: Rows that a page may have; the cost is reckoned with it.
    page_size: int
    #: What is shown, once the mask is resolved.
    selection: Selection | None = None
    #: The rows that the caller may see and the filter lets pass.
    rows: models.QuerySet | None = None
    order: tuple[SortKey, ...] = field(default=())
    #: The rows, further narrowed to those behind the cursor.
    page: models.QuerySet | None = None
    #: How many rows there are, where that is asked.
    count: Count | None = None
