"""JSON Schemas of requests about many rows, and of their results (OpenAPI 3.1)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backstay.resources.declaration.readable import Readable
from backstay.resources.openapi.components import Schema
from backstay.resources.openapi.operation import PROBLEM
from backstay.resources.openapi.written_bodies import Bodies
from backstay.resources.write.children import MAX_WRITTEN_ROWS


class Bulk:
    """The requests that callers may make about many rows of a resource at once."""

    def __init__(self, bodies: Bodies) -> None:
        self.bodies, self.components = bodies, bodies.components
        self.readable, self.resource = bodies.readable, bodies.resource
        self.options = bodies.resource.options

    @property
    def verbs(self) -> Sequence[str]:
        """The operations that are allowed on some row."""
        may = self.bodies.may
        verbs = ['create'] if may('create') else []
        if self.options.require_if_match and not self.options.version:
            return verbs  # an operation has no way of saying which version it means
        names = self.options.natural_key
        is_told = bool(names) and all(name in self.readable.fields for name in names)
        upsert = is_told and (may('create') or may('write'))
        found = {'update': may('write'), 'delete': may('delete'), 'upsert': upsert}
        return [*verbs, *(verb for verb, is_open in found.items() if is_open)]

    def operations(self) -> dict[str, Schema]:
        """Return the operations of a request, by `op`."""
        return {verb: self._operation(verb) for verb in self.verbs}

    def request(self) -> Schema:
        """Return the schema of the body of `POST <collection>/bulk`."""
        operations = self.operations()
        mapping = {verb: each['$ref'] for verb, each in operations.items()}
        one: Schema = {
            'oneOf': [*operations.values()],
            'discriminator': {'propertyName': 'op', 'mapping': mapping},
        }
        members = {
            'operations': {
                'type': 'array',
                'items': one,
                'minItems': 1,
                'maxItems': MAX_WRITTEN_ROWS,
            },
            'atomic': {
                'type': 'boolean',
                'default': True,
                'description': 'Whether one that is refused refuses all.',
            },
        }
        whole = self._component('Bulk', lambda: _object(members, ['operations']))
        if 'create' not in operations:
            return whole
        rows = {
            'type': 'array',
            'items': self.bodies.of('Create'),
            'minItems': 1,
            'maxItems': MAX_WRITTEN_ROWS,
            'description': 'Rows to create.',
        }
        return {'oneOf': [whole, rows]}

    def patches(self) -> Schema:
        """Return the schema of the body of `PATCH <collection>/bulk`."""
        is_number = self.bodies.key().get('type') == 'integer'
        return {
            'type': 'object',
            **({'propertyNames': {'pattern': r'^-?\d{1,18}$'}} if is_number else {}),
            'additionalProperties': self.bodies.of('Patch'),
            'minProperties': 1,
            'maxProperties': MAX_WRITTEN_ROWS,
            'description': 'Patches by the key of their rows.',
        }

    def keys(self) -> Schema:
        """Return the schema of the body of `DELETE <collection>/bulk`."""
        return {
            'type': 'array',
            'items': self.bodies.key(),
            'minItems': 1,
            'maxItems': MAX_WRITTEN_ROWS,
        }

    def results(self) -> Schema:
        """Return the schema of the results, one for each operation."""
        field = self.resource.fields()[self.options.lookup]
        key = self.components.shown(field, self.options.name)
        index = {'type': 'integer', 'minimum': 0}
        status: Schema = {'type': 'integer', 'enum': [200, 201, 204]}
        done = _object({'index': index, 'status': status, 'id': key}, ['index', 'status', 'id'])
        status = {'type': 'integer', 'minimum': 400, 'maximum': 499}
        problem = self.components.reference('Problem', 'problem', lambda: PROBLEM)
        refused = _object(
            {'index': index, 'status': status, 'error': problem}, ['index', 'status', 'error']
        )
        results = {'type': 'array', 'items': {'oneOf': [done, refused]}}
        return self._component('BulkResults', lambda: _object({'results': results}, ['results']))

    def _component(self, suffix: str, describe: Callable[[], Schema]) -> Schema:
        identity = (suffix, Readable(self.resource, self.bodies.standing))
        return self.components.reference(self.options.name + suffix, identity, describe)

    def _operation(self, verb: str) -> Schema:
        bodies = self.bodies
        members: dict[str, Schema] = {'op': {'const': verb}}
        if verb == 'upsert':
            owner, names = self.options.name, self.options.natural_key
            fields = self.readable.fields
            asked = {name: self.components.asked(fields[name], owner) for name in names}
            whole = _object(asked, names)
            # A key of one field is given by itself too.
            members['key'] = {'oneOf': [asked[names[0]], whole]} if len(names) == 1 else whole
        elif verb != 'create':
            members['id'] = bodies.key()
        if verb != 'delete':
            bodied = {'create': 'Create', 'update': 'Patch', 'upsert': 'Upsert'}
            members['body'] = bodies.of(bodied[verb])
        required = [*members]
        if verb != 'create' and self.options.version:
            members['if_version'] = {'type': 'integer', 'minimum': 0}
            if self.options.require_if_match and verb != 'upsert':
                required.append('if_version')
        return self._component(f'Bulk{verb.capitalize()}', lambda: _object(members, required))


def _object(properties: Mapping[str, Any], required: Sequence[str]) -> Schema:
    return {
        'type': 'object',
        'properties': dict(properties),
        'required': [*required],
        'additionalProperties': False,
    }
