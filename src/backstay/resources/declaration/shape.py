"""The shape of a resource: its values and relations, resolved against its model."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from backstay.encryption.declared import EncryptedField
from backstay.resources.declaration.fields import (
    Array,
    Computed,
    Declared,
    InPython,
    Many,
    Parent,
    Related,
    Through,
    Url,
)
from backstay.resources.declaration.registry import resolve
from backstay.resources.errors import DeclarationError
from backstay.resources.kinds import ARRAY, JSON, TEXT, ValueKind, kind_of
from backstay.resources.kinds.registered import own_conversions, valued

if TYPE_CHECKING:
    from backstay.resources.declaration.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value of a resource, resolved against its model."""

    name: str
    kind: ValueKind
    #: Attribute of the model, such as `company_id`; '' when the value is computed.
    attname: str = ''
    #: The declaration of a value that the database or Python computes.
    declared: Computed | Url | InPython | None = None
    #: The field with which its values are checked and bound.
    model_field: models.Field
    nullable: bool = False
    filterable: bool = True
    orderable: bool = True
    #: Whether the database computes it: for an answer, for its row, or as the column's default.
    is_computed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """One relation of a resource, resolved against its model."""

    name: str
    #: Relation of the model, as the ORM spells it in lookups.
    source: str
    #: The ends at which rows meet: the target's lookup `back` equals the attribute `local` here.
    back: str
    local: str
    many: bool
    many_to_many: bool
    #: Whether the row here points at the other (a foreign key), rather than the other way round.
    forward: bool
    nullable: bool
    declared: Related
    #: The relation behind which this one begins, and what it is called there; '' for none.
    via: str = ''
    then: str = ''
    #: The module in which it is declared: where a name of a resource is looked for first.
    beside: str

    @property
    def is_shown(self) -> bool:
        """Whether masks may name it; filters alone name parents, and rows behind others."""
        return not (self.via or isinstance(self.declared, Parent))

    @property
    def step(self) -> str:
        """Its name in the resource at whose rows it begins."""
        return self.then or self.name

    @property
    def target(self) -> 'type[Resource]':
        """The resource that the relation leads to."""
        return resolve(self.declared.resource, self.beside)


class ResolvedMembers:
    """Fields and relations of one resource, resolved when first asked for."""

    def __init__(self, resource: 'type[Resource]') -> None:
        self.resource = resource

    @cached_property
    def fields(self) -> dict[str, Field]:
        meta, declared = self.resource.Meta, self.resource.declared
        listed = getattr(meta, 'fields', ())
        found = [_field_of_model(self.resource, name, declared.get(name)) for name in listed]
        for name, value in declared.items():
            if name not in listed and not isinstance(value, Related | Through):
                found.append(_declared_field(self.resource, name, value))
        filterable, orderable = getattr(meta, 'filterable', None), getattr(meta, 'orderable', None)
        return {
            field.name: replace(
                field,
                filterable=_may(field.filterable, field, filterable),
                orderable=_may(field.orderable, field, orderable),
            )
            for field in found
        }

    @cached_property
    def relations(self) -> dict[str, Relation]:
        relations = (
            _relation(self.resource, name, declared)
            for name, declared in self.resource.declared.items()
            if isinstance(declared, Related)
        )
        return {relation.name: relation for relation in relations}

    @cached_property
    def hops(self) -> dict[str, Relation]:
        return {
            name: _hop(self.resource, name, declared)
            for name, declared in self.resource.declared.items()
            if isinstance(declared, Through)
        }


def _may(by_itself: bool, field: Field, names: Collection[str] | None) -> bool:
    """Whether filters or orders may name a field: by its kind, or as the resource says.

    No resource can say so of what Python alone reads.
    """
    if names is None or field.kind.reveal is not None:
        return by_itself and (names is None or field.name in names)
    return field.name in names


def _field_of_model(
    resource: 'type[Resource]', name: str, declared: Declared | None = None
) -> Field:
    model = resource.options.model
    column = _columns(model).get(name)
    if column is None:
        known = ', '.join(sorted(_columns(model)))
        raise DeclarationError(f'{model.__name__} has no column {name!r}; it has: {known}')
    kind = ARRAY if isinstance(declared, Array) else kind_of(column)
    if kind is None:
        raise DeclarationError(f'{model.__name__}.{name} is of a type that cannot be shown')
    if conversions := own_conversions(column):
        raise DeclarationError(
            f'{model.__name__}.{name} is a {type(column).__name__}, which converts its values in '
            f'Python ({", ".join(conversions)}): the database would show and compare them as they '
            f'are stored. Register a kind of its own for it (docs/how-to/extend-the-core.md).'
        )
    return Field(
        name=name,
        kind=kind,
        attname=column.attname,
        model_field=valued(column),
        # What the database makes is NULL where its expression is, whatever the column says.
        nullable=column.null or column.generated,
        filterable=kind.is_filterable,
        orderable=kind.is_sortable,
        is_computed=_is_computed(column),
    )


