"""JSON Schemas of what resources show and what may be asked of them (OpenAPI 3.1).

Everything is told by a `Readable`, so that a description never names what its reader may not see.
Enumerations are components of their own: drf-spectacular would otherwise make some, and warn where
two fields of one name differ.
"""

from collections.abc import Callable
from typing import Any, get_args

from drf_spectacular.plumbing import ComponentIdentity, ComponentRegistry, ResolvedComponent

from backstay.resources.declaration.fields import InPython, Url
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.shape import Field
from backstay.resources.kinds import CHOICE
from backstay.resources.kinds.operators import SPELLINGS
from backstay.resources.plan.masks import default_mask
from backstay.resources.query import filters, mask, order, parameters
from backstay.resources.query.nodes import CountMode

Schema = dict[str, Any]


class Components:
    """The components of one document, each described when it is first named."""

    def __init__(self, registry: ComponentRegistry) -> None:
        self._registry = registry

    def reference(self, name: str, identity: object, describe: Callable[[], Schema]) -> Schema:
        """Return a reference to a component; `identity` tells apart what must not share a name."""
        identified = ComponentIdentity(identity)  # type: ignore[no-untyped-call]
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name, ResolvedComponent.SCHEMA, object=identified
        )
        if component not in self._registry:
            self._registry.register(component)  # before it is described: it may name itself
            component.schema = describe()
        return component.ref

    def resource(self, readable: Readable) -> Schema:
        """Return the object of a resource. Masks leave members out, so none is required."""
        name = readable.resource.options.name
        return self.reference(name, readable, lambda: self._object(readable, name))

    def page(self, readable: Readable) -> Schema:
        """Return the envelope of its lists."""
        name = f'{readable.resource.options.name}List'
        row = self.resource(readable)
        link = {'type': ['string', 'null'], 'format': 'uri'}
        envelope = {
            'type': 'object',
            'properties': {
                'count': {'type': 'integer', 'description': 'Absent with `count=none`.'},
                'count_is_estimate': {
                    'type': 'boolean',
                    'description': 'True where `count=estimate` stopped counting: there are more.',
                },
                'next': link,
                'previous': link,
                'results': {'type': 'array', 'items': row},
                'truncated': {
                    'type': 'array',
                    'items': {'type': 'string', 'format': 'json-pointer'},
                    'description': (
                        'The nested lists that were cut at their cap, where there are any.'
                    ),
                },
            },
            'required': ['next', 'previous', 'results'],
            'additionalProperties': False,
        }
        return self.reference(name, (readable, 'list'), lambda: envelope)

    def query(self, readable: Readable) -> Schema:
        """Return the body of `POST <collection>/query`."""
        name = f'{readable.resource.options.name}Query'
        options = readable.resource.options
        either = [{'type': 'string'}, self.sort_spec()]
        body = {
            'type': 'object',
            'description': (
                'What the parameters of the list ask. Every further member is a comparison, called '
                'as such a parameter is: `"price__gte": 10`.'
            ),
            'properties': {
                'filter': self.filter_spec(),
                'sort': {'description': 'A sort_spec, or `-price,name`.', 'oneOf': either},
                'ordering': {'description': 'The same as `sort`.', 'oneOf': either},
                'fields': {'type': 'string', 'format': 'mask', 'maxLength': mask.MAX_MASK_BYTES},
                'limit': limit_of(readable),
                'offset': OFFSET,
                'cursor': {'type': ['string', 'null']},
                'count': {**self.count_mode(), 'default': options.count},
            },
        }
        return self.reference(name, (readable, 'query'), lambda: body)

    def count_mode(self) -> Schema:
        """Return the ways of counting."""
        modes = {'type': 'string', 'enum': list(get_args(CountMode))}
        return self.reference('CountMode', CountMode, lambda: modes)

    def filter_spec(self) -> Schema:
        """Return the grammar of filters."""
        return self.reference('FilterSpec', filters, self._filter_spec)

    def sort_spec(self) -> Schema:
        """Return the grammar of orders."""
        ways = {'type': 'string', 'enum': ['asc', 'desc']}
        key = {
            'type': 'object',
            'properties': {
                'field': {'type': 'string'},
                'direction': self.reference('SortDirection', 'direction', lambda: ways),
                'model': _MODEL,
                'nullsfirst': {'type': 'boolean'},
                'nullslast': {'type': 'boolean'},
            },
            'required': ['field', 'direction'],
            'additionalProperties': False,
        }
        one = self.reference('SortKey', 'key', lambda: key)
        several = {'type': 'array', 'items': one, 'maxItems': order.MAX_SORT_KEYS}
        return self.reference('SortSpec', order, lambda: {'oneOf': [one, several]})

    def shown(self, field: Field, owner: str) -> Schema:
        """Return the schema of a value in answers; `owner` is the name of its resource."""
        match field.declared:
            case InPython(schema=schema):
                return dict(schema or {})
            case Url():
                return {'type': 'string', 'format': 'uri'}
        described = dict(field.kind.answer_schema(field.model_field))
        if field.kind is CHOICE:
            described = self._choices(field, owner)
        may_be_null = field.nullable or field.kind.is_null_at_times
        return nullable(described) if may_be_null and described else described

    def asked(self, field: Field, owner: str) -> Schema:
        """Return the schema of a value that a field can be compared with."""
        if field.kind is CHOICE:
            return self._choices(field, owner)
        return dict(field.kind.asked_schema(field.model_field))

    def _object(self, readable: Readable, name: str) -> Schema:
        members = {each: self.shown(field, name) for each, field in readable.fields.items()}
        for each, relation in readable.shown.items():
            target = self.resource(readable.through(relation))
            members[each] = {'oneOf': [target, {'type': 'null'}]}
            if relation.many:
                cap = relation.declared.cap  # type: ignore[union-attr]  # a Many
                members[each] = {'type': 'array', 'items': target, 'maxItems': cap}
        return {
            'type': 'object',
            'description': f'The members that the mask names; by default {shown_mask(readable)}.',
            'properties': members,
            'additionalProperties': False,
            'x-mask': shown_mask(readable),
        }

    def chosen(self, field: Field, owner: str, schema: Schema) -> Schema:
        """Return the schema of a value out of a few, as a component of its own."""
        name = owner + ''.join(part.capitalize() for part in field.name.split('_'))
        return self.reference(name, (owner, field.name), lambda: schema)

    def _choices(self, field: Field, owner: str) -> Schema:
        return self.chosen(field, owner, dict(field.kind.answer_schema(field.model_field)))

    def _filter_spec(self) -> Schema:
        itself = self.filter_spec()
        some = {'type': 'array', 'items': itself, 'minItems': 1}
        group = {
            'type': 'object',
            'properties': {'model': _MODEL, 'where': {'type': 'array', 'items': itself}},
            'required': ['model'],
            'additionalProperties': False,
        }
        forms = {'and': some, 'or': some, 'not': {**some, 'maxItems': 1}}
        forms |= {'some': group, 'none': group}
        return {
            'description': (
                'A comparison, a list (all of it), or `and`, `or`, `not` around specs. `some` and '
                '`none` ask about one related row at a time.'
            ),
            'oneOf': [
                self.reference('FilterComparison', 'comparison', self._comparison),
                *(
                    {
                        'type': 'object',
                        'properties': {name: value},
                        'required': [name],
                        'additionalProperties': False,
                    }
                    for name, value in forms.items()
                ),
                {'type': 'array', 'items': itself},
            ],
        }

    def _comparison(self) -> Schema:
        spellings = {'type': 'string', 'enum': sorted(SPELLINGS)}
        operator = self.reference('FilterOperator', 'operator', lambda: spellings)
        absent = {'enum': ['', None], 'description': 'As `==`.'}
        return {
            'type': 'object',
            'properties': {
                'field': {'type': 'string'},
                'op': {'oneOf': [operator, absent]},
                'value': {'description': 'Left out with `is_null` and `is_not_null` only.'},
                'model': _MODEL,
            },
            'required': ['field'],
            'additionalProperties': False,
        }


def nullable(schema: Schema) -> Schema:
    """Return the schema of the same values and null."""
    if not isinstance(schema.get('type'), str):
        return {'oneOf': [schema, {'type': 'null'}]}
    more: Schema = {'type': [schema['type'], 'null']}
    if 'enum' in schema:
        more['enum'] = [*schema['enum'], None]
    return {**schema, **more}


def shown_mask(readable: Readable) -> str:
    """Return the part of the default mask that may be read."""
    readable_names = set(readable.names)
    names = [name for name, _ in default_mask(readable).entries if name in readable_names]
    return '{' + ','.join(names) + '}'


def limit_of(readable: Readable) -> Schema:
    """Return the schema of the number of rows that a page may have."""
    options = readable.resource.options
    return {
        'type': 'integer',
        'minimum': 0,
        'maximum': options.max_page_size,
        'default': options.page_size,
    }


OFFSET: Schema = {'type': 'integer', 'minimum': 0, 'maximum': parameters.MAX_OFFSET, 'default': 0}

_MODEL: Schema = {'type': 'string', 'description': 'The related resource that the field is of.'}
