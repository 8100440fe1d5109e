"""Rights as SQL: which rows of a resource a caller may see, and which fields each of them shows.

Everything that touches a resource's rows comes through here: the listed rows, nested ones, those of
an EXISTS, counts and sort keys.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q

from backstay.engine.comparisons import is_in, is_not_true, nowhere
from backstay.engine.slots import TRUTH, ListSlot
from backstay.engine.unshared import unshared
from backstay.resources.declaration.conditions import (
    AllOf,
    Among,
    AnyOf,
    CallerValue,
    Compared,
    Complement,
    Covered,
    Expressed,
    GrantCondition,
    Scope,
    is_within,
    leaves_of,
    settle,
)
from backstay.resources.declaration.fields import Computed
from backstay.resources.declaration.grants import Grant
from backstay.resources.declaration.readable import Readable
from backstay.resources.kinds.registered import list_slot_of, slot_of

#: The rows of a grant in a statement: all, none, or a condition.
Cover = Q | bool


def rows(readable: Readable) -> models.QuerySet[models.Model]:
    """Return the rows that the caller may see."""
    return rows_of(readable, visible(readable))


def rows_of(readable: Readable, covered: Cover) -> models.QuerySet[models.Model]:
    """Return the rows of a resource that are covered."""
    every = readable.resource.options.model._base_manager.order_by()
    if isinstance(covered, bool):
        # Django would refuse to write a subquery of `none()`.
        return every if covered else every.filter(nowhere())
    return every.filter(covered)


def visible(
    readable: Readable, prefix: str = '', by: Callable[[Grant], bool] = lambda _: True
) -> Cover:
    """Return the condition of rows that the caller may see, by the grants that `by` chooses.

    `prefix` is the ORM path to them from the query's own.
    """
    # The lowest first: it mostly covers the most rows, and the others then need no look.
    model = readable.resource.options.model
    kept: list[tuple[Cover, Grant]] = []
    for covered, grant in reversed(_covers(readable, prefix)):
        rows = grant.covers(model)
        is_held = any(is_within(rows, each.covers(model)) for _, each in kept)
        if by(grant) and (readable.restoring or not is_held):
            kept.append((covered, grant))
    return any_of([covered for covered, _ in kept])


def where_readable(readable: Readable, name: str, prefix: str = '') -> Cover:
    """Return the visible rows on which the caller may read a field or relation (rule L3).

    For a computed field, the rows among all: a database is free to compute it before it finds that
    a row is hidden, and computing may fail. In a CASE it may not.
    """
    cases = [(covered, grant.reads(name)) for covered, grant in _covers(readable, prefix)]
    field = readable.fields.get(name)
    if field is not None and isinstance(field.declared, Computed):
        cases.append((True, False))
    return _first(cases)


def shapes(
    readable: Readable, names: Sequence[str], prefix: str = ''
) -> list[tuple[Cover, frozenset[str]]]:
    """Return the names that a visible row shows, by condition; the first that holds decides.

    The last one needs no condition: a visible row that no other covers is covered by it.
    """
    found: list[tuple[Cover, frozenset[str]]] = []
    for covered, grant in _covers(readable, prefix):
        shown = frozenset(name for name in names if grant.reads(name))
        if found and found[-1][1] == shown:
            found[-1] = (any_of([found[-1][0], covered]), shown)
        else:
            found.append((covered, shown))
    return [*found[:-1], (True, found[-1][1])] if found else [(True, frozenset())]


def runs(
    readable: Readable, names: Sequence[str], prefix: str = ''
) -> list[tuple[Cover, Sequence[str]]]:
    """Return the names in their order, those together that the same rows show, and which do.

    Says the same as `shapes`; each name is in it once, however many shapes show it.
    """
    covers = _covers(readable, prefix)
    found: list[tuple[list[bool], list[str]]] = []
    for name in names:
        granted = [grant.reads(name) for _, grant in covers]
        if found and found[-1][0] == granted:
            found[-1][1].append(name)
        else:
            found.append((granted, [name]))
    conditions = [covered for covered, _ in covers]
    return [(_first(list(zip(conditions, granted, strict=True))), run) for granted, run in found]


def _covers(readable: Readable, prefix: str) -> list[tuple[Cover, Grant]]:
    """Return the cover of each grant, the highest first, while some rows remain uncovered."""
    covers: list[tuple[Cover, Grant]] = []
    for grant in readable.grants:
        covered = _cover(readable, grant, prefix)
        if covered is False:
            continue
        covers.append((covered, grant))
        if covered is True:
            break
    return covers


def _cover(readable: Readable, grant: Grant, prefix: str) -> Cover:
    """Return the cover of a grant, with softly deleted rows that are asked for and restorable.

    A scope that is held for reading only restores nothing.
    """
    rows = grant.covers(readable.resource.options.model)
    covered = cover_rows(readable, rows, prefix)
    deleted_at = readable.resource.options.soft_delete
    if not deleted_at:
        return covered
    live = Q(**{f'{prefix}{deleted_at}__isnull': True})
    if prefix:  # to a row that may be missing
        live &= Q(**{f'{prefix}pk__isnull': False})
    shown = all_of([covered, live])
    restoring = readable.restoring
    if restoring and grant.delete and grant.who.includes(restoring):
        restorable = cover_rows(Readable(readable.resource, restoring), rows, prefix)
        if restorable == covered:
            return covered
        # By `not`, fewer scopes may cover more rows: those that are not deleted are to be read.
        gone = Q(**{f'{prefix}{deleted_at}__isnull': False})
        return any_of([all_of([restorable, gone]), shown])
    return shown


def cover_rows(readable: Readable, granted: Covered, prefix: str = '') -> Cover:
    """Return the rows that a condition of a grant covers, for callers of a standing.

    A condition that follows a path to many, or whose expressions name the row in a way that knows
    of no prefix, is asked in a subquery over the row.
    """
    condition = settle(granted, readable.standing)
    if isinstance(condition, bool):
        return condition
    writer = _Writer(readable.resource.options.model, prefix, readable.standing.writing)
    leaves = tuple(leaves_of(condition))
    multiplies = any(leaf.reach.many for leaf in leaves)
    if not multiplies and not (prefix and any(leaf.names_row for leaf in leaves)):
        return writer.write(condition)
    own = replace(writer, prefix='', multiplies=multiplies)
    return Q(Exists(writer.rows().filter(pk=OuterRef(f'{prefix}pk')).filter(own.write(condition))))


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the condition of a grant as an ORM expression, under a prefix."""

    model: type[models.Model]
    prefix: str
    #: Whether scopes held for reading only do not count.
    writing: bool
    #: Whether some path of the condition leads to many rows, so that no row has one truth of it.
    multiplies: bool = False

    def rows(self) -> models.QuerySet[models.Model]:
        return self.model._base_manager.order_by()

    def write(self, condition: GrantCondition) -> Q:
        match condition:
            case AllOf(parts=parts):
                return Q(*map(self.write, parts))
            case AnyOf(parts=parts):
                return Q(*map(self.write, parts), _connector=Q.OR)
            case Complement(part=part):
                covered = self.write(part)
                if self.multiplies:
                    return ~Q(Exists(self.rows().filter(pk=OuterRef('pk')).filter(covered)))
                return Q(is_not_true(ExpressionWrapper(covered, TRUTH)))
            case Among(path=path, scope=scope):
                among = held(scope, path.field, writing=self.writing)
                return Q(is_in(F(self.prefix + path.name), among))
            case Expressed(expression=expression):
                return Q(unshared(expression))
            case Compared(path=path, lookup=lookup, value=value):
                is_column = type(value) is F  # and none of its subclasses, which say more
                if isinstance(value, CallerValue):
                    value = slot_of(f'caller:{value.name}', path.field)
                else:
                    value = F(self.prefix + value.name) if is_column else unshared(value)
                return Q((f'{self.prefix}{path.name}__{lookup}', value))


