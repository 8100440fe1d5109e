"""JSON Schemas of what resources show and what may be asked of them (OpenAPI 3.1).

Everything is told by a `Readable`, so that a description never names what its reader may not see.
Enumerations are components of their own: drf-spectacular would otherwise make some, and warn where
two fields of one name differ.
"""

from collections.abc import Callable, Mapping
from typing import Any, get_args

from django.db import models
from drf_spectacular.plumbing import ComponentIdentity, ComponentRegistry, ResolvedComponent

from backstay.resources.declaration.fields import InPython, Url
from backstay.resources.declaration.kinds import Kind
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.shape import Field, Relation
from backstay.resources.plan.masks import default_mask
from backstay.resources.query import filters, mask, order, parameters, values
from backstay.resources.query.nodes import Count
from backstay.resources.query.operators import SPELLINGS
from backstay.resources.query.values import MOST_CHARACTERS

Schema = dict[str, Any]


class Components:
    """The components of one document, each described when it is first named."""

    def __init__(self, registry: ComponentRegistry) -> None:
        self._registry = registry

    def reference(self, name: str, identity: object, describe: Callable[[], Schema]) -> Schema:
        """A reference to a component; `identity` tells apart what must not share a name."""
        identified = ComponentIdentity(identity)  # type: ignore[no-untyped-call]
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name, ResolvedComponent.SCHEMA, object=identified
        )
        if component not in self._registry:
            self._registry.register(component)  # before it is described: it may name itself
            component.schema = describe()
        return component.ref

    def resource(self, readable: Readable) -> Schema:
        """The object of a resource. Masks leave members out, so none is required."""
        name = readable.resource.options.name
        return self.reference(name, readable, lambda: self._object(readable, name))

    def page(self, readable: Readable) -> Schema:
        """The envelope of its lists."""
        name = f'{readable.resource.options.name}List'
        return self.reference(name, (readable, 'list'), lambda: _envelope(self.resource(readable)))

    def query(self, readable: Readable) -> Schema:
        """The body of `POST <collection>/query`."""
        name = f'{readable.resource.options.name}Query'
        return self.reference(name, (readable, 'query'), lambda: self._query(readable))

    def count_mode(self) -> Schema:
        """The ways of counting."""
        modes = {'type': 'string', 'enum': list(get_args(Count))}
        return self.reference('CountMode', Count, lambda: modes)

    def filter_spec(self) -> Schema:
        """The grammar of filters."""
        return self.reference('FilterSpec', filters, self._filter_spec)

    def sort_spec(self) -> Schema:
        """The grammar of orders."""
        return self.reference('SortSpec', order, self._sort_spec)

    def shown(self, field: Field, owner: str) -> Schema:
        """A value as answers hold it; `owner` is the name of its resource."""
        schema = self._not_null(field, owner)
        nullable = field.nullable or field.kind in _NULL_AT_TIMES
        if isinstance(field.declared, InPython | Url) or not nullable or not schema:
            return schema
        if 'type' in schema:
            return {**schema, 'type': [schema['type'], 'null']}
        return {'oneOf': [schema, {'type': 'null'}]}

    def asked(self, field: Field, owner: str) -> Schema:
        """A value that a field can be compared with."""
        match field.kind:
            case Kind.CHOICE:
                return self._choices(field, owner)
            case Kind.INTEGER:
                low, high = values.range_of(field.model_field)
                return {'type': 'integer', 'minimum': low, 'maximum': high}
        return dict(_ASKED.get(field.kind) or _SHOWN[field.kind])

    def _object(self, readable: Readable, name: str) -> Schema:
        members = {each: self.shown(field, name) for each, field in readable.fields.items()}
        for each, relation in readable.shown.items():
            members[each] = self._related(readable, relation)
        return {
            'type': 'object',
            'description': f'The members that the mask names; by default {shown_mask(readable)}.',
            'properties': members,
            'additionalProperties': False,
            'x-mask': shown_mask(readable),
        }

    def _related(self, readable: Readable, relation: Relation) -> Schema:
        target = self.resource(readable.through(relation))
        if relation.many:
            cap = relation.declared.cap  # type: ignore[union-attr]  # a Many
            return {'type': 'array', 'items': target, 'maxItems': cap}
        return {'oneOf': [target, {'type': 'null'}]}

    def _not_null(self, field: Field, owner: str) -> Schema:
        match field.declared:
            case InPython(schema=schema):
                return dict(schema or {})
            case Url():
                return {'type': 'string', 'format': 'uri'}
        match field.kind:
            case Kind.CHOICE:
                return self._choices(field, owner)
            case Kind.DECIMAL:
                return _decimal(field.model_field)
            case Kind.ARRAY:
                return {'type': 'array', 'items': self._element(field)}
        return dict(_SHOWN[field.kind])

    def _element(self, field: Field) -> Schema:
        column: models.Field | None = getattr(field.model_field, 'base_field', None)
        if column is None or field.element is None:
            return {}
        schema = _decimal(column) if field.element is Kind.DECIMAL else _SHOWN[field.element]
        return {**schema, 'type': [schema['type'], 'null']} if 'type' in schema else {}

    def _choices(self, field: Field, owner: str) -> Schema:
        name = owner + ''.join(part.capitalize() for part in field.name.split('_'))
        column = field.model_field
        chosen = [value for value, _ in column.flatchoices]
        blank = [''] if column.blank and '' not in chosen else []
        schema = {'type': 'string', 'enum': [*chosen, *blank]}
        return self.reference(name, (owner, field.name), lambda: schema)

    def _query(self, readable: Readable) -> Schema:
        options = readable.resource.options
        either = [{'type': 'string'}, self.sort_spec()]
        return {
            'type': 'object',
            'description': (
                'What the parameters of the list ask. Every further member is a comparison, called '
                'as such a parameter is: `"price__gte": 10`.'
            ),
            'properties': {
                'filter': self.filter_spec(),
                'sort': {'description': 'A sort_spec, or `-price,name`.', 'oneOf': either},
                'ordering': {'description': 'The same as `sort`.', 'oneOf': either},
                'fields': {'type': 'string', 'format': 'mask', 'maxLength': mask.MOST_BYTES},
                'limit': limit_of(readable),
                'offset': OFFSET,
                'cursor': {'type': ['string', 'null']},
                'count': {**self.count_mode(), 'default': options.count},
            },
        }

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
                *(_only(name, value) for name, value in forms.items()),
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

    def _sort_spec(self) -> Schema:
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
        return {'oneOf': [one, {'type': 'array', 'items': one, 'maxItems': order.MOST_KEYS}]}


