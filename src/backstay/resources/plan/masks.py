"""Resolving a mask: which members of a resource it shows, in which order."""

from collections.abc import Iterator

from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import MaskError, MaskTooExpensive
from backstay.resources.kinds import JSON
from backstay.resources.plan.stages import Member, Selection, ShowField, ShowMany, ShowOne
from backstay.resources.query.mask import parse
from backstay.resources.query.nodes import Mask, Shape

#: Rows, over all edges of a mask, that one answer may take.
MAX_MASK_COST = 50_000


def resolve_mask(readable: Readable, shape: Shape) -> Selection:
    """Return what the mask shows; raise MaskError where it does not fit the resource.

    Names that the caller cannot read are dropped, or refused when the client is strict.

    >>> names(resolve_mask(books, shape(mask='title,publisher{name},unheard_of')))
    ['title', 'publisher.name']
    """
    unknown: list[str] = []
    selection = select(readable, shape.mask, unknown)
    if unknown and shape.strict:
        listed = ', '.join(f'`{name}`' for name in unknown)
        raise MaskError(f'Mask error: there is no {listed}')
    return selection


def refuse_costly(selection: Selection, page_size: int) -> None:
    """Raise MaskTooExpensive where lists would multiply beyond `MAX_MASK_COST` rows.

    The estimate uses the declared fan-outs of relations and never looks at data.

    >>> refuse_costly(resolve_mask(books, shape(mask='editions{reviews{stars}}')), page_size=100)
    """
    cost = sum(_costs(selection, page_size))
    if cost > MAX_MASK_COST:
        raise MaskTooExpensive(
            f'The mask would read about {cost} rows; at most {MAX_MASK_COST} are read.',
            cost=cost,
            limit=MAX_MASK_COST,
        )


def select(readable: Readable, mask: Mask | None, unknown: list[str]) -> Selection:
    """Return what a mask shows of a resource; without one, what its default mask shows.

    What a default mask names and the caller cannot read is not `unknown`: nobody asked for it.
    """
    if mask is None:
        mask, unknown = default_mask(readable), []
    entries = [(name, below) for name, below in mask.entries if name != '*']
    if len(entries) < len(mask.entries):
        named = {name for name, _ in entries}
        entries += [(name, None) for name in readable.names if name not in named]
    members: list[tuple[str, Member]] = []
    for name, below in entries:
        if field := readable.fields.get(name):
            if below is not None and field.kind is not JSON:
                raise MaskError('Mask error: Mask is inconsistent with model')
            members.append((name, ShowField(field=field, inner=below)))
        elif relation := readable.shown.get(name):
            # `name{}` on a relation is the same as `name`: its own default mask.
            inner = below if below and below.entries else None
            selection = select(readable.through(relation), inner, unknown)
            show = ShowMany if relation.many else ShowOne
            members.append((name, show(relation=relation, selection=selection)))
        else:
            unknown.append(name)
    return Selection(readable=readable, members=tuple(members))


def default_mask(readable: Readable) -> Mask:
    """Return the declared default mask; without one, every value but no relation."""
    if text := readable.resource.options.default_mask:
        return parse(text)
    return Mask(tuple((name, None) for name in readable.fields))


def _costs(selection: Selection, rows: int) -> Iterator[int]:
    for _, member in selection.members:
        if isinstance(member, ShowMany):
            nested = rows * member.relation.declared.fan_out  # type: ignore[union-attr]
            yield nested
            yield from _costs(member.selection, nested)
        elif isinstance(member, ShowOne):
            yield from _costs(member.selection, rows)
