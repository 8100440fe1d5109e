"""The parameters of a resource's operations, as its OpenAPI document has them.

Every comparison that a list takes would make hundreds of parameters. So a field has one for the
comparison without a suffix, and those with the suffixes that its kind is mostly asked with; its
`x-lookups` names all suffixes that it takes. Fields behind a relation have their first one only.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter

from backstay.resources.conf import mask_header
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.shape import Field
from backstay.resources.kinds import INTEGER, JSON
from backstay.resources.kinds.operators import OF_MEMBERS
from backstay.resources.kinds.texts import MAX_TEXT_CHARACTERS
from backstay.resources.openapi.components import OFFSET, Components, Schema, limit_of, shown_mask
from backstay.resources.query.filters import MAX_LISTED_VALUES
from backstay.resources.query.lookups import lookups_of
from backstay.resources.query.mask import MAX_MASK_BYTES
from backstay.resources.query.order import MAX_SORT_KEYS, default_order
from backstay.resources.query.parameters import MAX_PARAMETER_BYTES, TAKEN

_TEXT: Schema = {'type': 'string'}


def lookup_parameter(view: Any, readable: Readable, components: Components) -> OpenApiParameter:
    """Return the part of the path that names one object."""
    options = readable.resource.options
    field = readable.fields.get(options.lookup)
    schema = components.asked(field, options.name) if field else {'type': 'string'}
    return OpenApiParameter(view.lookup_url_kwarg, schema, OpenApiParameter.PATH, required=True)


def fields_parameter() -> OpenApiParameter:
    """Return the parameter with the mask in the query string."""
    schema = {'type': 'string', 'format': 'mask', 'maxLength': MAX_MASK_BYTES}
    description = f'The mask, where the header `{mask_header()}` gives none.'
    return OpenApiParameter('fields', schema, description=description)


def list_parameters(readable: Readable, components: Components) -> Iterator[OpenApiParameter]:
    """Yield the parameters of a list: mask, page, filter and order."""
    options = readable.resource.options
    cursor = 'Where a page begins, from `next` or `previous`; empty for the first page.'
    mode = {**components.count_mode(), 'default': options.count}
    yield fields_parameter()
    yield OpenApiParameter(
        'limit', limit_of(readable), description='Rows of the page; CSV has all.'
    )
    yield OpenApiParameter('offset', OFFSET, description='Rows before it; not with `cursor`.')
    yield OpenApiParameter('cursor', {'type': 'string'}, description=cursor)
    yield OpenApiParameter('count', mode, description='How `count` is found; `none` with `cursor`.')
    yield OpenApiParameter(
        'filter', _json_text(components.filter_spec()), description='A filter_spec as JSON.'
    )
    yield OpenApiParameter(
        'sort',
        _json_text(components.sort_spec()),
        description='A sort_spec as JSON, or what `ordering` takes.',
    )
    yield OpenApiParameter(
        'ordering',
        _ordering(readable),
        description='Names, from the first key to the last; with `-` before it, descending.',
    )


def _json_text(schema: Schema) -> Schema:
    return {
        'type': 'string',
        'maxLength': MAX_PARAMETER_BYTES,
        'contentMediaType': 'application/json',
        'contentSchema': schema,
    }


def _ordering(readable: Readable) -> Schema:
    """Return the schema of the shorthand of orders: the names that it takes, and its default."""
    names = [name for name, field in readable.fields.items() if field.orderable]
    for relation in readable.relations.values():
        if not relation.many:
            fields = readable.through(relation).fields
            names += (f'{relation.name}.{name}' for name, own in fields.items() if own.orderable)
    name = '-?(' + '|'.join(each.replace('.', r'\.') for each in names) + ')'
    usual = [key for key in default_order(readable) if key.field in readable.fields]
    return {
        'type': 'string',
        'pattern': f'^({name}(,{name}){{0,{MAX_SORT_KEYS - 1}}})?$',
        'default': ','.join(f'{"-" if key.descending else ""}{key.field}' for key in usual),
    }


def comparisons(readable: Readable, components: Components) -> Iterator[OpenApiParameter]:
    """Yield the parameters that compare fields."""
    owner = readable.resource.options.name
    for name, field in readable.fields.items():
        if field.filterable:
            usual = _usual(field)
            if name in TAKEN and not usual[0]:  # such as `count`, which says how to count
                usual = ('exact', *usual[1:])
            yield from _of_field(name, field, owner, components, usual)
    for relation in readable.relations.values():
        target = readable.through(relation)
        for name, field in target.fields.items():
            if field.filterable:
                path = f'{relation.name}.{name}'
                usual = _usual(field)[:1]
                yield from _of_field(path, field, target.resource.options.name, components, usual)


def _usual(field: Field) -> Sequence[str]:
    is_key = field.kind is INTEGER and field.model_field.primary_key
    return ('', 'in') if is_key else field.kind.suffixes


def _of_field(
    name: str, field: Field, owner: str, components: Components, usual: Sequence[str]
) -> Iterator[OpenApiParameter]:
    """Yield the parameters of one field; the first names all lookups that it takes."""
    lookups = list(lookups_of(field.kind.operators))
    extensions: dict[str, Any] = {'x-lookups': lookups}
    if field.kind is JSON:
        extensions['x-member-lookups'] = list(lookups_of(OF_MEMBERS))
    for suffix in usual:
        yield OpenApiParameter(
            f'{name}__{suffix}' if suffix else name,
            _operand(suffix, field, owner, components),
            description=_MEANING.get(suffix, ''),
            extensions=extensions,
            explode=False if suffix == 'in' else None,
            style='form' if suffix == 'in' else None,
        )
        extensions = {}


def _operand(suffix: str, field: Field, owner: str, components: Components) -> Schema:
    value = components.asked(field, owner)
    match suffix:
        case 'isnull':
            return {'type': 'boolean'}
        case 'in':
            return {'type': 'array', 'items': value, 'maxItems': MAX_LISTED_VALUES}
        case 'icontains':
            # Two are taken by the wildcards around it.
            return {'type': 'string', 'maxLength': MAX_TEXT_CHARACTERS - 2}
    return value


_MEANING = {
    'gte': 'At least this.',
    'lte': 'At most this.',
    'in': 'One of these.',
    'icontains': 'Holds this text, in any case.',
    'isnull': 'Whether there is no value.',
    'any': 'Holds this element.',
}


def request_headers(readable: Readable, *, conditional: bool) -> Iterator[OpenApiParameter]:
    """Yield the headers of a request."""
    mask = {
        'type': 'string',
        'format': 'mask',
        'maxLength': MAX_MASK_BYTES,
        'default': shown_mask(readable),
    }
    strict = 'With `handling=strict`, a mask that names what is not there is refused.'
    told = [(mask_header(), mask, 'Which members are shown.'), ('Prefer', _TEXT, strict)]
    if conditional:
        told.append(('If-None-Match', _TEXT, 'ETags of answers that the client has.'))
    for name, schema, description in told:
        yield OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=description)
