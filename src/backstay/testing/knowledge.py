"""What a caller may know, worked out from the grants with Django's ORM.

It shares no code with the compiler of reads: the rows of each grant are found condition by
condition, as sets of primary keys, so that `not` is the complement and unknown covers nothing.
Where it cannot tell what a value is made of, it takes the whole row for known, which tests less and
never too much. The rules are those of `docs/reference/rules.md`.
"""

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import F, Q

from backstay.caller import Caller
from backstay.resources import CallerValue, Computed, Grant, InPython, Resource, Scope, Url
from backstay.resources.declaration.shape import Relation

Resources = tuple[type[Resource], ...]
Model = type[models.Model]
#: A model, the primary key of a row, and an attribute of it.
Cell = tuple[Model, Any, str]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that a caller may know of some resources; equal where nothing of it differs."""

    told: Hashable
    #: Every stored value that is part of it.
    cells: frozenset[Cell] = field(compare=False)


def reachable(resources: Iterable[type[Resource]]) -> Resources:
    """These resources, and all that their relations lead to."""
    found: dict[type[Resource], None] = {}
    waiting = [*resources]
    while waiting:
        resource = waiting.pop(0)
        if resource not in found:
            found[resource] = None
            waiting += [relation.target for relation in resource.relations().values()]
    return (*found,)


def knowledge_of(caller: Caller, resources: Resources) -> Knowledge:
    """All that the caller may know of these resources."""
    tables = _Tables()
    seen = {resource: _deciding(resource, caller, tables) for resource in resources}
    cells: set[Cell] = set()
    told = tuple(
        (
            resource.__qualname__,
            *sorted(_of_rows(resource, seen, cells), key=repr),
            *sorted(_of_deleted(resource, caller, tables, cells), key=repr),
            *_of_writing(resource, caller, tables, seen[resource]),
        )
        for resource in resources
    )
    return Knowledge((repr(caller), told), frozenset(cells))


# Which rows each grant covers.


class _Tables:
    """Primary keys that conditions choose, asked of the database once each."""

    def __init__(self) -> None:
        self._every: dict[Model, frozenset[Any]] = {}
        self._chosen: dict[tuple[Model, str], frozenset[Any]] = {}

    def every(self, model: Model) -> frozenset[Any]:
        """The primary keys of all rows."""
        if model not in self._every:
            self._every[model] = frozenset(model._base_manager.values_list('pk', flat=True))
        return self._every[model]

    def chosen(self, model: Model, condition: Any) -> frozenset[Any]:
        """The primary keys of the rows on which a condition without `not` is true."""
        if not _is_plain(condition):  # its `repr` says too little, or asks the database
            return frozenset(model._base_manager.filter(condition).values_list('pk', flat=True))
        key = model, repr(condition)
        if key not in self._chosen:
            found = model._base_manager.filter(condition).values_list('pk', flat=True)
            self._chosen[key] = frozenset(found)
        return self._chosen[key]


def _is_plain(value: Any) -> bool:
    """Whether a condition compares columns with nothing but constants and other columns."""
    if isinstance(value, Q):
        return all(
            isinstance(child, tuple) and all(map(_is_plain, child)) for child in value.children
        )
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_is_plain, value))
    return type(value) is F or not hasattr(value, 'resolve_expression')


def _deciding(
    resource: type[Resource], caller: Caller, tables: _Tables, *, deleted: bool = False
) -> dict[Any, Grant]:
    """The highest grant to read that covers each row, by primary key (rules R1 and R9)."""
    model, deleted_at = resource.options.model, resource.options.soft_delete
    gone = (
        tables.chosen(model, Q(**{f'{deleted_at}__isnull': False})) if deleted_at else frozenset()
    )
    found: dict[Any, Grant] = {}
    for grant in reversed(resource.grants):
        if not grant.read or not grant.who.includes(caller.standing(writing=deleted)):
            continue
        if deleted and not grant.delete:
            continue
        covered = _covered(model, grant.rows, caller, tables, writing=deleted)
        for key in covered & gone if deleted else covered - gone:
            found.setdefault(key, grant)
    return found


def _covered(
    model: Model, rows: Q, caller: Caller, tables: _Tables, *, writing: bool = False
) -> frozenset[Any]:
    """The primary keys of the rows that a condition of a grant covers (rule R2)."""
    every = tables.every(model)
    parts = [
        _covered(model, child, caller, tables, writing=writing)
        if isinstance(child, Q)
        else _covered_by(model, child, caller, tables, writing=writing)
        for child in rows.children
    ]
    if not parts:
        covered = every
    elif rows.connector == Q.OR:
        covered = frozenset.union(*parts)
    elif rows.connector == Q.XOR:
        covered = frozenset(key for key in every if sum(key in part for part in parts) % 2)
    else:
        covered = frozenset.intersection(*parts)
    return every - covered if rows.negated else covered


def _covered_by(
    model: Model, child: Any, caller: Caller, tables: _Tables, *, writing: bool
) -> frozenset[Any]:
    if not isinstance(child, tuple):
        return tables.chosen(model, Q(child))
    lookup, value = child
    if isinstance(value, Scope):
        everywhere = caller.standing(writing=writing).everywhere
        if any(over == value.over and held >= value.level for over, held in everywhere):
            return tables.every(model)
        value = caller.ids(value.over, value.level, writing=writing)
    elif isinstance(value, CallerValue):
        value = caller.value(value.name)
        if value is None:
            return frozenset()
    return tables.chosen(model, Q(**{lookup: value}))


# What may be known of them.


def _of_rows(
    resource: type[Resource], seen: dict[type[Resource], dict[Any, Grant]], cells: set[Cell]
) -> Iterator[tuple[Any, ...]]:
    """What may be known of each row that is there for the caller."""
    related = {
        name: _related(relation, seen[relation.target])
        for name, relation in resource.relations().items()
    }
    for row, grant in _rows(resource, seen[resource]):
        links = tuple(
            (name, related[name].get(getattr(row, relation.local), ()))
            for name, relation in resource.relations().items()
            if grant.reads(name)
        )
        yield (repr(row.pk), *_values(resource, row, grant, cells), *links)


def _of_deleted(
    resource: type[Resource], caller: Caller, tables: _Tables, cells: set[Cell]
) -> Iterator[tuple[Any, ...]]:
    """What may be known of each deleted row; what is behind its relations is known as well."""
    if resource.options.soft_delete:
        for row, grant in _rows(resource, _deciding(resource, caller, tables, deleted=True)):
            yield ('deleted', repr(row.pk), *_values(resource, row, grant, cells))


def _of_writing(
    resource: type[Resource], caller: Caller, tables: _Tables, seen: dict[Any, Grant]
) -> Iterator[tuple[Any, ...]]:
    """Which grants to write cover which rows: the caller may try it out."""
    standing, there = caller.standing(writing=True), {*seen}
    if resource.options.soft_delete:
        there |= {*_deciding(resource, caller, tables, deleted=True)}
    for position, grant in enumerate(resource.grants):
        if (grant.write or grant.delete) and grant.who.includes(standing):
            covered = _covered(resource.options.model, grant.rows, caller, tables, writing=True)
            yield 'writes', position, *sorted(map(repr, covered & there))


def _rows(
    resource: type[Resource], deciding: dict[Any, Grant]
) -> Iterator[tuple[models.Model, Grant]]:
    computed = {
        f'computed_{name}': declared.expression
        for name, declared in resource.declared.items()
        if isinstance(declared, Computed)
    }
    rows = resource.options.model._base_manager.filter(pk__in=[*deciding])
    for row in rows.annotate(**computed):
        yield row, deciding[row.pk]


def _values(
    resource: type[Resource], row: models.Model, grant: Grant, cells: set[Cell]
) -> tuple[tuple[str, str], ...]:
    """The fields of a row that its grant lets be read."""
    model, found = type(row), []
    cells.add((model, row.pk, 'pk'))
    for name, declared in resource.fields().items():
        if not grant.reads(name):
            continue
        if isinstance(declared.declared, Computed):
            value = getattr(row, f'computed_{name}')
        elif declared.attname:
            value = getattr(row, declared.attname)
            cells.add((model, row.pk, declared.attname))
        else:
            columns = _columns_of(resource, name)
            value = [getattr(row, column) for column in columns]
            cells.update((model, row.pk, column) for column in columns)
        found.append((name, repr(bytes(value) if isinstance(value, memoryview) else value)))
    return (*found,)


def _columns_of(resource: type[Resource], name: str) -> list[str]:
    """The attributes that a value is made of by Python or as a URL; all, where one is computed."""
    fields = resource.fields()
    match fields[name].declared:
        case InPython(needs=needs):
            found = [fields[need].attname for need in needs]
        case Url(path=path):
            found = [fields[need].attname for need in re.findall(r'\{(\w+)\}', path)]
        case _:
            found = ['']
    every = [column.attname for column in resource.options.model._meta.concrete_fields]
    return found if all(found) else every


def _related(relation: Relation, there: dict[Any, Grant]) -> dict[Any, tuple[Any, ...]]:
    """The rows of the target that are there for the caller, by what leads to them."""
    found: dict[Any, list[Any]] = {}
    pairs = relation.target.options.model._base_manager.filter(pk__in=[*there])
    for back, key in pairs.values_list(relation.back, 'pk'):
        found.setdefault(back, []).append(key)
    return {back: tuple(sorted(keys, key=repr)) for back, keys in found.items()}
