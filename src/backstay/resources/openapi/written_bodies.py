"""JSON Schemas of the bodies of writes, as somebody may send them (OpenAPI 3.1).

A body has the members that some grant lets callers of a standing give to some row, and nothing
else. Each is a component, called after its resource: `ItemCreate`, `ItemPatch`, `ItemReplace`; that
of a child after its parent and their relation, `ItemCreateNotes`.
"""

from collections.abc import Mapping
from functools import reduce

from backstay.caller import Standing
from backstay.resources.declaration.fields import Many
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.declaration.shape import Relation, primary_key_of
from backstay.resources.openapi.components import Components, Schema
from backstay.resources.openapi.written_values import value
from backstay.resources.write import granting
from backstay.resources.write.children import MAX_WRITTEN_ROWS
from backstay.resources.write.granting import Right
from backstay.resources.write.members import Writable, writable, writable_relations

#: The name of each component, and the rights by which its members may be given.
_RIGHTS: Mapping[str, tuple[Right, ...]] = {
    'Create': ('create',),
    'Patch': ('write',),
    'Replace': ('write',),
    'Upsert': ('create', 'write'),
}


class Bodies:
    """The bodies that callers of a standing may send."""

    def __init__(self, components: Components, readable: Readable, standing: Standing) -> None:
        self.components, self.readable, self.standing = components, readable, standing
        self.resource = readable.resource

    def of(self, verb: str) -> Schema:
        """Return the body of `Create`, `Patch`, `Replace` or `Upsert`."""
        return self._object(verb, self.resource)

    def may(self, right: Right) -> bool:
        """Return whether they may do it with some row."""
        return granting.may(self.resource, self.standing, right)

    def key(self) -> Schema:
        """Return the schema of the value that names a row."""
        field = self.readable.fields.get(self.resource.options.lookup)
        own = self.resource.options.name
        return self.components.asked(field, own) if field else {'type': 'string'}

    # One object.

    def _object(
        self, verb: str, resource: type[Resource], owner: str = '', relation: Relation | None = None
    ) -> Schema:
        """Return a reference to a body; of a child, with the relation that it is below."""
        name = resource.options.name + verb
        if relation is not None:
            words = ''.join(part.capitalize() for part in relation.name.split('_'))
            name = f'{owner}{verb}{words}'
        identity = (verb, Readable(resource, self.standing), owner, relation and relation.name)
        return self.components.reference(
            name, identity, lambda: self._described(verb, resource, relation)
        )

    def _described(self, verb: str, resource: type[Resource], relation: Relation | None) -> Schema:
        every = (granting.all_members(resource, self.standing, right) for right in _RIGHTS[verb])
        names = frozenset[str]().union(*every)
        columns = {
            name: member
            for name, member in writable(resource).items()
            # The place of a child says whose it is.
            if name in names and not (relation and member.attribute == relation.back)
        }
        related = {
            name: self._related(verb, resource, below)
            for name, below in writable_relations(resource).items()
            if name in names
        }
        properties = {name: self._value(each, resource) for name, each in columns.items()} | related
        required = self._required(verb, resource, columns)
        if relation and verb == 'Patch' and isinstance(relation.declared, Many):
            key = resource.options.lookup
            named = self.components.asked(resource.fields()[key], resource.options.name)
            properties = {key: named, **properties}
            required = [key]
        return {
            'type': 'object',
            'properties': properties,
            **({'required': required} if required else {}),
            'additionalProperties': False,
        }

    def _required(
        self, verb: str, resource: type[Resource], columns: Mapping[str, Writable]
    ) -> list[str]:
        if verb not in ('Create', 'Replace'):
            return []
        asked = frozenset(columns)
        if verb == 'Replace':  # only what the grant of the row lets be written is asked for
            grants = granting.grants(resource, self.standing, 'write')
            own = (granting.members(resource, grant, 'write') for grant in grants)
            asked = reduce(frozenset.intersection, own, asked)
        return [name for name, each in columns.items() if name in asked and each.is_required]

    def _value(self, member: Writable, resource: type[Resource]) -> Schema:
        described = value(member.check, member.field, resource.options.name, self.components)
        if text := str(member.column.help_text):
            return {'description': text, **described}
        return described

    # Relations.

    def _related(self, verb: str, resource: type[Resource], relation: Relation) -> Schema:
        target = relation.target
        if relation.many_to_many:
            key = primary_key_of(target.options.model)
            items = self.components.asked(key, target.options.name)
            return {'type': 'array', 'items': items, 'description': 'Keys; the list is replaced.'}
        forms = [
            self._object(form, target, resource.options.name, relation)
            for form, right in (('Create', 'create'), ('Patch', 'write'))
            if granting.may(target, self.standing, right)  # type: ignore[arg-type]
            # A new row has no children that could be changed.
            if not (verb == 'Create' and form == 'Patch')
        ]
        if not isinstance(relation.declared, Many):
            return {'anyOf': [*forms, {'type': 'null'}]}
        return {
            'type': 'array',
            'maxItems': MAX_WRITTEN_ROWS - 1 if forms else 0,
            'items': {'anyOf': forms} if len(forms) > 1 else next(iter(forms), {}),
            'description': 'All of them: those that are left out are deleted.',
        }
