"""Changes of one row, made at random: another value of a column, or a row that comes or goes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models.fields.files import FieldFile

from backstay.resources import Computed, InPython, Resource, Url
from backstay.testing.knowledge import Model, Resources, Tables


@dataclass(frozen=True, slots=True)
class Spot:
    """What of a table can be changed: a column of one row, or a row that comes or goes."""

    model: Model
    #: None for a row that comes or goes.
    column: models.Field | None

    def subjects(self, resources: Resources) -> Iterator[tuple[type[Resource], str, str]]:
        """The fields that it may concern: resource, name and kind of column."""
        for resource in resources:
            for relation in resource.relations().values():
                if relation.many_to_many and self.model is _links(resource, relation.source):
                    yield relation.target, relation.target.options.lookup, 'link'
            if resource.options.model is not self.model:
                continue
            is_row = self.column is None or self.column.name == resource.options.soft_delete
            for name, each in resource.fields().items():
                if is_row and name == resource.options.lookup:
                    yield resource, name, 'row'
                if self.column is None:
                    continue
                if each.attname == self.column.attname or _is_made_of(
                    resource, name, self.column.name
                ):
                    yield resource, name, kind_of_column(resource, name)

    def choose(
        self, random: Random, keys: Sequence[Any], shown: Collection[Any] = ()
    ) -> 'Mutation | None':
        """What becomes of one row; None where its value would be what it is.

        Mostly it is a row that the caller sees without its value, if there is one: such a value
        may show in the order of rows, or by a filter.
        """
        seen = [key for key in keys if key in shown] if random.random() < 0.7 else []
        row = self.model._base_manager.get(pk=random.choice(seen or keys))
        if self.column is None:
            gone = random.random() < 0.5
            return Mutation(self, row, None, is_gone=gone)
        value = another(random, row, self.column)
        if value == getattr(row, self.column.attname):
            return None
        return Mutation(self, row, value)


@dataclass(frozen=True)
class Mutation:
    """One change of one row."""

    spot: Spot
    row: models.Model
    value: Any
    is_gone: bool = False

    @property
    def key(self) -> Any:
        """The primary key of the row."""
        return self.row.pk

    def tables(self, read: Tables) -> Tables:
        """What was read of the database before, as far as the change cannot have touched it."""
        if self.is_gone:
            return Tables()  # what goes along with a row is for the database to say
        column, every = self.spot.column, self.spot.model._meta.concrete_fields
        if column is None:
            return read.without(self.spot.model)
        made = [each for each in every if each is column or each.generated]
        return read.without(self.spot.model, [str(each.column) for each in made])

    def values_of(self, resource: type[Resource], name: str) -> tuple[Any, ...]:
        """What a field shows of the row before, and of the column what it is to be."""
        if resource.options.model is not self.spot.model:  # of a link, the ends
            ends = [
                each.attname
                for each in self.spot.model._meta.concrete_fields
                if each.related_model is resource.options.model
            ]
            changed = self.spot.column is not None and self.spot.column.attname in ends
            return (*(getattr(self.row, each) for each in ends), *[self.value] * changed)
        if self.spot.column is None:
            return (self.key,)
        declared = resource.fields()[name]
        if isinstance(declared.declared, Computed):
            rows = self.spot.model._base_manager.filter(pk=self.key)
            return (
                *rows.annotate(value_=declared.declared.expression).values_list(
                    'value_', flat=True
                ),
            )
        if declared.attname != self.spot.column.attname:
            return (getattr(self.row, declared.attname, None),)
        was = getattr(self.row, self.spot.column.attname)
        plain = was.name if isinstance(was, FieldFile) else was
        return (plain, self.value)

    def apply(self) -> None:
        """Change the database."""
        rows = self.spot.model._base_manager
        if self.spot.column is not None:
            rows.filter(pk=self.key).update(**{self.spot.column.attname: self.value})
        elif self.is_gone:
            rows.filter(pk=self.key).delete()
        else:
            copied = rows.get(pk=self.key)
            copied.pk = None
            rows.bulk_create([copied])

    def __str__(self) -> str:
        name = f'{self.spot.model.__name__} {self.key}'
        if self.spot.column is not None:
            return f'{self.spot.column.name} of {name}, which becomes {self.value!r}'
        return f'{name}, which goes' if self.is_gone else f'a copy of {name}'


def spots_of(resources: Resources) -> Iterator[Spot]:
    """Every way of changing the tables of these resources, and those that link their rows."""
    found: dict[Model, None] = {each.options.model: None for each in resources}
    for resource in resources:
        for relation in resource.relations().values():
            if relation.many_to_many:
                found[_links(resource, relation.source)] = None
    for model in sorted(found, key=str):
        yield Spot(model, None)
        for column in model._meta.concrete_fields:
            if not (column.primary_key or column.generated):
                yield Spot(model, column)


def _links(resource: type[Resource], source: str) -> Model:
    """The table behind a relation of many to many."""
    for each in (*resource.options.model._meta.many_to_many, *_reverse(resource)):
        if each.name == source:
            edge: Any = each.remote_field if isinstance(each, models.ManyToManyField) else each
            through: Model = edge.through
            return through
    raise LookupError(source)


def _reverse(resource: type[Resource]) -> list[Any]:
    return [each for each in resource.options.model._meta.related_objects if each.many_to_many]


def _is_made_of(resource: type[Resource], name: str, column: str) -> bool:
    """Whether a field is computed from a column."""
    match resource.fields()[name].declared:
        case Computed(expression=expression):
            return f'F({column})' in repr(expression)
        case InPython(needs=needs):
            return column in needs
        case Url(path=path):
            return f'{{{column}}}' in path
    made_of = getattr(resource.fields()[name].model_field, 'expression', None)
    return f'F({column})' in repr(made_of)  # a column that the database generates


def kind_of_column(resource: type[Resource], name: str) -> str:
    """The kind of column that a field shows: its class, or the way in which it is declared."""
    declared = resource.declared.get(name)
    if declared is not None:
        return type(declared).__name__
    attname = resource.fields()[name].attname
    for column in resource.options.model._meta.concrete_fields:
        if column.attname == attname:
            chosen = ' of choices' if column.choices else ''
            return type(column).__name__.removesuffix('Field') + chosen
    raise LookupError(name)


def another(random: Random, row: models.Model, column: models.Field) -> Any:
    """Another value for a column: one that it has elsewhere, one made up, or none."""
    source, name = type(row)._base_manager, column.attname
    if isinstance(column, models.ForeignKey):
        source, name = column.related_model._base_manager, column.target_field.attname
    values = [*source.order_by('pk').values_list(name, flat=True)[:50]]
    now = getattr(row, column.attname)
    if not column.is_relation:
        values += [choice for choice, _ in column.flatchoices] or _near(column, now)
    values += [None] if column.null else []
    return random.choice(values or [now])


def _near(column: models.Field, now: Any) -> list[Any]:
    """Values that are like one, and are not it; some come before all others, some after them."""
    match now:
        case bool():
            return [not now]
        case int() | float() | Decimal():
            return [now + 1, now + 1_000, now - 1_000]
        case str() if not isinstance(column, models.GenericIPAddressField):
            most = column.max_length or 200
            return [(now + 'x')[-most:], ('0' + now)[:most], ('z' + now)[:most]]
        case datetime() | date():
            return [now + timedelta(days=1), now - timedelta(days=4_000)]
        case time():
            return [time(23 - now.hour, now.minute)]
        case timedelta():
            return [now + timedelta(hours=1)]
        case UUID():
            return [UUID(int=now.int ^ 1)]
        case list():
            return [[*now, 'x'], []]
        case dict():
            return [{**now, 'color': 'mauve'}, {}]
        case bytes() | memoryview():
            return [bytes(now) + b'x']
        case FieldFile():
            return [f'{now.name}x']
    return []
