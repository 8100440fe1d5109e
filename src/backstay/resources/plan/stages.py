"""The stages of a plan, each with its own type, so that a pass in the wrong place is a type error.

    Selection -> VisibleRows -> FilteredRows -> OrderedRows -> PageRows -> Plan

A stage holds what the one before it knew and one fact more. Nothing in it is optional: a pass takes
a stage that is complete and returns the next one.
"""

from dataclasses import dataclass

from django.db import models
from django.db.models.expressions import Combinable

from backstay.engine.pages import Counting
from backstay.engine.slots import Slot
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.shape import Field, Relation
from backstay.resources.query.nodes import Key, Mask


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
    """The members of a resource that an answer shows, by name, in the order of the mask."""

    readable: Readable
    members: tuple[tuple[str, Member], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleRows:
    """The rows that the caller may see; for one object, the row with its lookup value."""

    selection: Selection
    rows: models.QuerySet[models.Model]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilteredRows:
    """The visible rows that pass the filter, and how they are counted."""

    selection: Selection
    rows: models.QuerySet[models.Model]
    count: Counting


@dataclass(frozen=True, slots=True, kw_only=True)
class SortKey:
    """One key of the order, as an ORM expression."""

    key: Key
    expression: Combinable
    field: Field
    #: Whether it may be NULL; only then it matters where NULL goes.
    nullable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedRows:
    """The filtered rows with the keys that put them in a total order."""

    filtered: FilteredRows
    keys: tuple[SortKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRows:
    """The ordered rows that lie behind the cursor, and where the page is cut out of them."""

    ordered: OrderedRows
    rows: models.QuerySet[models.Model]
    #: The words that cut the page, with their slots: LIMIT, OFFSET. Empty for every row.
    bounds: tuple[tuple[str, Slot], ...]
    #: Whether the answer carries the keys of its rows, for cursors.
    keyed: bool
