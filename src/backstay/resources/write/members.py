"""Members of bodies: those that a resource can take, and the check of each value.

The values are checked by the fields that Django REST Framework's ModelSerializer would have, and so
by the validators of the model. Checks that ask the database, such as uniqueness, are left out here:
they are made for all rows of a batch at once.
"""

import re
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.core.validators import validate_unicode_slug
from django.db import models
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from backstay.errors import Fault, faults_in
from backstay.resources.declaration.fields import Array, Many, One
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.declaration.shape import Field, Relation
from backstay.resources.kinds import ARRAY, CHOICE
from backstay.resources.kinds.numbers import finite, range_of
from backstay.resources.kinds.texts import choices_of
from backstay.resources.kinds.value_kind import OF_JSON, Refused
from backstay.resources.write.quick import SLOW, Quick, quick, slow

#: A code point that UTF-8 has no bytes for; JSON can name it, and PostgreSQL refuses it.
_HALF_OF_A_PAIR = re.compile('[\ud800-\udfff]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Writable:
    """A member of bodies that is a column of the row."""

    name: str
    #: The attribute of the model.
    attribute: str
    field: Field
    #: The column; for a reference the foreign key and not its target.
    column: models.Field
    check: serializers.Field
    #: Takes values in their usual form.
    quick: Quick
    #: The relation through which a reference is looked up.
    reference: Relation | None = None
    #: The only values that it takes, as the model has them; any where it is empty.
    choices: tuple[Any, ...] = ()

    @property
    def is_required(self) -> bool:
        """Whether a new row needs it."""
        column = self.column
        has_default = column.has_default() or has_db_default(column)
        return not (column.null or column.blank or has_default)

    def clean(self, raw: Any) -> tuple[Any, list[Fault]]:
        """Return the value as the model takes it, and its faults with pointers that start there."""
        value = self.quick(raw)
        if value is not SLOW:
            return value, []
        if raw == '' and self.field.kind is CHOICE and self.column.blank:
            return raw, []  # DRF would ask the validators of the type about it
        try:
            value = self.check.run_validation(raw)
            if value is not None:
                value = self.field.kind.refine(value)
            if self.choices and value is not None and value not in self.choices:
                detail = f'Not one of {len(self.choices)} choices.'
                raise serializers.ValidationError(detail, code='invalid_choice')
            # A form of the admin has read it already, unless it is of a type that JSON has.
            return value, self._lenience(raw) if isinstance(raw, OF_JSON) else []
        except serializers.ValidationError as error:
            faults = faults_in(error.get_full_details(), '')
            return None, [replace(each, code=each.code.replace('_', '-')) for each in faults]
        except (OverflowError, ValueError, ArithmeticError) as error:
            detail = str(error) if isinstance(error, Refused) else 'The value is out of range.'
            return None, [Fault(pointer='', code='invalid', detail=detail)]

    def _lenience(self, raw: Any) -> list[Fault]:
        """Return a fault if the value was taken for another one than the client wrote."""
        kind, column = self.field.kind, self.field.model_field
        try:
            kind.check_body(raw, column)
        except OverflowError:
            return []  # longer than filters take, which is no fault of a body
        except ValueError as error:
            is_told = isinstance(error, Refused)
            detail = str(error) if is_told else f'Expected {kind.expected(column)}.'
            return [Fault(pointer='', code='invalid', detail=detail)]
        return []


def writable(resource: type[Resource]) -> Mapping[str, Writable]:
    """Return the members of bodies that are columns which can be written, by name."""
    return _writable(Readable(resource))


@lru_cache(maxsize=1_024)
def _writable(readable: Readable) -> dict[str, Writable]:
    resource, options = readable.resource, readable.resource.options
    columns, known = columns_of(options.model), references(resource)
    kept = {options.version, options.soft_delete}
    members: dict[str, Writable] = {}
    for name, field in resource.fields().items():
        is_column = field.declared is None or isinstance(field.declared, Array)
        column = columns.get(field.attname)
        if column is None or not is_column or name in kept or not is_open(column):
            continue
        check = _check(column, field)
        if check is None:
            continue
        choices = () if field.kind is CHOICE else tuple(choices_of(column))
        is_slow = field.kind.is_always_refined or bool(choices)
        members[name] = Writable(
            name=name,
            attribute=field.attname,
            field=field,
            column=column,
            check=check,
            quick=slow if is_slow else quick(check),
            reference=known.get(field.attname),
            choices=choices,
        )
    return members


def required(resource: type[Resource], names: frozenset[str]) -> tuple[Writable, ...]:
    """Return those of the members with these names that a whole object needs."""
    return _required(Readable(resource), names)


@lru_cache(maxsize=4_096)
def _required(readable: Readable, names: frozenset[str]) -> tuple[Writable, ...]:
    every = _writable(readable).items()
    return tuple(each for name, each in every if name in names and each.is_required)


def writable_relations(resource: type[Resource]) -> Mapping[str, Relation]:
    """Return the relations that are written with their parent, by name."""
    return _writable_relations(Readable(resource))


@lru_cache(maxsize=1_024)
def _writable_relations(readable: Readable) -> dict[str, Relation]:
    return {
        name: relation
        for name, relation in readable.resource.relations().items()
        if isinstance(relation.declared, One | Many) and relation.declared.writable
    }


def through_of(resource: type[Resource], relation: Relation) -> tuple[type[models.Model], str, str]:
    """Return the table of a many-to-many relation, and its attributes for this and that side."""
    edge: Any = resource.options.model._meta.get_field(relation.declared.source or relation.name)
    if isinstance(edge, models.ManyToManyField):
        through: Any = edge.remote_field.through
        here, there = edge.m2m_field_name(), edge.m2m_reverse_field_name()
    else:
        through = edge.through
        here, there = edge.field.m2m_reverse_field_name(), edge.field.m2m_field_name()
    columns = through._meta
    return through, columns.get_field(here).attname, columns.get_field(there).attname


def columns_of(model: type[models.Model]) -> Mapping[str, models.Field]:
    """Return the columns of a model by their attribute, such as `publisher_id`."""
    return {column.attname: column for column in model._meta.concrete_fields}


def parent_links(model: type[models.Model]) -> list[Any]:
    """Return the columns that lead from a child model's own table to those of its parents."""
    return [link for link in model._meta.parents.values() if link is not None]


def tables_of(model: type[models.Model]) -> tuple[str, ...]:
    """Return the names under which a lock of rows means every table that they have a part in."""
    return ('self', *(link.name for link in parent_links(model)))


def references(resource: type[Resource]) -> Mapping[str, Relation]:
    """Return the relations behind foreign keys, by the attribute that holds the key."""
    return {each.local: each for each in resource.relations().values() if each.forward}


def is_open(column: models.Field) -> bool:
    """Whether a client could ever give the value of a column."""
    if isinstance(column, models.GeneratedField | models.AutoField | models.FileField):
        return False
    if getattr(column.remote_field, 'parent_link', False):  # a row is made with its parent's part
        return False
    return not (getattr(column, 'auto_now', False) or getattr(column, 'auto_now_add', False))


def _check(column: models.Field, field: Field) -> serializers.Field | None:
    """Return the field of DRF that checks the values of a column; None if DRF has no such field."""
    if field.kind.body_field:
        return field.kind.body_field(column)
    target: Any = column
    while isinstance(target, models.ForeignKey):
        target = target.target_field
    if target.choices and field.kind is not CHOICE:
        # DRF would take them as texts, which are spelled unlike the values of the type.
        target = copy(target)
        target.choices = None
    made, options = serializers.ModelSerializer().build_standard_field(field.attname, target)
    if issubclass(made, serializers.ModelField):
        return None
    options = {
        name: value
        for name, value in options.items()
        # DRF does not ask for values of automatic and uneditable columns.
        if name not in ('read_only', 'required', 'allow_null', 'allow_blank', 'initial')
    }
    if issubclass(made, serializers.JSONField):
        made = _Json
    is_slug = issubclass(made, serializers.SlugField)
    options['validators'] = [
        each
        for each in options.get('validators', ())
        # The batch checks uniqueness and the field slugs; their faults would be reported twice.
        if not (isinstance(each, UniqueValidator) or (is_slug and each is validate_unicode_slug))
    ]
    if issubclass(made, serializers.IntegerField):
        options |= _range(target, options)
    if issubclass(made, serializers.CharField | serializers.ChoiceField):
        options['allow_blank'] = column.blank
    check = made(**options, allow_null=column.null)
    if field.kind is ARRAY and not isinstance(check, serializers.ListField):
        return _ScalarList(allow_null=column.null)
    return check


def _range(target: models.Field, options: Mapping[str, Any]) -> dict[str, int]:
    """Return the limits of PostgreSQL's column, since SQLite's takes any 64 bits."""
    low, high = range_of(target)
    if target.get_internal_type().startswith('Positive'):
        low = 0
    return {
        'min_value': max(low, options.get('min_value', low)),
        'max_value': min(high, options.get('max_value', high)),
    }


def has_db_default(column: models.Field) -> bool:
    """Whether the database gives the column a value of its own."""
    return getattr(column, 'db_default', models.NOT_PROVIDED) is not models.NOT_PROVIDED


class _Json(serializers.JSONField):
    """Any JSON that both engines store and show alike."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the value with binary floats for fractions, as databases and clients have them."""
        return super().to_internal_value(plain_json(data))


class _ScalarList(serializers.ListField):
    """A JSON array of scalars, which `Array` declares."""

    child = _Json(allow_null=True)

    def to_internal_value(self, data: Any) -> list[Any]:
        """Return the elements, none of which is an array or an object."""
        elements: list[Any] = super().to_internal_value(data)
        faults = {
            str(at): ['An array or object cannot be an element.']
            for at, element in enumerate(elements)
            if isinstance(element, list | dict)
        }
        if faults:
            raise serializers.ValidationError(faults, code='invalid')
        return elements


def plain_json(value: Any) -> Any:
    """Return JSON without Decimals; refuse values that some engine cannot hold."""
    match value:
        case Decimal():
            return finite(float(value))
        case float():
            return finite(value)
        case str():
            if '\0' in value:
                raise Refused('Null characters are not allowed.')
            if not value.isascii() and _HALF_OF_A_PAIR.search(value):
                raise Refused('Half of a surrogate pair is no text.')
        case list():
            return [plain_json(each) for each in value]
        case dict():
            return {plain_json(name): plain_json(each) for name, each in value.items()}
    return value
