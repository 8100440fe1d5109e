"""The members of a resource beside the fields of its model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models.expressions import Combinable

#: A resource, or its name or dotted path where the class does not exist yet.
Target = type[Any] | str


@dataclass(frozen=True, slots=True)
class One:
    """The one related row: a one-to-one child, or the row behind a foreign key.

    A relation points at a resource, never at a model, so that a path through it meets the target's
    own rights. It is null where there is no row, or none that the caller may see.
    """

    resource: Target
    #: Relation of the model; None when it is named as the field.
    source: str | None = None
    #: Whether the child is written with its parent: created, changed, and deleted by null.
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Parent:
    """The row behind a foreign key, which may be asked about and is never shown.

    A child shows the id of its parent and not the parent (rule M9), but may be filtered and sorted
    by the parent's fields.
    """

    resource: Target
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Many:
    """The related rows: children behind a reverse foreign key, or a many-to-many relation.

    Never in a default mask. At most `cap` rows per parent are shown; a list that was cut is
    reported in `truncated`.
    """

    resource: Target
    source: str | None = None
    #: Order of the rows, as in `Meta.ordering`; None for the target's own.
    ordering: Sequence[str] | None = None
    cap: int = 100
    #: Rows that a parent typically has, for the cost of a mask.
    fan_out: int = 10
    #: Whether the list is written with its parent. Children are given whole: one with its key is
    #: changed, one without is created, one left out is deleted. Of a many-to-many relation the
    #: keys are given.
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Through:
    """Rows two relations away, which may be asked about and are never shown.

    `Through('editions', 'reviews')` are the reviews of a book's editions. A filter that names both
    speaks of a review of that very edition. Readable wherever both relations are.
    """

    #: A relation of the resource.
    relation: str
    #: A relation of that one's target.
    then: str


@dataclass(frozen=True, slots=True)
class Computed:
    """A value that the database computes from an ORM expression over the row."""

    expression: Combinable
    output_field: models.Field


@dataclass(frozen=True, slots=True)
class Array:
    """A `JSONField` that holds an array of scalars, on which `any` and `not_any` may ask."""

    source: str | None = None


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute URL, from the scheme and host of the request.

    `path` holds fields of the row in braces: `Url('/v1/revision/{id}/issues/')`.
    """

    path: str


@dataclass(frozen=True, slots=True)
class InPython:
    """A value that only Python can compute: the declared slow path.

    `function` gets the values of `needs` by name, as JSON shows them, and returns what
    `json.dumps` takes. Such a field is named in the documentation and in `Server-Timing`, and can
    be neither filtered nor sorted.
    """

    function: Callable[[Mapping[str, Any]], Any]
    needs: Sequence[str]
    #: The OpenAPI schema of the value.
    schema: Mapping[str, Any] | None = None


Related = One | Parent | Many
Declared = Related | Through | Computed | Array | Url | InPython
