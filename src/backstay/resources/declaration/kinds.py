"""The kind of a value: what its JSON looks like, which filters it takes, how it is ordered."""

from enum import Enum

from django.db import models


class Kind(Enum):
    """Every type of value that a resource can show."""

    TEXT = 'text'
    LONG_TEXT = 'long text'
    CHOICE = 'choice'
    INTEGER = 'integer'
    FLOAT = 'float'
    DECIMAL = 'decimal'
    BOOLEAN = 'boolean'
    DATE = 'date'
    TIME = 'time'
    DATETIME = 'datetime'
    DURATION = 'duration'
    UUID = 'uuid'
    IP = 'ip'
    FILE = 'file'
    BINARY = 'binary'
    JSON = 'json'
    ARRAY = 'array'


#: Model field class to kind. The first class in the field's own order of bases decides.
_KINDS: dict[type[models.Field], Kind] = {
    models.AutoField: Kind.INTEGER,
    models.BigIntegerField: Kind.INTEGER,
    models.BinaryField: Kind.BINARY,
    models.BooleanField: Kind.BOOLEAN,
    models.CharField: Kind.TEXT,
    models.DateField: Kind.DATE,
    models.DateTimeField: Kind.DATETIME,
    models.DecimalField: Kind.DECIMAL,
    models.DurationField: Kind.DURATION,
    models.FileField: Kind.FILE,
    models.FilePathField: Kind.TEXT,
    models.FloatField: Kind.FLOAT,
    models.GenericIPAddressField: Kind.IP,
    models.IntegerField: Kind.INTEGER,
    models.JSONField: Kind.JSON,
    models.TextField: Kind.LONG_TEXT,
    models.TimeField: Kind.TIME,
    models.UUIDField: Kind.UUID,
}


def kind_of(field: models.Field) -> Kind | None:
    """The kind of a model field; None for a field that Backstay cannot show.

    A foreign key is of the kind of what it points at, a generated field of its output.
    """
    if isinstance(field, models.GeneratedField):
        return kind_of(field.output_field) if field.output_field else None
    if isinstance(field, models.ForeignKey):
        return kind_of(field.target_field)
    if field.get_internal_type() == 'ArrayField':
        return Kind.ARRAY
    for base in type(field).__mro__:
        if kind := _KINDS.get(base):
            return Kind.CHOICE if kind is Kind.TEXT and field.choices else kind
    return None
