"""Which resources a read touches: those that it shows, filters by or sorts by."""

from collections.abc import Iterator

from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.plan.stages import Selection, ShowField
from backstay.resources.query.nodes import And, Condition, Leaf, Not, Or, Related, Shape


def reached(selection: Selection, shape: Shape) -> frozenset[type[Resource]]:
    """Return every resource whose rows decide about the answer, but for the caller's rights.

    A filter tells about rows that it never shows, so it counts like a mask.
    """
    readable = selection.readable
    names = (key.relation for key in shape.order if key.relation)
    ordered = (target for name in names for target in _through(readable, name))
    return frozenset((*_shown(selection), *_asked(readable, shape.where), *ordered))


def _shown(selection: Selection) -> Iterator[type[Resource]]:
    yield selection.readable.resource
    for _, member in selection.members:
        if not isinstance(member, ShowField):
            yield from _shown(member.selection)


def _asked(readable: Readable, where: Condition) -> Iterator[type[Resource]]:
    match where:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _asked(readable, part)
        case Not(part):
            yield from _asked(readable, part)
        case Leaf(relation=name) if name:
            yield from _through(readable, name)
        case Related(relation=name, where=inner):
            yield from _through(readable, name)
            yield from _asked(readable.through(readable.relations[name]), inner)


def _through(readable: Readable, name: str) -> Iterator[type[Resource]]:
    """The resources on the way of a relation, and the one that it leads to."""
    relation = readable.relations[name]
    if relation.via:
        yield from _through(readable, relation.via)
    yield relation.target
