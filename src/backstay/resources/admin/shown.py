"""Rows, columns and labels that an account may see.

A model's own `__str__` may say what the account must not read, of the row or of another that it
refers to. So rows are labelled with their keys here, and rows that they refer to with their first
short text if the account may read it.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.query import ModelIterable
from django.http import HttpRequest
from django.utils.text import capfirst

from backstay.caller import Facts
from backstay.engine.slots import bind
from backstay.identity.callers import caller_of
from backstay.resources.declaration.fields import Array
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.declaration.shape import Field, Relation
from backstay.resources.kinds import TEXT
from backstay.resources.plan import rights
from backstay.resources.query.mask import parse
from backstay.resources.write.members import columns_of


def visible_rows(request: HttpRequest, resource: type[Resource], rows: Any) -> Any:
    """Return those of the model's rows that the account may see."""
    caller = caller_of(request)
    readable = Readable(resource, caller.standing())
    if rights.visible(readable) is True:
        return rows
    keys = rights.rows(readable).values('pk').query.get_compiler(rows.db)
    sql, parameters = keys.as_sql()
    values = bind(parameters, (), Facts(caller, origin_of(request)))
    return rows.filter(pk__in=RawSQL(sql, values))  # noqa: S611 our own SQL, with parameters


def origin_of(request: HttpRequest) -> str:
    """Return the scheme and host of the site, as the browser sees it."""
    return f'{request.scheme}://{request.get_host()}'


def shown_columns(request: HttpRequest, resource: type[Resource]) -> list[str]:
    """Return the columns that the account may read on every row that it may see."""
    grants = Readable(resource, caller_of(request).standing()).grants
    return [
        name
        for name, field in columns(resource).items()
        if all(grant.reads(field.name) for grant in grants)
    ]


def columns(resource: type[Resource]) -> Mapping[str, Field]:
    """Return the resource's fields that are columns, by their names in the model."""
    return _columns(Readable(resource))


@lru_cache(maxsize=1_024)
def _columns(readable: Readable) -> dict[str, Field]:
    resource = readable.resource
    return {
        column_of(resource, field.attname).name: field
        for field in resource.fields().values()
        if field.attname and (field.declared is None or isinstance(field.declared, Array))
    }


def column_of(resource: type[Resource], attribute: str) -> 'models.Field[Any, Any]':
    """Return the column itself; for a reference the foreign key, not its target."""
    return columns_of(resource.options.model)[attribute]


class RowsByKey(ModelIterable):
    """Rows that are labelled with their keys."""

    def __iter__(self) -> Iterator[models.Model]:
        return map(by_key, super().__iter__())


def by_key(row: models.Model) -> models.Model:
    """Return the row, labelled with its key from now on."""
    row.__class__ = _called_by_key(type(row))
    return row


@lru_cache(maxsize=1_024)
def _called_by_key(model: type[models.Model]) -> type[models.Model]:
    """Return the class of the model with another `__str__`, which Django does not register."""

    def key(row: models.Model) -> str:
        return f'{capfirst(row._meta.verbose_name)} {row.pk}'

    members = {'__module__': model.__module__, '__str__': key}
    return type.__new__(type(model), model.__name__, (model,), members)


def labels(request: HttpRequest, relation: Relation, keys: Collection[Any]) -> dict[Any, str]:
    """Return the labels that the account may read of rows, by the keys that refer to them."""
    target = relation.target
    name = _label(target)
    wanted = {key for key in keys if key is not None}
    if not (wanted and name in shown_columns(request, target)):
        return {}
    rows = target.options.model._base_manager.filter(**{f'{relation.back}__in': wanted})
    return dict(visible_rows(request, target, rows).values_list(relation.back, name))


def _label(resource: type[Resource]) -> str:
    """Return the column of the first short text of the default mask; '' if there is none."""
    mask = resource.options.default_mask
    for name in [name for name, _ in parse(mask).entries] if mask else resource.fields():
        field = resource.fields().get(name)
        if field is not None and field.attname and field.kind is TEXT:
            column = column_of(resource, field.attname)
            if not column.is_relation:
                return str(column.name)
    return ''