def held(scope: Scope, field: models.Field, *, writing: bool) -> ListSlot:
    """Return the slot of the things that the caller holds, compared as a field is."""
    kind = 'writes' if writing else 'scope'
    return list_slot_of(f'{kind}:{scope.over}:{scope.level}', field)


def any_of(covers: Sequence[Cover]) -> Cover:
    """Return the rows that one of them covers."""
    if any(covered is True for covered in covers):
        return True
    conditions = [covered for covered in covers if not isinstance(covered, bool)]
    return Q(*conditions, _connector=Q.OR) if conditions else False


def all_of(covers: Sequence[Cover]) -> Cover:
    """Return the rows that each of them covers."""
    if any(covered is False for covered in covers):
        return False
    conditions = [covered for covered in covers if not isinstance(covered, bool)]
    return Q(*conditions) if conditions else True


def _first(cases: Sequence[tuple[Cover, bool]]) -> Cover:
    """Return the rows whose first covering case says yes; every row in question has one."""
    granted: Cover = False
    for position, (covered, says) in reversed(list(enumerate(cases))):
        is_last = position == len(cases) - 1
        if is_last or covered is True:
            granted = says
        elif not isinstance(covered, bool):
            granted = _either(covered, says, granted)
    return granted


def _either(covered: Q, says: bool, otherwise: Cover) -> Cover:
    """Return `says` where covered, else `otherwise`; an unknown cover covers nothing."""
    if says:
        return (otherwise or covered) if isinstance(otherwise, bool) else covered | otherwise
    if otherwise is False:
        return False
    uncovered = Q(is_not_true(ExpressionWrapper(covered, TRUTH)))
    return uncovered if otherwise is True else uncovered & otherwise