def _is_computed(column: models.Field) -> bool:
    """Return whether the database computes some of the values that a column holds."""
    default = getattr(column, 'db_default', models.NOT_PROVIDED)
    is_expression = hasattr(default, 'resolve_expression') and not isinstance(default, models.Value)
    return isinstance(column, models.GeneratedField) or is_expression


def _columns(model: type[models.Model]) -> dict[str, models.Field]:
    """Return the concrete fields of a model by the name of the attribute that has their value."""
    columns: dict[str, models.Field] = {}
    for field in model._meta.concrete_fields:
        columns[field.name if isinstance(field, EncryptedField) else field.attname] = field
    return columns


def _declared_field(resource: 'type[Resource]', name: str, declared: Declared) -> Field:
    match declared:
        case Array(source=source):
            return replace(_field_of_model(resource, source or name, declared), name=name)
        case Computed(output_field=output_field):
            kind = kind_of(output_field)
            if kind is None:
                raise DeclarationError(f'{resource.__name__}.{name}: its type cannot be shown')
            return Field(
                name=name,
                kind=kind,
                declared=declared,
                model_field=output_field,
                nullable=True,
                filterable=kind.is_filterable and not kind.has_parts,
                orderable=kind.is_sortable,
                is_computed=True,
            )
        case Url() | InPython():
            return Field(
                name=name,
                kind=TEXT if isinstance(declared, Url) else JSON,
                declared=declared,
                model_field=models.TextField(),
                nullable=True,
                filterable=False,
                orderable=False,
            )
    raise DeclarationError(f'{resource.__name__}.{name} cannot be declared so')


def _relation(resource: 'type[Resource]', name: str, declared: Related) -> Relation:
    model = resource.options.model
    source = declared.source or name
    edge: Any
    try:
        edge = model._meta.get_field(source)
    except FieldDoesNotExist:
        # Meta knows reverse relations by their query name, not by their accessor (`related_name`).
        reverse = {each.get_accessor_name(): each for each in model._meta.related_objects}
        edge = reverse.get(source)
    if edge is None or not edge.is_relation:
        raise DeclarationError(f'{model.__name__} has no relation {source!r}')
    many = bool(edge.one_to_many or edge.many_to_many)
    if many != isinstance(declared, Many):
        kind = 'Many' if many else 'One'
        raise DeclarationError(f'{resource.__name__}.{name} leads to {kind.lower()}: use {kind}')
    source, back, local = _link(edge)
    forward = bool(edge.concrete and not edge.many_to_many)
    return Relation(
        name=name,
        source=source,
        back=back,
        local=local,
        many=many,
        many_to_many=bool(edge.many_to_many),
        forward=forward,
        nullable=not forward or bool(edge.null),
        declared=declared,
        beside=resource.__module__,
    )


def _hop(resource: 'type[Resource]', name: str, declared: Through) -> Relation:
    """Return the second relation, taken as one to many: no order goes so far."""
    first = resource.relations().get(declared.relation)
    second = first.target.relations().get(declared.then) if first else None
    if second is None:
        path = f'{declared.relation!r}, then {declared.then!r}'
        raise DeclarationError(f'{resource.__name__}.{name}: there is no {path}')
    return replace(second, name=name, many=True, via=declared.relation, then=declared.then)


def _link(edge: Any) -> tuple[str, str, str]:
    """Return an edge as the ORM spells it: its lookup, the one back, the local end."""
    if edge.many_to_many:
        if isinstance(edge, models.ManyToManyField):
            return edge.name, edge.related_query_name(), 'pk'
        return edge.field.related_query_name(), edge.field.name, 'pk'
    if edge.concrete:
        return edge.name, edge.target_field.attname, edge.attname
    return edge.field.related_query_name(), edge.field.attname, edge.field.target_field.attname


def primary_key_of(model: type[models.Model]) -> Field:
    """Return the primary key of a model as a field of a resource, called `pk`."""
    return column_as_field('pk', model._meta.pk)


def column_as_field(name: str, column: models.Field) -> Field:
    """Return a column that is never NULL as a field of a resource. Raises DeclarationError."""
    kind = kind_of(column)
    if kind is None:
        raise DeclarationError(f'{column.model.__name__}.{column.name} cannot be shown')
    return Field(name=name, kind=kind, attname=column.attname, model_field=valued(column))
