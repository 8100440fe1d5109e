"""JSON Schemas of requests about many rows, and of what became of each (OpenAPI 3.1)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backstay.resources.declaration.readable import Readable
from backstay.resources.openapi.components import Schema
from backstay.resources.openapi.operation import PROBLEM
from backstay.resources.openapi.written_bodies import Bodies
from backstay.resources.write.children import MAX_WRITTEN_ROWS


class Bulk:
    """What callers may do with many rows of a resource at once."""

    def __init__(self, bodies: Bodies) -> None:
        self.bodies, self.components = bodies, bodies.components
        self.readable, self.resource = bodies.readable, bodies.resource
        self.options = bodies.resource.options

    @property
    def verbs(self) -> Sequence[str]:
        """The operations of which any may be done."""
        may = self.bodies.may
        verbs = ['create'] if may('create') else []
        if self.options.require_if_match and not self.options.version:
            return verbs  # an operation has no way of saying which version it means
        found = {'update': may('write'), 'delete': may('delete'), 'upsert': self._may_upsert()}
        return [*verbs, *(verb for verb, is_open in found.items() if is_open)]

    def operations(self) -> dict[str, Schema]:
        """The operations of a request, by `op`."""
        return {verb: self._operation(verb) for verb in self.verbs}

    def request(self) -> Schema:
        """What `POST <collection>/bulk` takes."""
        operations = self.operations()
        whole = self._component('Bulk', lambda: _request(operations))
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
        """What `PATCH <collection>/bulk` takes."""
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
        """What `DELETE <collection>/bulk` takes."""
        return {
            'type': 'array',
            'items': self.bodies.key(),
            'minItems': 1,
            'maxItems': MAX_WRITTEN_ROWS,
        }

    def results(self) -> Schema:
        """What became of each operation."""
        return self._component('BulkResults', self._results)

    def _component(self, suffix: str, describe: Callable[[], Schema]) -> Schema:
        identity = (suffix, Readable(self.resource, self.bodies.standing))
        return self.components.reference(self.options.name + suffix, identity, describe)

    def _may_upsert(self) -> bool:
        names = self.options.natural_key
        is_told = bool(names) and all(name in self.readable.fields for name in names)
        return is_told and (self.bodies.may('create') or self.bodies.may('write'))

    def _operation(self, verb: str) -> Schema:
        bodies = self.bodies
        members: dict[str, Schema] = {'op': {'const': verb}}
        if verb == 'upsert':
            members['key'] = self._natural_key()
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

    def _natural_key(self) -> Schema:
        names = self.options.natural_key
        asked = {
            name: self.components.asked(self.readable.fields[name], self.options.name)
            for name in names
        }
        whole = _object(asked, [*names])
        return {'oneOf': [asked[names[0]], whole]} if len(names) == 1 else whole

    def _results(self) -> Schema:
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
        return _object({'results': results}, ['results'])


def _request(operations: Mapping[str, Schema]) -> Schema:
    mapping = {verb: each['$ref'] for verb, each in operations.items()}
    one: dict[str, Any] = {
        'oneOf': [*operations.values()],
        'discriminator': {'propertyName': 'op', 'mapping': mapping},
    }
    atomic = {
        'type': 'boolean',
        'default': True,
        'description': 'Whether one that is refused refuses all.',
    }
    listed = {'type': 'array', 'items': one, 'minItems': 1, 'maxItems': MAX_WRITTEN_ROWS}
    return _object({'operations': listed, 'atomic': atomic}, ['operations'])


def _object(properties: Mapping[str, Any], required: Sequence[str]) -> Schema:
    return {
        'type': 'object',
        'properties': dict(properties),
        'required': [*required],
        'additionalProperties': False,
    }
