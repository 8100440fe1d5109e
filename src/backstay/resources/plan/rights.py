"""Rights as SQL: which rows of a resource a caller may see, and which fields each of them shows.

Everything that touches a resource's rows comes through here: the listed rows, nested ones, those of
an EXISTS, counts and sort keys.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q

from backstay.engine.comparisons import is_in, is_not_true, nowhere
from backstay.engine.slots import TRUTH, ListSlot, Slot
from backstay.resources.declaration.fields import Computed
from backstay.resources.declaration.grants import (
    CallerValue,
    Cover,
    Grant,
    Scope,
    Writing,
    cover,
)
from backstay.resources.declaration.readable import Readable


def rows(readable: Readable) -> models.QuerySet[models.Model]:
    """The rows that the caller may see."""
    return rows_of(readable, visible(readable))


def rows_of(readable: Readable, covered: Cover) -> models.QuerySet[models.Model]:
    """The rows of a resource that are covered."""
    every = readable.resource.options.model._base_manager.order_by()
    if isinstance(covered, bool):
        # Django would refuse to write a subquery of `none()`.
        return every if covered else every.filter(nowhere())
    return every.filter(covered)


def visible(
    readable: Readable, prefix: str = '', by: Callable[[Grant], bool] = lambda _: True
) -> Cover:
    """Which rows the caller may see, by the grants that `by` chooses.

    `prefix` is the ORM path to them from the query's own.
    """
    # The lowest first: it mostly covers the most rows, and the others then need no look.
    kept: list[tuple[Cover, Grant]] = []
    for covered, grant in reversed(_covers(readable, prefix)):
        is_within = any(_is_within(grant.rows, each.rows) for _, each in kept)
        if by(grant) and (readable.deleted or not is_within):
            kept.append((covered, grant))
    return any_of([covered for covered, _ in kept])


def where_readable(readable: Readable, name: str, prefix: str = '') -> Cover:
    """On which of the visible rows the caller may read a field or relation (leak rule L3).

    Of what is computed, on which of all rows: a database is free to compute it before it finds that
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
    """Which of the names a visible row shows, by condition; the first that holds decides.

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
    """The names in their order, those together that the same rows show, and which rows do.

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
    """What each grant covers, the highest first, as far as any row is left for it."""
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
    """What a grant covers; of softly deleted rows nothing, unless they are asked for."""
    covered = cover_rows(readable, grant.rows, prefix)
    deleted_at = readable.resource.options.soft_delete
    if covered is False or not deleted_at or (readable.deleted and grant.delete):
        return covered
    live = Q(**{f'{prefix}{deleted_at}__isnull': True})
    if prefix:  # to a row that may be missing
        live &= Q(**{f'{prefix}pk__isnull': False})
    return live if covered is True else covered & live


def cover_rows(readable: Readable, granted: Q, prefix: str = '') -> Cover:
    """Which rows a condition of a grant covers, for callers of a standing."""
    model = readable.resource.options.model
    if _is_plain(granted, model):
        leaf = _Leaf(model, prefix, readable.standing.writing)
        writing = Writing(leaf=leaf, expression=Q, complement=_not_true)
        return cover(granted, readable.standing, writing)
    # Its joins would multiply rows, or its expressions know nothing of a prefix.
    every = model._base_manager.order_by()

    def complement(covered: Q) -> Q:
        return ~Q(Exists(every.filter(pk=OuterRef('pk')).filter(covered)))

    leaf = _Leaf(model, '', readable.standing.writing)
    writing = Writing(leaf=leaf, expression=Q, complement=complement)
    covered = cover(granted, readable.standing, writing)
    if isinstance(covered, bool):
        return covered
    return Q(Exists(every.filter(pk=OuterRef(f'{prefix}pk')).filter(covered)))


def _not_true(covered: Q) -> Q:
    return Q(is_not_true(ExpressionWrapper(covered, TRUTH)))


