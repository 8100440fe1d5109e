"""Counts: how many rows the caller may see and the filter lets pass.

A count looks at every row, and rights often need a column that the filter's own index lacks: each
row is then fetched to count it. But filters mostly ask for what a grant covers anyway:
`status=active` where active rows are open to all, `company_id=7` of somebody who holds company 7.
Bound values alone decide about such a grant. Where it covers what is asked, no row is asked about
rights; where it does not, only the other grants are (figures in bench/README.md, "What bounds it").
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from uuid import UUID

from django.db import models
from django.db.models import Q, Value

from backstay.engine.comparisons import compare, is_in
from backstay.engine.pages import NOT_COUNTED, Count, Counting
from backstay.engine.slots import Slot
from backstay.resources.declaration.conditions import (
    AllOf,
    Among,
    AnyOf,
    CallerValue,
    Compared,
    Covered,
    settle,
)
from backstay.resources.declaration.fields import Computed
from backstay.resources.declaration.readable import Readable
from backstay.resources.kinds.registered import slot_of
from backstay.resources.plan import rights
from backstay.resources.plan.conditions import condition
from backstay.resources.plan.rights import Cover
from backstay.resources.query.nodes import And, Condition, Leaf, Op, Shape

#: Rows that `count=estimate` counts one by one; beyond them it says that there are more.
MAX_COUNTED_ROWS = 10_000


def count_rows(readable: Readable, shape: Shape, rows: models.QuerySet[models.Model]) -> Counting:
    """Return how the filtered rows are counted, before the page is cut out of them.

    >>> count_rows(books, shape(count='none'), rows)
    NOT_COUNTED
    >>> count_rows(books, shape(count='estimate'), rows).most
    10000
    """
    if shape.count == 'none':
        return NOT_COUNTED
    count = _by_values(readable, shape.where) or Count(rows=rows)
    return replace(count, most=MAX_COUNTED_ROWS if shape.count == 'estimate' else None)


def _by_values(readable: Readable, where: Condition) -> Count | None:
    """Return a count in two ways, between which bound values choose; None where none can."""
    asked = dict(_asked(readable, where))
    model, standing = readable.resource.options.model, readable.standing
    decided = [
        _settled(settle(grant.covers(model), standing), readable, asked)
        for grant in readable.grants
    ]
    settled = rights.any_of([cover for cover in decided if cover is not None])
    if isinstance(settled, bool) or readable.restoring:
        return None
    open_to = [
        id(grant) for grant, cover in zip(readable.grants, decided, strict=True) if cover is None
    ]
    others = rights.visible(readable, by=lambda grant: id(grant) in open_to)
    passes = condition(where, readable)
    every = rights.rows_of(readable, True)
    if deleted_at := readable.resource.options.soft_delete:  # no grant covers what was deleted
        every = every.filter(**{f'{deleted_at}__isnull': True})
    return Count(
        rows=rights.rows_of(readable, others).filter(passes),
        shortcut=(settled, every.filter(passes)),
    )


def _asked(readable: Readable, where: Condition) -> Iterator[tuple[str, Slot]]:
    """Yield the columns that have a bound value in every row that the filter leaves."""
    for leaf in where.parts if isinstance(where, And) else (where,):
        match leaf:
            case Leaf(op=Op.EQ, relation='', member='', slot=int(slot)):
                field = readable.fields[leaf.field]
                is_plain = not isinstance(field.declared, Computed)
                collation = getattr(field.model_field, 'db_collation', '')
                # Values have to be equal as parameters just where they are as columns.
                if is_plain and field.kind.is_exact and not collation:
                    yield field.attname, field.kind.slot(slot, field.model_field)


def _settled(covered: Covered, readable: Readable, asked: Mapping[str, Slot]) -> Cover | None:
    """Return the cover of what is asked by bound values alone; None where they do not tell."""
    match covered:
        case bool():
            return covered
        case AllOf(parts=parts) | AnyOf(parts=parts):
            settled = [_settled(part, readable, asked) for part in parts]
            known = [part for part in settled if part is not None]
            if len(known) < len(settled):
                return None
            return rights.any_of(known) if isinstance(covered, AnyOf) else rights.all_of(known)
        case Among(path=path, scope=scope) if slot := asked.get(path.attname):
            among = rights.held(scope, slot.output_field, writing=readable.standing.writing)
            return Q(is_in(slot, among))
        case Compared(path=path, lookup='exact', value=value) if slot := asked.get(path.attname):
            match value:
                case CallerValue(name=name):
                    return Q(compare(slot, '=', slot_of(f'caller:{name}', slot.output_field)))
                case str() | int() | UUID():
                    return Q(compare(slot, '=', Value(value, output_field=slot.output_field)))
    return None
