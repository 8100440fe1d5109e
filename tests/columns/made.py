"""The generated models: one for each type of column and way of declaring it, with its resource."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from typing import Any
from uuid import UUID

from django.core.validators import MaxValueValidator, MinLengthValidator, MinValueValidator
from django.db import connection, models
from django.db.models import F

from backstay.resources import ALL, Computed, Grant, Resource, anyone, signed_in

#: What a type of column takes first, second and third, in Python's own types.
_MOMENT = dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC)
TYPES: dict[str, tuple[Callable[..., models.Field], tuple[Any, ...]]] = {
    'BigIntegerField': (models.BigIntegerField, (1, 2**62, -5)),
    'BinaryField': (models.BinaryField, (b'a', b'\x00\xff', b'zz')),
    'BooleanField': (models.BooleanField, (True, False)),
    'CharField': (lambda **k: models.CharField(max_length=20, **k), ('a', 'Ärger', 'b c')),
    'DateField': (
        models.DateField,
        (dt.date(2024, 2, 29), dt.date(1, 1, 1), dt.date(9999, 12, 31)),
    ),
    'DateTimeField': (
        models.DateTimeField,
        (_MOMENT, _MOMENT + dt.timedelta(microseconds=1), _MOMENT + dt.timedelta(milliseconds=250)),
    ),
    'DecimalField': (
        lambda **k: models.DecimalField(max_digits=8, decimal_places=2, **k),
        (Decimal('0.50'), Decimal('-999999.99'), Decimal('3.00')),
    ),
    'DecimalField without places': (
        lambda **k: models.DecimalField(max_digits=5, decimal_places=0, **k),
        (Decimal(7), Decimal(-99999), Decimal(0)),
    ),
    'DecimalField of places': (
        lambda **k: models.DecimalField(max_digits=3, decimal_places=3, **k),
        (Decimal('0.125'), Decimal('-0.999'), Decimal('0.000')),
    ),
    'DurationField': (
        models.DurationField,
        (dt.timedelta(hours=30), dt.timedelta(microseconds=-1), dt.timedelta(0)),
    ),
    'EmailField': (models.EmailField, ('a@example.org', 'b@example.org', 'z@example.org')),
    'FloatField': (models.FloatField, (1.0, -0.5, 1e22)),
    'GenericIPAddressField': (models.GenericIPAddressField, ('127.0.0.1', '::1', '10.0.0.1')),
    'GenericIPAddressField of IPv4': (
        lambda **k: models.GenericIPAddressField(protocol='IPv4', **k),
        ('127.0.0.1', '10.0.0.1', '192.168.1.1'),
    ),
    'IntegerField': (models.IntegerField, (1, -(2**31), 7)),
    'JSONField': (models.JSONField, ({'a': 1}, [1, 'x'], 'text')),
    'PositiveBigIntegerField': (models.PositiveBigIntegerField, (1, 2**62, 0)),
    'PositiveIntegerField': (models.PositiveIntegerField, (1, 2**31 - 1, 0)),
    'PositiveSmallIntegerField': (models.PositiveSmallIntegerField, (1, 2**15 - 1, 0)),
    'SlugField': (models.SlugField, ('a', 'b-c', 'z')),
    'SlugField of Unicode': (
        lambda **k: models.SlugField(allow_unicode=True, **k),
        ('a', 'ä-ö', '漢'),
    ),
    'SmallIntegerField': (models.SmallIntegerField, (1, -(2**15), 7)),
    'TextField': (models.TextField, ('a', 'two\nlines', '😀')),
    'TimeField': (models.TimeField, (dt.time(12), dt.time(23, 59, 59, 999_999), dt.time(0))),
    'URLField': (
        models.URLField,
        ('https://a.example/', 'http://b.example/', 'https://c.example/'),
    ),
    'UUIDField': (models.UUIDField, tuple(UUID(int=each) for each in (1, 2**127, 3))),
}


def _array_of(element: Callable[..., models.Field], **options: Any) -> models.Field:
    from django.contrib.postgres.fields import ArrayField

    return ArrayField(element(), **options)


#: The elements of arrays, one for each way in which they are written.
_ELEMENTS = (
    'BooleanField',
    'CharField',
    'DateField',
    'DateTimeField',
    'DecimalField',
    'DurationField',
    'FloatField',
    'GenericIPAddressField',
    'IntegerField',
    'TextField',
    'TimeField',
    'UUIDField',
)
if connection.vendor == 'postgresql':  # SQLite has no arrays
    for _name in _ELEMENTS:
        _make, _values = TYPES[_name]
        TYPES[f'ArrayField of {_name}'] = (
            partial(_array_of, _make),
            ([*_values], [_values[0]], [_values[0], _values[0]]),
        )

_NUMBERS = (int, float, Decimal)


def _validators(values: tuple[Any, ...]) -> list[Any]:
    """Validators that the values pass."""
    if isinstance(values[0], bool):
        return []
    if isinstance(values[0], _NUMBERS):
        return [MinValueValidator(min(values)), MaxValueValidator(max(values))]
    return [MinLengthValidator(1)] if isinstance(values[0], str) else []


#: What may be declared of a column: its arguments, made of the values that it takes.
WAYS: Mapping[str, Callable[[tuple[Any, ...]], dict[str, Any]]] = {
    'required': lambda _: {},
    'null': lambda _: {'null': True, 'blank': True},
    'null, never blank': lambda _: {'null': True},
    'blank': lambda _: {'blank': True},
    'default': lambda values: {
        'default': partial(list, values[0]) if isinstance(values[0], list) else values[0]
    },
    'db_default': lambda values: {'db_default': values[0]},
    'validators': lambda values: {'validators': _validators(values)},
    'choices': lambda values: {'choices': [(each, str(each)) for each in values]},
    'choices in groups': lambda values: {
        'choices': [('G', [(each, str(each)) for each in values])]
    },
    'choices, null': lambda values: {
        'choices': [(None, 'nothing'), *((each, str(each)) for each in values)],
        'null': True,
        'blank': True,
    },
    'choices, default': lambda values: {
        'choices': [(each, str(each)) for each in values],
        'default': partial(list, values[0]) if isinstance(values[0], list) else values[0],
    },
}
#: Ways that Django or the engines have for some types only.
_CANNOT = {
    ('JSONField', 'choices'),
    ('BinaryField', 'db_default'),
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One type of column, declared in one way."""

    type_name: str
    way: str

    @property
    def name(self) -> str:
        return f'{self.type_name}, {self.way}'

    @property
    def values(self) -> tuple[Any, ...]:
        """Values that it takes, in Python's own types."""
        return TYPES[self.type_name][1]

    def field(self, **more: Any) -> models.Field:
        make, values = TYPES[self.type_name]
        return make(**{**WAYS[self.way](values), **more})

    @property
    def prefix(self) -> str:
        """The first part of its addresses."""
        return ''.join(each if each.isalnum() else '-' for each in self.name.lower())

    @property
    def made(self) -> tuple[str, ...]:
        """The columns that the database makes of it."""
        if 'JSON' in self.type_name:
            return ()
        return ('made', 'virtual') if connection.vendor == 'sqlite' else ('made',)

    @cached_property
    def model(self) -> type[models.Model]:
        name = ''.join(each for each in self.name.title() if each.isalnum())
        make, _ = TYPES[self.type_name]
        columns: dict[str, Any] = {'value': self.field()}
        # What the database makes of it, stored or each time anew.
        for made in self.made:
            columns[made] = models.GeneratedField(
                expression=F('value'), output_field=make(null=True), db_persist=made == 'made'
            )
        meta = type(
            'Meta', (), {'app_label': 'columns', 'db_table': f'columns_{name.lower()}'[:60]}
        )
        return type(name, (models.Model,), {**columns, 'Meta': meta, '__module__': __name__})

    @cached_property
    def resource(self) -> type[Resource]:
        make, _ = TYPES[self.type_name]
        meta = type(
            'Meta',
            (),
            {
                'model': self.model,
                'fields': ('id', 'value', *self.made),
                'require_idempotency_key': (),
                'ordering': ('id',),
            },
        )
        computed = (
            {} if 'JSON' in self.type_name else {'computed': Computed(F('value'), make(null=True))}
        )
        grants = (
            Grant(anyone, read=ALL),
            Grant(signed_in, read=ALL, write=ALL, create=ALL, delete=True),
        )
        members = {'Meta': meta, 'grants': grants, '__module__': __name__, **computed}
        return type(f'{self.model.__name__}Resource', (Resource,), members)


COLUMNS = [
    Column(type_name=type_, way=way)
    for type_ in TYPES
    for way in WAYS
    if (type_, way) not in _CANNOT and not (type_ == 'JSONField' and way.startswith('choices'))
]
#: A part of them for every run: each type once, and each way some times.
SAMPLE = COLUMNS[:: len(WAYS) - 1]
