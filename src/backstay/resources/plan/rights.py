"""Rights as SQL: which rows of a resource a caller may see, and which fields each of them shows.

Everything that touches a resource's rows comes through here: the listed rows, nested ones, those of
an EXISTS, counts and sort keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q

from backstay.resources.declaration.grants import (
    CallerValue,
    Cover,
    Grant,
    Scope,
    Writing,
    cover,
)
from backstay.resources.declaration.readable import Readable
from backstay.resources.engine.comparisons import is_in, is_not_true, nowhere
from backstay.resources.engine.slots import TRUTH, ListSlot, Slot


def rows(readable: Readable) -> models.QuerySet[models.Model]:
    """The rows that the caller may see."""
    every = readable.resource.options.model._base_manager.order_by()
    seen = visible(readable)
    if isinstance(seen, bool):
        # Django would refuse to write a subquery of `none()`.
        return every if seen else every.filter(nowhere())
    return every.filter(seen)


def visible(readable: Readable, prefix: str = '') -> Cover:
    """Which rows the caller may see; `prefix` is the ORM path to them from the query's own."""
    # The lowest first: it mostly covers the most rows, and the others then need no look.
    return _any([covered for covered, _ in reversed(_covers(readable, prefix))])


def where_readable(readable: Readable, name: str, prefix: str = '') -> Cover:
    """On which of the visible rows the caller may read a field or relation (leak rule L3)."""
    return _first([(covered, grant.reads(name)) for covered, grant in _covers(readable, prefix)])


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
            found[-1] = (_any([found[-1][0], covered]), shown)
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
    model = readable.resource.options.model
    if _is_plain(grant.rows, model):
        writing = Writing(leaf=_Leaf(model, prefix), expression=Q, complement=_not_true)
        return cover(grant.rows, readable.standing, writing)
    # Its joins would multiply rows, or its expressions know nothing of a prefix.
    every = model._base_manager.order_by()

    def complement(covered: Q) -> Q:
        return ~Q(Exists(every.filter(pk=OuterRef('pk')).filter(covered)))

    writing = Writing(leaf=_Leaf(model, ''), expression=Q, complement=complement)
    covered = cover(grant.rows, readable.standing, writing)
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

    def __call__(self, lookup: str, value: Any) -> Q:
        if isinstance(value, Scope):
            path = lookup.removesuffix('__in')
            key = f'scope:{value.over}:{value.level}'
            return Q(is_in(F(self.prefix + path), ListSlot(key, _field_at(self.model, path))))
        if isinstance(value, CallerValue):
            value = Slot(f'caller:{value.name}', _field_at(self.model, lookup))
        return Q((self.prefix + lookup, value))


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


def _any(covers: Sequence[Cover]) -> Cover:
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
