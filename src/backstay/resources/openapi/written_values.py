"""JSON Schemas of the values that a body may give: what the fields that check them accept.

A value is described in the form in which answers have it; whatever a schema allows is accepted. The
fields of Django REST Framework take more than that, such as `"7"` for a number, which is no promise
to anybody.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from django.core.validators import RegexValidator, URLValidator
from django.db import models
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from backstay.resources.declaration.shape import Field
from backstay.resources.kinds import CHOICE, JSON, ValueKind
from backstay.resources.kinds.documents import element_of
from backstay.resources.kinds.texts import choices_of
from backstay.resources.openapi.components import Components, Schema, nullable

_SCALAR: Schema = {'type': ['string', 'number', 'boolean', 'null']}
_ANYTHING = ['object', 'array', 'string', 'number', 'boolean']


def value(check: Any, field: Field, owner: str, components: Components) -> Schema:
    """Return the schema of a value that a field accepts; `owner` is the name of its resource."""
    if field.kind is JSON:
        return {} if check.allow_null else {'type': [*_ANYTHING]}
    if field.kind is CHOICE and not isinstance(check, serializers.FilePathField):
        schema = components.asked(field, owner)
    else:
        schema = _value(check, field.kind, field.model_field)
        if chosen := choices_of(field.model_field):
            # The few values in the spelling in which answers have them.
            shown = [
                b64encode(each).decode()
                if isinstance(each, bytes)
                else check.to_representation(each)
                for each in chosen
            ]
            enum = json.loads(JSONRenderer().render(shown))
            schema = {'type': schema.get('type', 'string'), 'enum': enum}
            schema = components.chosen(field, owner, schema)
    return nullable(schema) if check.allow_null else schema


def _value(check: Any, kind: ValueKind, column: models.Field) -> Schema:
    """Return the schema of a field on its own, such as the elements of an array."""
    match check:
        case serializers.ListField():
            return _array(check, column)
        case serializers.JSONField():
            return dict(_SCALAR)
        case serializers.FilePathField():
            return {'type': 'string'}
        case serializers.ChoiceField():
            chosen = [*check.choices]
            if check.allow_blank and '' not in chosen:
                chosen.append('')
            is_whole = all(type(each) is int for each in chosen)
            return {'type': 'integer' if is_whole else 'string', 'enum': chosen}
        case serializers.IPAddressField():
            protocol = check.protocol.lower()
            formats = [protocol] if protocol in ('ipv4', 'ipv6') else ['ipv4', 'ipv6']
            return {'type': 'string', 'anyOf': [{'format': each} for each in formats]}
        case serializers.IntegerField():
            return {'type': 'integer', **_range(check)}
        case serializers.FloatField():
            return {'type': 'number', **_range(check)}
        case serializers.DecimalField():
            return _decimal(check)
    return dict(kind.body_schema) if kind.body_schema else _text(check)


def _array(check: Any, column: models.Field) -> Schema:
    child = check.child
    items = _value(child, *element_of(column))
    if child.allow_null and not isinstance(child, serializers.JSONField):
        items = nullable(items)
    most = {} if check.max_length is None else {'maxItems': check.max_length}
    fewest = max(check.min_length or 0, 0 if check.allow_empty else 1)
    least = {'minItems': fewest} if fewest else {}
    return {'type': 'array', 'items': items, **least, **most}


def _range(check: Any) -> Schema:
    told = {'minimum': check.min_value, 'maximum': check.max_value}
    return {name: limit for name, limit in told.items() if isinstance(limit, int | float)}


def _decimal(check: Any) -> Schema:
    """Return the schema of a decimal as text, with no more digits than its column has."""
    places = check.decimal_places or 0
    whole = '+' if check.max_digits is None else f'{{1,{max(check.max_digits - places, 1)}}}'
    fraction = rf'(\.\d{{1,{places}}})?' if places else ''
    pattern = rf'^-?\d{whole}{fraction}$'
    if check.max_digits is not None and check.max_digits == places:
        pattern = rf'^-?0\.\d{{1,{places}}}$'
    limits = {'At least': check.min_value, 'At most': check.max_value}
    said = ' '.join(f'{word} {limit}.' for word, limit in limits.items() if limit is not None)
    return {
        'type': 'string',
        'format': 'decimal',
        'pattern': pattern,
        **({'description': said} if said else {}),
    }


def _text(check: Any) -> Schema:
    schema: Schema = {'type': 'string'}
    if not getattr(check, 'allow_blank', True):
        schema['minLength'] = max(check.min_length or 1, 1)
    elif check.min_length:
        schema['minLength'] = check.min_length
    if check.max_length is not None:
        schema['maxLength'] = check.max_length
    patterns = [*_patterns(check)]
    if not patterns and not check.allow_blank:
        patterns = [r'\S']  # blanks at either end are taken away
    match check:
        case serializers.EmailField():
            schema['format'] = 'email'
        case serializers.URLField():
            schema['format'] = 'uri'
    if len(patterns) == 1:
        schema['pattern'] = patterns[0]
    elif patterns:
        schema['allOf'] = [{'pattern': each} for each in patterns]
    return schema


def _patterns(check: Any) -> Iterator[str]:
    """Yield the regular expressions that a text has to match, as JSON Schema spells them."""
    for each in check.validators:
        if isinstance(each, URLValidator):
            yield f'^({"|".join(each.schemes)})://'
        elif isinstance(each, RegexValidator) and not (each.inverse_match or each.flags):
            pattern: str = each.regex.pattern  # type: ignore[union-attr]  # it is compiled by now
            yield pattern.replace(r'\A', '^').replace(r'\Z', '$')
