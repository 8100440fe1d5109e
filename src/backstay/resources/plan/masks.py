"""Resolving a mask: which members of a resource it shows, in which order."""

from collections.abc import Iterator
from dataclasses import replace

from backstay.resources.declaration.kinds import Kind
from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import MaskError, MaskTooExpensive
from backstay.resources.plan.nodes import Draft, Member, Selection, ShowField, ShowMany, ShowOne
from backstay.resources.query.mask import parse
from backstay.resources.query.nodes import Mask

#: Rows, over all edges of a mask, that one answer may take (contract 4.6).
MOST_COST = 50_000


def resolve_mask(draft: Draft) -> Draft:
    """Decide what is shown; refuse a mask that does not fit (contract 4.3).

    Names that the caller cannot read are dropped, or refused when the client is strict.
    """
    unknown: list[str] = []
    selection = select(draft.readable, draft.shape.mask, unknown)
    if unknown and draft.shape.strict:
        names = ', '.join(f'`{name}`' for name in unknown)
        raise MaskError(f'Mask error: there is no {names}')
    return replace(draft, selection=selection)


def refuse_costly(draft: Draft) -> Draft:
    """Refuse a mask whose lists would multiply beyond `MOST_COST` rows; data is not looked at."""
    if draft.selection is None:
        return draft
    cost = sum(_costs(draft.selection, draft.page_size))
    if cost > MOST_COST:
        raise MaskTooExpensive(
            f'The mask would read about {cost} rows; at most {MOST_COST} are read.',
            cost=cost,
            limit=MOST_COST,
        )
    return draft


def select(readable: Readable, mask: Mask | None, unknown: list[str]) -> Selection:
    """What a mask shows of a resource; without one, its default mask.

    What a default mask names and the caller cannot read is not `unknown`: nobody asked for it.
    """
    if mask is None:
        mask, unknown = default_mask(readable), []
    entries = [(name, below) for name, below in mask.entries if name != '*']
    if len(entries) < len(mask.entries):
        named = {name for name, _ in entries}
        entries += [(name, None) for name in readable.names if name not in named]
    members = tuple(_members(readable, entries, unknown))
    return Selection(readable=readable, members=members)


def default_mask(readable: Readable) -> Mask:
    """The declared default mask; without one, every value but no relation."""
    if text := readable.resource.options.default_mask:
        return parse(text)
    return Mask(tuple((name, None) for name in readable.fields))


def _members(
    readable: Readable, entries: list[tuple[str, Mask | None]], unknown: list[str]
) -> Iterator[tuple[str, Member]]:
    for name, below in entries:
        if field := readable.fields.get(name):
            if below is not None and field.kind is not Kind.JSON:
                raise MaskError('Mask error: Mask is inconsistent with model')
            yield name, ShowField(field=field, inner=below)
        elif relation := readable.shown.get(name):
            # `name{}` on a relation is the same as `name`: its own default mask.
            inner = below if below and below.entries else None
            selection = select(readable.through(relation), inner, unknown)
            show = ShowMany if relation.many else ShowOne
            yield name, show(relation=relation, selection=selection)
        else:
            unknown.append(name)


def _costs(selection: Selection, rows: int) -> Iterator[int]:
    for _, member in selection.members:
        if isinstance(member, ShowMany):
            nested = rows * member.relation.declared.fan_out  # type: ignore[union-attr]
            yield nested
            yield from _costs(member.selection, nested)
        elif isinstance(member, ShowOne):
            yield from _costs(member.selection, rows)
