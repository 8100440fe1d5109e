"""What an answer must say of a row: the row as Django REST Framework shows it.

The database writes the JSON of an answer; the check goes through Python instead, so that the two
can disagree.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from backstay.resources import Resource
from backstay.resources.declaration.shape import Field


def columns(resource: type[Resource], names: Iterable[str]) -> dict[str, Field]:
    """Those of the names that are columns of the model, shown as they are."""
    fields = resource.fields()
    return {
        name: fields[name]
        for name in names
        if name in fields and fields[name].attname and name not in resource.declared
    }


def shown(resource: type[Resource], row: models.Model, names: Iterable[str]) -> dict[str, Any]:
    """The columns of a row as JSON; other names are left out."""
    found = columns(resource, names)
    files = {
        name: {'use_url': False}
        for name, field in found.items()
        if isinstance(field.model_field, models.FileField)
    }
    meta = {'model': resource.options.model, 'fields': [*found], 'extra_kwargs': files}
    made = type('Shown', (serializers.ModelSerializer,), {'Meta': type('Meta', (), meta)})
    text = JSONRenderer().render(made(row).data)
    values: dict[str, Any] = json.loads(text)
    return values


def unlike(answered: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Where an answer says something else: name to what it says and what it should say."""
    return {
        name: (answered[name], value) for name, value in expected.items() if answered[name] != value
    }


def not_stored(
    resource: type[Resource], row: models.Model, sent: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Where a row is not what was sent: name to what is stored and what was sent."""
    different = {}
    for name, field in columns(resource, sent).items():
        stored = getattr(row, field.attname)
        try:
            meant = field.model_field.to_python(sent[name])
        except ValidationError:
            meant = sent[name]
        if isinstance(stored, models.fields.files.FieldFile):
            stored = stored.name
        if stored != meant:
            different[name] = (stored, sent[name])
    return different
