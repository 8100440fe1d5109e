"""The kinds that there are, and which of them a field of a model has."""

from django.db import models

from backstay.engine.slots import ListSlot, Slot, SlotKey
from backstay.resources.kinds.value_kind import ValueKind

#: In the order in which they were made known.
KINDS: list[ValueKind] = []
_BY_COLUMN: dict[type[models.Field], ValueKind] = {}
_BY_INTERNAL_TYPE: dict[str, ValueKind] = {}


def register(kind: ValueKind) -> ValueKind:
    """Make a kind known; from then on, columns of its types have it."""
    KINDS.append(kind)
    _BY_COLUMN.update(dict.fromkeys(kind.columns, kind))
    if kind.internal_type:
        _BY_INTERNAL_TYPE[kind.internal_type] = kind
    return kind


def kind_of(field: models.Field) -> ValueKind | None:
    """Return the kind of a model field; None for a field that Backstay cannot show.

    A foreign key is of the kind of what it points at, a generated field of its output.
    """
    field = valued(field)
    if kind := _BY_INTERNAL_TYPE.get(field.get_internal_type()):
        return kind
    for base in type(field).__mro__:
        if kind := _BY_COLUMN.get(base):
            return (kind.with_choices or kind) if field.choices else kind
    return None


def valued(column: models.Field) -> models.Field:
    """Return the field that says what the values of a column are.

    That is what a foreign key points at, and the output of a generated field.
    """
    while isinstance(column, models.ForeignKey):
        column = column.target_field
    if isinstance(column, models.GeneratedField) and column.output_field:
        return column.output_field
    return column


#: Methods of a field of Django that convert values on the way to the database and back.
_CONVERSIONS = ('from_db_value', 'get_prep_value', 'get_db_prep_value', 'get_db_prep_save')


def own_conversions(column: models.Field) -> list[str]:
    """Return how a column's own class converts values in Python, which the database cannot do.

    A class that was registered with a kind says itself how its values are read and written.
    """
    found = []
    for base in type(valued(column)).__mro__:
        if base in _BY_COLUMN:
            break
        if not base.__module__.startswith('django.'):
            found += [name for name in _CONVERSIONS if name in vars(base)]
    return found


def slot_of(key: SlotKey, column: models.Field) -> Slot:
    """Return the place of one value that is compared with a column, whatever its kind."""
    kind = kind_of(column)
    return kind.slot(key, column) if kind else Slot(key, column)


def list_slot_of(key: SlotKey, column: models.Field) -> ListSlot:
    """Return the place of a list of values that are compared with a column."""
    kind = kind_of(column)
    return kind.list_slot(key, column) if kind else ListSlot(key, column)
