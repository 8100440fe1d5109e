"""Order and cursors: total orders, and the rows that lie behind a boundary row."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Case, Q, When

from backstay.engine import Engine
from backstay.engine import comparisons as sql
from backstay.engine.slots import NUMBER, ExactSlot
from backstay.engine.unshared import Ordered
from backstay.resources.declaration.readable import Readable
from backstay.resources.kinds import INTEGER
from backstay.resources.plan import rights
from backstay.resources.plan.rights import Cover
from backstay.resources.plan.stages import FilteredRows, OrderedRows, PageRows, SortKey
from backstay.resources.plan.values import compared, value_of
from backstay.resources.query.nodes import CursorPage, Key, OffsetPage, Page, Shape


def add_order(filtered: FilteredRows, shape: Shape) -> OrderedRows:
    """Return the rows with the expressions that order them; backwards pages reverse every key.

    >>> ordered = add_order(filtered, shape(order='-price'))
    >>> [(key.field.name, key.key.descending) for key in ordered.keys]
    [('price', True), ('id', True)]
    """
    turn = isinstance(shape.page, CursorPage) and shape.page.backwards
    readable = filtered.selection.readable
    keys = shape.order
    if turn:
        keys = tuple(
            replace(key, descending=not key.descending, nulls_first=not key.nulls_first)
            for key in keys
        )
    return OrderedRows(filtered=filtered, keys=tuple(sort_key(readable, key) for key in keys))


def cut_page(ordered: OrderedRows, page: Page) -> PageRows:
    """Return the rows behind the cursor, with the slots of the page's LIMIT and OFFSET.

    >>> behind = cut_page(ordered, CursorPage(limit_slot=0, key_slots=(1,)))
    >>> sql(behind.rows), [word for word, _ in behind.bounds]
    ('SELECT id FROM book WHERE id > $1', ['LIMIT'])
    """
    rows = ordered.filtered.rows
    match page:
        case OffsetPage(limit_slot=limit, offset_slot=offset, is_last=keyed):
            bounds = (
                ('LIMIT', INTEGER.slot(limit, NUMBER)),
                ('OFFSET', INTEGER.slot(offset, NUMBER)),
            )
            return PageRows(ordered=ordered, rows=rows, bounds=bounds, keyed=keyed)
        case CursorPage(limit_slot=limit, key_slots=slots):
            rows = rows.filter(_behind(ordered.keys, slots)) if slots else rows
            bound = ('LIMIT', INTEGER.slot(limit, NUMBER))
            return PageRows(ordered=ordered, rows=rows, bounds=(bound,), keyed=True)
    return PageRows(ordered=ordered, rows=rows, bounds=(), keyed=False)


def sort_key(readable: Readable, key: Key) -> SortKey:
    """Return a key as the ORM writes it; through a relation it is NULL where there is no row."""
    prefix, nullable, shown = '', False, Q()
    if key.relation:
        relation = readable.relations[key.relation]
        shown = _condition(rights.where_readable(readable, key.relation))
        prefix, nullable = f'{relation.source}__', relation.nullable
        readable = readable.through(relation)
        shown &= _condition(rights.visible(readable, prefix))
    field = readable.primary_key if key.field == 'pk' else readable.fields[key.field]
    expression = compared(value_of(field, readable, prefix), field)
    if field.kind.is_bytewise:
        expression = sql.Bytewise(expression)
    if key.field != 'pk':
        shown &= _condition(rights.where_readable(readable, key.field, prefix))
    if shown:
        expression = Case(When(shown, then=expression), output_field=field.model_field)
        nullable = True
    return SortKey(key=key, expression=expression, field=field, nullable=nullable or field.nullable)


def _condition(cover: Cover) -> Q:
    """Return the condition under which a key is shown; an empty one where it always is."""
    return Q() if cover is True else _nowhere() if cover is False else cover


def ordering(key: SortKey, engine: Engine) -> Ordered:
    """Return a key for ORDER BY, which names NULL's place only where the engine has another.

    Naming the place that is the engine's own anyway would keep it from using an index.
    """
    first_by_itself = key.key.descending != engine.sorts_nulls_low
    places = key.nullable and key.key.nulls_first != first_by_itself
    expression: Any = key.expression  # the stubs do not know that these can be ordered by
    return Ordered(
        expression,
        descending=key.key.descending,
        nulls_first=(places and key.key.nulls_first) or None,
        nulls_last=(places and not key.key.nulls_first) or None,
    )


def _behind(order: Sequence[SortKey], slots: Sequence[int | None]) -> Q:
    """Return the rows after the boundary: later in the first key, or equal and later in the next.

    An index can only be entered where one condition bounds its first column, so such a condition
    is added where the alternatives hide it.
    """
    pairs = list(zip(order, slots, strict=True))
    one_way = len({key.key.descending for key in order}) == 1
    if one_way and not any(key.nullable for key in order):
        # One comparison of row values says it all.
        expressions = [key.expression for key in order]
        bounds = [_bound(key, slot) for key, slot in pairs]
        left = ', '.join(f'{{{index}}}' for index in range(len(order)))
        right = ', '.join(f'{{{index + len(order)}}}' for index in range(len(order)))
        comparison = f'({left}) {_greater(order[0])} ({right})'
        return Q(sql.Comparison(comparison, *expressions, *bounds))
    key, slot = pairs[-1]
    behind = _later(key, slot)
    for key, slot in reversed(pairs[:-1]):
        if slot is None:
            equal = sql.is_null(key.expression)
        else:
            equal = sql.compare(key.expression, '=', _bound(key, slot))
        behind = _later(key, slot) | (Q(equal) & behind)
    first, slot = pairs[0]
    if slot is not None and not first.nullable:
        behind &= Q(sql.compare(first.expression, _greater(first) + '=', _bound(first, slot)))
    return behind


def _bound(key: SortKey, slot: int | None) -> ExactSlot:
    if slot is None:
        raise ValueError('a NULL key has nothing to compare with')
    return key.field.kind.exact_slot(slot, key.field.model_field)


def _greater(key: SortKey) -> str:
    return '<' if key.key.descending else '>'


def _later(key: SortKey, slot: int | None) -> Q:
    if slot is None:
        # Behind NULL lies everything else where NULL comes first, nothing where it comes last.
        return Q(sql.is_null(key.expression, negated=True)) if key.key.nulls_first else _nowhere()
    later = Q(sql.compare(key.expression, _greater(key), _bound(key, slot)))
    if key.nullable and not key.key.nulls_first:
        later |= Q(sql.is_null(key.expression))
    return later


def _nowhere() -> Q:
    return Q(sql.nowhere())