@dataclass(frozen=True, slots=True)
class _Leaf:
    """Writes one lookup of a grant's rows, under a prefix."""

    model: type[models.Model]
    prefix: str
    #: Whether scopes held for reading only do not count.
    writing: bool

    def __call__(self, lookup: str, value: Any) -> Q:
        if isinstance(value, Scope):
            path = lookup.removesuffix('__in')
            among = held(value, _field_at(self.model, path), writing=self.writing)
            return Q(is_in(F(self.prefix + path), among))
        if isinstance(value, CallerValue):
            value = Slot(f'caller:{value.name}', _field_at(self.model, lookup))
        return Q((self.prefix + lookup, value))


def held(scope: Scope, field: models.Field, *, writing: bool) -> ListSlot:
    """The things that the caller holds, compared as a field is."""
    kind = 'writes' if writing else 'scope'
    return ListSlot(f'{kind}:{scope.over}:{scope.level}', field)


def _field_at(model: type[models.Model], lookup: str) -> models.Field:
    """The field that a lookup ends at; of a relation, the field that it points at."""
    field: Any = None
    options: Any = model._meta
    for part in lookup.split('__'):
        try:
            field = options.pk if part == 'pk' else options.get_field(part)
        except FieldDoesNotExist:
            break
        if field.is_relation:
            options = field.related_model._meta
    found: models.Field = field
    if field.is_relation:
        found = field.target_field if isinstance(field, models.ForeignKey) else options.pk
    return found


def _is_plain(rows: Q, model: type[models.Model]) -> bool:
    """Whether the rows can be told without joins to many and without expressions."""
    for child in rows.children:
        if isinstance(child, Q):
            if not _is_plain(child, model):
                return False
        elif not isinstance(child, tuple) or _meets_many(model, child[0]):
            return False
    return True


def _meets_many(model: type[models.Model], lookup: str) -> bool:
    options: Any = model._meta
    for part in lookup.split('__'):
        try:
            field = options.pk if part == 'pk' else options.get_field(part)
        except FieldDoesNotExist:
            return False
        if field.one_to_many or field.many_to_many:
            return True
        if field.is_relation:
            options = field.related_model._meta
    return False


def _is_within(inner: Any, outer: Any) -> bool:
    """Whether rows are among others for certain: who holds a level holds those below it."""
    match inner, outer:
        case Q(), Q():
            return (
                not (inner.negated or outer.negated)
                and inner.connector == outer.connector != Q.XOR
                and len(inner.children) == len(outer.children)
                and all(map(_is_within, inner.children, outer.children))
            )
        case (path, Scope() as high), (other, Scope() as low):
            return bool(path == other and high.over == low.over and high.level >= low.level)
    return bool(inner == outer)


def any_of(covers: Sequence[Cover]) -> Cover:
    """The rows that one of them covers."""
    if any(covered is True for covered in covers):
        return True
    conditions = [covered for covered in covers if not isinstance(covered, bool)]
    return Q(*conditions, _connector=Q.OR) if conditions else False


def _first(cases: Sequence[tuple[Cover, bool]]) -> Cover:
    """Where the first case that covers a row says yes; every row in question is covered."""
    granted: Cover = False
    for position, (covered, says) in reversed(list(enumerate(cases))):
        is_last = position == len(cases) - 1
        if is_last or covered is True:
            granted = says
        elif not isinstance(covered, bool):
            granted = _either(covered, says, granted)
    return granted


def _either(covered: Q, says: bool, otherwise: Cover) -> Cover:
    """`says` where covered, else `otherwise`; an unknown cover covers nothing."""
    if says:
        return (otherwise or covered) if isinstance(otherwise, bool) else covered | otherwise
    if otherwise is False:
        return False
    uncovered = Q(is_not_true(ExpressionWrapper(covered, TRUTH)))
    return uncovered if otherwise is True else uncovered & otherwise
