"""Grants: who may do what, on which rows, with which fields.

A resource declares them from the lowest to the highest. A row is shown to a caller with the fields
of the highest grant that covers it, and not at all when none does.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q

from backstay.caller import Kind, Standing


class _All:
    """Every field and relation of the resource."""

    def __repr__(self) -> str:
        return 'ALL'


ALL: Final = _All()
Names = Iterable[str] | _All


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Callers, by kind and level."""

    #: None for every kind.
    kinds: frozenset[Kind] | None = None
    #: The level that they hold somewhere, at least.
    level: int = 0

    def includes(self, standing: Standing) -> bool:
        """Whether a caller of this standing is one of them."""
        return (self.kinds is None or standing.kind in self.kinds) and standing.level >= self.level


anyone: Final = Who()
signed_in: Final = Who(kinds=frozenset({'account', 'key'}))
trusted: Final = Who(kinds=frozenset({'command', 'task'}))


def level(least: int) -> Who:
    """Callers that hold at least this level somewhere; on which rows it counts, `rows` says."""
    return Who(level=least)


@dataclass(frozen=True, slots=True)
class Scope:
    """In `rows`: the things over which the caller holds at least a level.

    `Q(company_id__in=Scope('companies', level=2))`. Bound as one array per request.
    """

    over: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class CallerValue:
    """In `rows`: a value of the caller, such as `Q(owner_id=CallerValue('account_id'))`.

    It is NULL, and so equal to nothing, where the caller has no such value.
    """

    name: str


EVERY_ROW: Final = Q()


@dataclass(frozen=True, slots=True)
class Grant:
    """What some callers may do with some rows."""

    who: Who
    #: Fields and relations that they may read, filter by and sort by.
    read: Names = ()
    #: Which rows; by default all of them.
    rows: Q = EVERY_ROW
    #: Fields that they may change.
    write: Names = ()
    #: Fields that they may give to a new row; none means that they may create none.
    create: Names = ()
    #: Whether they may delete such rows, and see and restore what was deleted softly.
    delete: bool = False
    #: What a row must be once they have written it; the same as `rows` unless given.
    check: Q | None = None

    def reads(self, name: str) -> bool:
        """Whether it lets this field or relation be read."""
        return named(self.read, name)


def named(names: Names, name: str) -> bool:
    """Whether a grant's names have this one."""
    return names is ALL or name in names  # type: ignore[operator]


#: What the rows of a grant come to for a standing: all, none, or a condition.
Cover = Q | bool


@dataclass(frozen=True, slots=True)
class Writing:
    """How the parts of a grant's rows are written."""

    #: One lookup with its value.
    leaf: Callable[[str, Any], Q]
    #: Whatever else a `Q` holds.
    expression: Callable[[Any], Q]
    #: The rows that a condition does not cover; what is unknown covers nothing.
    complement: Callable[[Q], Q]


def cover(rows: Q, standing: Standing, writing: Writing) -> Cover:
    """The rows of a grant, simplified for a standing.

    A scope that the caller holds over everything is true for every row, and falls away.
    """
    if not rows.children:
        return True
    parts = [_cover_of(child, standing, writing) for child in rows.children]
    joined = _join(parts, rows.connector)
    if not rows.negated:
        return joined
    return (not joined) if isinstance(joined, bool) else writing.complement(joined)


def certain(rows: Q, standing: Standing) -> bool | None:
    """Whether a standing alone says that the rows are all, or none; None where it does not."""
    covered = cover(rows, standing, _UNWRITTEN)
    return covered if isinstance(covered, bool) else None


_UNWRITTEN = Writing(leaf=lambda *_: Q(pk=0), expression=Q, complement=lambda covered: covered)


def _cover_of(child: Any, standing: Standing, writing: Writing) -> Cover:
    if isinstance(child, Q):
        return cover(child, standing, writing)
    if not isinstance(child, tuple):
        return writing.expression(child)
    lookup, value = child
    if isinstance(value, Scope) and _holds_all(standing, value):
        return True
    return writing.leaf(lookup, value)


def _holds_all(standing: Standing, scope: Scope) -> bool:
    return any(over == scope.over and held >= scope.level for over, held in standing.everywhere)


def _join(parts: Iterable[Cover], connector: str) -> Cover:
    """AND or OR of parts, of which some are known already."""
    deciding = connector == Q.OR
    kept = []
    for part in parts:
        if isinstance(part, bool):
            if part is deciding:
                return deciding
        else:
            kept.append(part)
    if not kept:
        return not deciding
    return Q(*kept, _connector=connector)