def shown_mask(readable: Readable) -> str:
    """The default mask, as far as it may be read."""
    readable_names = set(readable.names)
    names = [name for name, _ in default_mask(readable).entries if name in readable_names]
    return '{' + ','.join(names) + '}'


def limit_of(readable: Readable) -> Schema:
    """The rows that a page may have."""
    options = readable.resource.options
    return {
        'type': 'integer',
        'minimum': 0,
        'maximum': options.max_page_size,
        'default': options.page_size,
    }


OFFSET: Schema = {'type': 'integer', 'minimum': 0, 'maximum': parameters.MOST_OFFSET, 'default': 0}

_MODEL: Schema = {'type': 'string', 'description': 'The related resource that the field is of.'}

#: Kinds that may be null though their column is not: no file, and floats that JSON cannot write.
_NULL_AT_TIMES = frozenset({Kind.FILE, Kind.FLOAT})

_TEXT: Schema = {'type': 'string'}
_CLOCK = r'\d{2}:\d{2}:\d{2}(\.\d{1,6})?'
#: What answers hold, by kind.
_SHOWN: Mapping[Kind, Schema] = {
    Kind.TEXT: _TEXT,
    Kind.LONG_TEXT: _TEXT,
    Kind.INTEGER: {'type': 'integer'},
    Kind.FLOAT: {'type': 'number'},
    Kind.BOOLEAN: {'type': 'boolean'},
    Kind.DATE: {'type': 'string', 'format': 'date'},
    # RFC 3339's time has a zone, and so has JSON Schema's format of that name; this has none.
    Kind.TIME: {'type': 'string', 'format': 'time-local', 'pattern': f'^{_CLOCK}$'},
    Kind.DATETIME: {'type': 'string', 'format': 'date-time'},
    Kind.DURATION: {'type': 'string', 'pattern': rf'^(-?\d+ )?{_CLOCK}$'},
    Kind.UUID: {'type': 'string', 'format': 'uuid'},
    Kind.IP: {'type': 'string', 'anyOf': [{'format': 'ipv4'}, {'format': 'ipv6'}]},
    Kind.FILE: _TEXT,
    Kind.BINARY: {'type': 'string', 'contentEncoding': 'base64'},
    Kind.JSON: {},
}
#: What a value may be compared with, where that differs.
_ASKED: Mapping[Kind, Schema] = {
    Kind.TEXT: {'type': 'string', 'maxLength': MOST_CHARACTERS},
    Kind.LONG_TEXT: {'type': 'string', 'maxLength': MOST_CHARACTERS},
    Kind.DECIMAL: {'type': 'string', 'format': 'decimal', 'pattern': r'^-?\d{1,38}(\.\d{1,38})?$'},
    Kind.JSON: {'type': 'string', 'maxLength': MOST_CHARACTERS},
    Kind.ARRAY: {'type': 'string', 'maxLength': MOST_CHARACTERS},
}


def _decimal(column: models.Field) -> Schema:
    places = getattr(column, 'decimal_places', None) or 0
    fraction = rf'\.\d{{{places}}}' if places else ''
    return {'type': 'string', 'format': 'decimal', 'pattern': rf'^-?\d+{fraction}$'}


def _only(name: str, value: Schema) -> Schema:
    """An object of one member."""
    return {
        'type': 'object',
        'properties': {name: value},
        'required': [name],
        'additionalProperties': False,
    }


def _envelope(row: Schema) -> Schema:
    link = {'type': ['string', 'null'], 'format': 'uri'}
    return {
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
                'description': 'The nested lists that were cut at their cap, where there are any.',
            },
        },
        'required': ['next', 'previous', 'results'],
        'additionalProperties': False,
    }
