"""Values of rows as ORM expressions: columns, and what the database computes."""

from django.db.models import ExpressionWrapper, F, OuterRef, Subquery
from django.db.models.expressions import Combinable

from backstay.engine.comparisons import Normal
from backstay.engine.enclosed import Enclosed
from backstay.engine.json_text import JsonValue
from backstay.engine.slots import TEXT
from backstay.engine.unshared import unshared
from backstay.resources.declaration.fields import Computed
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.shape import Field


def value_of(field: Field, readable: Readable, prefix: str = '') -> Combinable:
    """Return a value of the row at the end of an ORM path; '' is the query's own row."""
    if not isinstance(field.declared, Computed):
        return F(f'{prefix}{field.attname}')
    if not prefix:
        return computed(field)
    return computed_beside(field, readable, OuterRef(f'{prefix}pk'))


def computed(field: Field) -> Combinable:
    """Return the computed value of the query's own row, in brackets."""
    if not isinstance(field.declared, Computed):
        raise TypeError(f'{field.name} is not computed')
    return Enclosed(unshared(field.declared.expression), field.model_field)


def compared(value: Combinable, field: Field) -> Combinable:
    """Return a value of the field in the form in which such values are compared and sorted."""
    if field.kind.digest_form:
        return Normal(value, field.kind.digest_form, TEXT)
    if not (field.is_computed and field.kind.computed_form):
        return value
    return Normal(value, field.kind.computed_form, field.model_field)


def computed_beside(field: Field, readable: Readable, pk: Combinable) -> Subquery:
    """Return a computed value of the row with this key, which is not the query's own.

    The names in its expression are those of that row, so it is computed there.
    """
    if not isinstance(field.declared, Computed):
        raise TypeError(f'{field.name} is not computed')
    value = ExpressionWrapper(unshared(field.declared.expression), field.model_field)
    return beside(readable, pk, value)


def beside(readable: Readable, pk: Combinable, expression: Combinable) -> Subquery:
    """Return the value of an expression over the row with this key."""
    row = readable.resource.options.model._base_manager.order_by().filter(pk=pk)
    return Subquery(row.values_list(expression))


def json_value(
    value: Combinable, field: Field, *, nullable: bool | None = None, is_key: bool = False
) -> JsonValue:
    """Return a value of the field as JSON; `nullable` as the field says unless given."""
    return JsonValue(
        value,
        field.kind.forms(field.model_field, computed=field.is_computed, is_key=is_key),
        nullable=field.nullable if nullable is None else nullable,
    )
