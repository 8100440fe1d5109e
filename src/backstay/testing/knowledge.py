"""What a caller may know, worked out from the grants with Django's ORM.

It shares no code with the compiler of reads: the rows of each grant are found condition by
condition, as sets of primary keys, so that `not` is the complement and unknown covers nothing.
Where it cannot tell what a value is made of, it takes the whole row for known, which tests less and
never too much. The rules are those of `docs/reference/rules.md`.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import F, Q

from backstay.caller import Caller
from backstay.resources import CallerValue, Computed, Grant, InPython, Resource, Scope, Url
from backstay.resources.declaration.shape import Relation

Resources = tuple[type[Resource], ...]
Model = type[models.Model]
#: A model, the primary key of a row, and an attribute of it.
Cell = tuple[Model, Any, str]
Found = TypeVar('Found')


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


def knowledge_of(caller: Caller, resources: Resources, tables: 'Tables | None' = None) -> Knowledge:
    """All that the caller may know of these resources, by what is read of the database."""
    tables = Tables() if tables is None else tables
    seen = {resource: _deciding(resource, caller, tables) for resource in resources}
    cells: set[Cell] = set()
    told = tuple(
        (
            resource.__qualname__,
            *_of_rows(resource, seen, tables, cells),
            *_of_deleted(resource, caller, tables, cells),
            *_of_writing(resource, caller, tables, seen[resource]),
        )
        for resource in resources
    )
    return Knowledge((repr(caller), told), frozenset(cells))


# What is read of the database.


class Tables:
    """What is read of the database: each thing once, with the SQL that it was asked for in.

    What is kept belongs to the conditions of the grants that were asked about, which must live as
    long.
    """

    def __init__(self, found: dict[Hashable, tuple[str, Any]] | None = None) -> None:
        self._found = found or {}

    def without(self, model: Model, columns: Iterable[str] = ()) -> 'Tables':
        """What does not depend on these columns of a model; without any, on its table."""
        table, *names = map(connection.ops.quote_name, (model._meta.db_table, *columns))
        return Tables(
            {
                key: (sql, found)
                for key, (sql, found) in self._found.items()
                if table not in sql or (names and not any(name in sql for name in names))
            }
        )

    def every(self, model: Model) -> frozenset[Any]:
        """The primary keys of all rows."""
        rows = model._base_manager.values_list('pk', flat=True)
        return self._read(model, rows, frozenset)

    def chosen(self, model: Model, part: Any) -> frozenset[Any]:
        """The primary keys of the rows on which a part of a condition, without `not`, is true."""
        if _is_plain(part):
            said: Any = repr(part)
        else:  # its `repr` says too little, or asks the database
            said = (part[0], id(part[1])) if isinstance(part, tuple) else id(part)
        rows = model._base_manager.filter(part).values_list('pk', flat=True)
        return self._read((model, said), rows, frozenset)

    def rows(self, resource: type[Resource], keys: frozenset[Any]) -> 'list[_Row]':
        """Rows with these primary keys, and their computed values."""
        computed = {
            f'computed_{name}': declared.expression
            for name, declared in resource.declared.items()
            if isinstance(declared, Computed)
        }
        rows = resource.options.model._base_manager.filter(pk__in=keys).annotate(**computed)
        return self._read((resource, keys), rows, lambda found: sorted(map(_Row, found), key=_key))

    def pairs(self, relation: Relation, keys: frozenset[Any]) -> list[tuple[Any, Any]]:
        """What leads by a relation to rows with these primary keys, and their keys."""
        target = relation.target.options.model
        rows = target._base_manager.filter(pk__in=keys).values_list(relation.back, 'pk')
        return self._read((target, relation.back, keys), rows, list)

    def _read(self, key: Hashable, rows: Any, kept: Callable[[Any], Found]) -> Found:
        if key not in self._found:
            try:
                sql, _ = rows.query.sql_with_params()
            except EmptyResultSet:
                sql = ''  # whatever is stored
            self._found[key] = sql, kept(rows)
        found: Found = self._found[key][1]
        return found


class _Row:
    """One row, and what each grant shows of it."""

    def __init__(self, row: models.Model) -> None:
        self.row = row
        self.shown: dict[int, tuple[tuple[str, ...], frozenset[Cell]]] = {}


def _key(found: _Row) -> str:
    return repr(found.row.pk)


# Which rows each grant covers.


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
    resource: type[Resource], caller: Caller, tables: Tables, *, deleted: bool = False
) -> dict[Any, Grant]:
    """The highest grant to read that covers each row, by primary key (rules R1 and R9)."""
    model, deleted_at = resource.options.model, resource.options.soft_delete
    gone = tables.chosen(model, (f'{deleted_at}__isnull', False)) if deleted_at else frozenset()
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
    model: Model, rows: Q, caller: Caller, tables: Tables, *, writing: bool = False
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
    model: Model, child: Any, caller: Caller, tables: Tables, *, writing: bool
) -> frozenset[Any]:
    if not isinstance(child, tuple):
        return tables.chosen(model, child)
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
    return tables.chosen(model, (lookup, value))


# What may be known of them.


def _of_rows(
    resource: type[Resource],
    seen: dict[type[Resource], dict[Any, Grant]],
    tables: Tables,
    cells: set[Cell],
) -> Iterator[tuple[Any, ...]]:
    """What may be known of each row that is there for the caller."""
    related = {
        name: _related(relation, seen[relation.target], tables)
        for name, relation in resource.relations().items()
    }
    for row, grant, told in _told(resource, seen[resource], tables, cells):
        links = tuple(
            (name, related[name].get(getattr(row, relation.local), ()))
            for name, relation in resource.relations().items()
            if grant.reads(name)
        )
        yield told, links


def _of_deleted(
    resource: type[Resource], caller: Caller, tables: Tables, cells: set[Cell]
) -> Iterator[tuple[Any, ...]]:
    """What may be known of each deleted row; what is behind its relations is known as well."""
    if resource.options.soft_delete:
        deciding = _deciding(resource, caller, tables, deleted=True)
        for _, _, told in _told(resource, deciding, tables, cells):
            yield 'deleted', told


def _told(
    resource: type[Resource], deciding: dict[Any, Grant], tables: Tables, cells: set[Cell]
) -> Iterator[tuple[models.Model, Grant, tuple[str, ...]]]:
    """Each row with its grant, and what that lets be read."""
    for each in tables.rows(resource, frozenset(deciding)):
        grant = deciding[each.row.pk]
        if id(grant) not in each.shown:
            each.shown[id(grant)] = _values(resource, each.row, grant)
        told, known = each.shown[id(grant)]
        cells |= known
        yield each.row, grant, told


def _of_writing(
    resource: type[Resource], caller: Caller, tables: Tables, seen: dict[Any, Grant]
) -> Iterator[tuple[Any, ...]]:
    """Which grants to write cover which rows: the caller may try it out."""
    standing, there = caller.standing(writing=True), {*seen}
    if resource.options.soft_delete:
        there |= {*_deciding(resource, caller, tables, deleted=True)}
    for position, grant in enumerate(resource.grants):
        if (grant.write or grant.delete) and grant.who.includes(standing):
            covered = _covered(resource.options.model, grant.rows, caller, tables, writing=True)
            yield 'writes', position, *sorted(map(repr, covered & there))


def _values(
    resource: type[Resource], row: models.Model, grant: Grant
) -> tuple[tuple[str, ...], frozenset[Cell]]:
    """The key and the fields of a row that its grant lets be read, and what is stored of them."""
    model, found = type(row), [repr(row.pk)]
    columns = {'pk'}
    for name, declared in resource.fields().items():
        if not grant.reads(name):
            continue
        if isinstance(declared.declared, Computed):
            value = getattr(row, f'computed_{name}')
        elif declared.attname:
            value = getattr(row, declared.attname)
            columns.add(declared.attname)
        else:
            made_of = _columns_of(resource, name)
            value = [getattr(row, column) for column in made_of]
            columns.update(made_of)
        shown = bytes(value) if isinstance(value, memoryview) else value
        found.append(f'{name}: {shown!r}')
    return (*found,), frozenset((model, row.pk, column) for column in columns)


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


def _related(
    relation: Relation, there: dict[Any, Grant], tables: Tables
) -> dict[Any, tuple[Any, ...]]:
    """The rows of the target that are there for the caller, by what leads to them."""
    found: dict[Any, list[Any]] = {}
    for back, key in tables.pairs(relation, frozenset(there)):
        found.setdefault(back, []).append(key)
    return {back: tuple(sorted(keys, key=repr)) for back, keys in found.items()}
