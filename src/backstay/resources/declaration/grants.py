"""Grants: who may do what, on which rows, with which fields.

A resource declares them from the lowest to the highest. A row is shown to a caller with the fields
of the highest grant that covers it, and not at all when none does.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from django.db import models
from django.db.models import Q

from backstay.caller import CallerKind, Standing
from backstay.resources.declaration.conditions import Covered, parse


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
    kinds: frozenset[CallerKind] | None = None
    #: The level that they hold somewhere, at least.
    level: int = 0
    #: The level of the account itself, at least, which counts over everything.
    own_level: int = 0

    def includes(self, standing: Standing) -> bool:
        """Return whether a caller of this standing is one of them."""
        return (
            (self.kinds is None or standing.kind in self.kinds)
            and standing.level >= self.level
            and standing.own_level >= self.own_level
        )


anyone: Final = Who()
signed_in: Final = Who(kinds=frozenset({'account', 'key'}))
trusted: Final = Who(kinds=frozenset({'command', 'task'}))


def level_somewhere(least: int) -> Who:
    """Return the callers that hold at least this level over anything at all.

    A level over one thing is enough, so `rows` has to say on which rows it counts.
    """
    return Who(level=least)


def own_level(least: int) -> Who:
    """Return the callers whose own level is at least this one: it counts over everything."""
    return Who(own_level=least)


def level(least: int) -> Who:
    """Return what `level_somewhere` does, under its old name, with a DeprecationWarning."""
    warnings.warn(
        'level() is called level_somewhere(); own_level() is the level of the account itself',
        DeprecationWarning,
        stacklevel=2,
    )
    return level_somewhere(least)


EVERY_ROW: Final = Q()


@dataclass(frozen=True, slots=True)
class Grant:
    """The permission of some callers to do something with some rows."""

    who: Who
    #: Fields and relations that they may read, filter by and sort by.
    read: Names = ()
    #: The rows; by default all of them.
    rows: Q = EVERY_ROW
    #: Fields that they may change.
    write: Names = ()
    #: Fields that they may give to a new row; none means that they may create none.
    create: Names = ()
    #: Whether they may delete such rows, and see and restore what was deleted softly.
    delete: bool = False
    #: The condition of a row once they have written it; the same as `rows` unless given.
    check: Q | None = None

    #: Conditions by the `Q` and model of which they were parsed.
    _parsed: dict[tuple[int, type[models.Model]], Covered] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def reads(self, name: str) -> bool:
        """Return whether it lets this field or relation be read."""
        return named(self.read, name)

    def covers(self, model: type[models.Model]) -> Covered:
        """Return the condition of `rows`, parsed once. Raises DeclarationError."""
        return self._condition(self.rows, model)

    def leaves_behind(self, model: type[models.Model]) -> Covered:
        """Return the condition of `check`, that of `rows` unless given. Raises DeclarationError."""
        return self._condition(self.rows if self.check is None else self.check, model)

    def _condition(self, rows: Q, model: type[models.Model]) -> Covered:
        key = (id(rows), model)
        if key not in self._parsed:
            self._parsed[key] = parse(rows, model)
        return self._parsed[key]


def named(names: Names, name: str) -> bool:
    """Return whether a grant's names have this one."""
    return names is ALL or name in names  # type: ignore[operator]
