"""Paths: the names that a filter or an order uses, found in what the caller may read.

Every name goes through a `Readable`. What is not in it is not found, and so a name that the caller
may not read answers exactly like one that does not exist (rules L2 and L4).
"""

from dataclasses import dataclass

from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.shape import Field, Relation
from backstay.resources.kinds import JSON
from backstay.resources.kinds.operators import OF_MEMBERS, Op
from backstay.resources.query.json_text import shown

_MAX_MEMBER_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Path:
    """A field that was found: of the resource itself, or through one relation of it."""

    field: Field
    #: Name of the relation; '' for the resource itself.
    relation: str = ''
    #: Member of a JSON field; '' for the field itself.
    member: str = ''

    @property
    def operators(self) -> frozenset[Op]:
        """The operators that it takes."""
        return OF_MEMBERS if self.member else self.field.kind.operators


class UnknownModel(LookupError):
    """A `model` that names nothing, or more than one thing; the text says which."""


def filterable(name: str, readable: Readable, relation: str = '') -> Path | None:
    """Return the field of a name that filters may use, or of `metadata.color`, a member of JSON."""
    fields = readable.fields
    if field := fields.get(name):
        return Path(field, relation) if field.filterable else None
    name, dot, member = name.partition('.')
    holder = fields.get(name) if dot else None
    if holder is None or holder.kind is not JSON or not holder.filterable:
        return None
    # The name goes into the shape, and so into the plan: it has to be one that a mask could name.
    plain = member.replace('-', '_').replace(':', '_').replace('_', 'x')
    is_member = plain.isalnum() and len(member) <= _MAX_MEMBER_CHARACTERS
    return Path(holder, relation, member) if is_member else None


def orderable(name: str, readable: Readable, relation: str = '') -> Path | None:
    """Return the field of a name that orders may use; None where there is no such field."""
    field = readable.fields.get(name)
    return Path(field, relation) if field and field.orderable else None


def relation_of(model: str, readable: Readable) -> Relation | None:
    """Return the relation to which `model` leads; None where it is the resource's own name.

    `model` is what the target resource is called. A relation that shares its target with another,
    or leads to its own resource, is called by the name of its field. Raises UnknownModel.
    """
    own = readable.resource.options.name
    if model == own:
        return None
    match _leading_to(model, readable):
        case (relation,):
            return relation
        case [*several] if several:
            names = ' or '.join(f'`{relation.name}`' for relation in several)
            raise UnknownModel(f'Several relations lead to model `{model}`: name {names}.')
    found = readable.relations.get(model)
    if found is not None:
        target = _model(found, readable)
        if target == own or len(_leading_to(target, readable)) > 1:
            return found
    raise UnknownModel(f'The query does not contain model `{shown(model)}`.')


def _leading_to(model: str, readable: Readable) -> list[Relation]:
    relations = readable.relations.values()
    return [relation for relation in relations if _model(relation, readable) == model]


def _model(relation: Relation, readable: Readable) -> str:
    return readable.through(relation).resource.options.name
