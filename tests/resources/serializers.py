"""Django REST Framework's own answer to a mask: `ModelSerializer`s, built for it."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import models
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.field_mapping import ClassLookupDict

from backstay.resources import Computed, InPython, Many, One, Resource, Url
from tests.resources import oracle
from tests.resources.asking import FACTS

_FIELDS = ClassLookupDict(serializers.ModelSerializer.serializer_field_mapping)
#: A name as the client reads it: DRF shows files by URL unless told otherwise.
_BY_NAME = {'file': {'use_url': False}}


def serialized(
    resource: type[Resource], rows: Sequence[Any], mask: Sequence[Any] | None
) -> tuple[str, list[str]]:
    """The JSON text of the rows, and the pointers to the lists that were cut."""
    cut: list[list[Any]] = []
    child = _serializer(resource, mask, cut)()
    data = serializers.ListSerializer(rows, child=child).data
    return JSONRenderer().render(data).decode(), _pointers(data, cut)


def _serializer(
    resource: type[Resource], mask: Sequence[Any] | None, cut: list[list[Any]]
) -> type[serializers.ModelSerializer]:
    members = oracle.shown(resource, mask)
    declared = {
        name: field
        for name, below in members
        if (field := _declared(resource, name, below, cut)) is not None
    }
    meta = type(
        'Meta',
        (),
        {
            'model': resource.options.model,
            'fields': [name for name, _ in members],
            'extra_kwargs': _BY_NAME,
        },
    )
    return type('Made', (serializers.ModelSerializer,), {**declared, 'Meta': meta})


def _declared(
    resource: type[Resource], name: str, below: Any, cut: list[list[Any]]
) -> serializers.Field | None:
    """The serializer field of a member; None for one that `ModelSerializer` makes by itself."""
    match resource.declared.get(name):
        case One(source=source):
            nested = _serializer(oracle.target(resource, name), below or None, cut)
            return nested(read_only=True, allow_null=True, **_source(source, name))
        case Many(source=source) as many:
            inner = oracle.target(resource, name)
            child = _serializer(inner, below or None, cut)()
            names = many.ordering or inner.options.ordering
            keys = oracle.declared_keys(names)
            return _Rows(
                child=child,
                arrange=lambda rows: oracle.in_order(rows, keys, inner),
                cut=_cut_at(many.cap, cut),
                **_source(source, name),
            )
        case Computed(output_field=field):
            if isinstance(field, models.DecimalField):
                return _Decimal(field.max_digits, field.decimal_places, read_only=True)
            return _FIELDS[field](read_only=True)
        case Url(path=path):
            return _FromRow(lambda row: _url(path, row))
        case InPython(function=function, needs=needs):
            return _FromRow(lambda row: function({need: getattr(row, need) for need in needs}))
    if below is not None:
        return _FromRow(lambda row: oracle.filtered(getattr(row, name), below))
    return None


def _source(source: str | None, name: str) -> Mapping[str, str]:
    return {'source': source} if source and source != name else {}


def _url(path: str, row: models.Model) -> str:
    return FACTS['origin'] + re.sub(r'\{(\w+)\}', lambda name: str(getattr(row, name[1])), path)


class _Decimal(serializers.DecimalField):
    """DRF rounds -0.001 to -0.00; PostgreSQL knows no such number, and neither do we."""

    def quantize(self, value: Decimal) -> Decimal:
        shown = super().quantize(value)
        return shown if shown else shown.copy_abs()


class _FromRow(serializers.Field):
    """A value that a function makes from the row."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__(source='*', read_only=True)
        self.function = function

    def to_representation(self, value: Any) -> Any:
        return self.function(value)


class _Rows(serializers.ListSerializer):
    """Related rows, arranged and cut. DRF copies fields deeply, so it is told by functions."""

    def __init__(self, *, arrange: Callable[[list[Any]], list[Any]], cut: Any, **options: Any):
        super().__init__(**options)
        self.arrange = arrange
        self.cut = cut

    def to_representation(self, data: Any) -> list[Any]:
        shown = super().to_representation(self.arrange(list(data.all())))
        return self.cut(shown)


def _cut_at(cap: int, cut: list[list[Any]]) -> Callable[[list[Any]], list[Any]]:
    """Cuts a list at its cap, and keeps it in `cut` if that took something away."""

    def cut_one(rows: list[Any]) -> list[Any]:
        if len(rows) <= cap:
            return rows
        cut.append(rows[:cap])
        return cut[-1]

    return cut_one


def _pointers(data: Any, cut: list[list[Any]], at: str = '') -> list[str]:
    """Where the lists that were cut stand."""
    found = [at] if any(data is each for each in cut) else []
    inner: Any = ()
    if isinstance(data, list):
        inner = enumerate(data)
    elif isinstance(data, Mapping):
        inner = data.items()
    return found + [
        pointer for name, value in inner for pointer in _pointers(value, cut, f'{at}/{name}')
    ]


def exactly(text: str) -> Any:
    """A JSON text as Python values that are equal only where the JSON is, key order included."""
    return _tagged(json.loads(text, object_pairs_hook=lambda pairs: ('object', pairs)))


def _tagged(value: Any) -> Any:
    match value:
        case bool():
            return ('boolean', value)
        case list():
            return [_tagged(each) for each in value]
        case ('object', list(pairs)):
            return ('object', [(name, _tagged(each)) for name, each in pairs])
    return value
