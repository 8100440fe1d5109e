"""Rights in Python, over a world: what the compiled SQL must agree with.

Written from the rules in `docs/reference/rules.md` and from what grants declare; it
shares no code with the compiler. A truth is True, False, or None where SQL says unknown.
"""

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Any

from django.db import models
from django.db.models import Q

from backstay.caller import Caller
from backstay.resources import (
    CallerValue,
    Computed,
    Grant,
    InPython,
    Many,
    One,
    Resource,
    Scope,
    Url,
)
from backstay.resources.declaration.registry import resolve
from tests.resources.oracle import Compare, Group, Junction, SortKey, Tree, Truth
from tests.rights.world import Row, World

#: The rows that leaves speak of: the listed one under '', one for each relation that is named.
Rows = Mapping[str, tuple[type[Resource], Row]]


@dataclass(frozen=True)
class View:
    """A world as a caller may see it."""

    world: World
    caller: Caller

    @cached_property
    def _standing(self) -> Any:
        return self.caller.standing()

    @cached_property
    def _kept(self) -> dict[Any, Grant | None]:
        return {}

    # Which rows, and what of them.

    def applying(self, resource: type[Resource]) -> list[Grant]:
        """The grants to read that may decide about a row, the highest first."""
        found = []
        for grant in reversed(resource.grants):
            if grant.read and grant.who.includes(self._standing):
                certain = self._certain(grant.rows)
                found += [grant] * (certain is not False)
                if certain:
                    break
        return found

    def grant(self, resource: type[Resource], row: Row) -> Grant | None:
        """The highest grant that covers the row; None where none does: it is not there."""
        model = resource.options.model
        key = resource, row[model._meta.pk.attname]
        if key not in self._kept:
            covering = (
                each for each in self.applying(resource) if self._covers(each.rows, model, row)
            )
            self._kept[key] = next(covering, None)
        return self._kept[key]

    def rows(self, resource: type[Resource]) -> list[Row]:
        """The rows that are there, by primary key."""
        model = resource.options.model
        every = sorted(self.world.rows[model].items())
        return [row for _, row in every if self.grant(resource, row)]

    def reads(self, resource: type[Resource], row: Row, name: str) -> bool:
        """Whether the caller may read a field or relation of a row."""
        grant = self.grant(resource, row)
        return grant is not None and grant.reads(name)

    def names(self, resource: type[Resource]) -> list[str]:
        """The fields and relations that the caller may read of some row, if it is there."""
        known = (*resource.fields(), *resource.relations())
        return [name for name in known if self._has(resource, name)]

    def related(self, resource: type[Resource], row: Row, name: str) -> list[Row]:
        """The rows that are there behind a relation."""
        declared = resource.declared[name]
        source = (getattr(declared, 'source', None) or name).removesuffix('_set')
        found = _step(self.world, resource.options.model, row, source)
        inner = target(resource, name)
        return [each for each in found if each is not None and self.grant(inner, each)]

    def _has(self, resource: type[Resource], name: str) -> bool:
        if not any(grant.reads(name) for grant in self.applying(resource)):
            return False
        return name in resource.fields() or bool(self.applying(target(resource, name)))

    def _covers(self, rows: Q, model: type[models.Model], row: Row) -> bool:
        """`not` is the complement: a row that the inside does not cover."""
        truths = [
            self._covers(child, model, row)
            if isinstance(child, Q)
            else self._holds(model, row, *child)
            for child in rows.children
        ]
        covered = any(truths) if rows.connector == Q.OR and truths else all(truths)
        return covered != rows.negated

    def _certain(self, rows: Q) -> Truth:
        """What the caller's scopes say of every row alike; None where it depends on the row."""
        truths: list[Truth] = []
        for child in rows.children:
            if isinstance(child, Q):
                truths.append(self._certain(child))
            else:
                is_every = isinstance(child[1], Scope) and self._holds_every(child[1])
                truths.append(True if is_every else None)
        if rows.connector == Q.OR and truths:
            truth = _not(_all([_not(each) for each in truths]))
        else:
            truth = _all(truths)
        return _not(truth) if rows.negated else truth

    def _holds(self, model: type[models.Model], row: Row, lookup: str, wanted: Any) -> bool:
        path, _, word = lookup.rpartition('__')
        if word not in _WORDS:
            path, word = lookup, 'exact'
        if isinstance(wanted, Scope) and self._holds_every(wanted):
            return True
        values = list(_values(self.world, model, row, path.split('__')))
        if isinstance(wanted, Scope):
            held = self.caller.ids(wanted.over, wanted.level)
            return any(value in held for value in values)
        if isinstance(wanted, CallerValue):
            wanted = self.caller.value(wanted.name)
            return wanted is not None and wanted in values
        if word == 'isnull':
            return (None in values) == wanted
        return any(value is not None and _WORDS[word](value, wanted) for value in values)

    def _holds_every(self, scope: Scope) -> bool:
        return any(
            held.over == scope.over and held.id is None and held.level >= scope.level
            for held in self.caller.scopes
        )

    # What is shown.

    def shown(self, resource: type[Resource], row: Row, mask: Mapping[str, Any]) -> dict[str, Any]:
        """The object of a row: absent is what it does not show, null a single row not there."""
        return {
            name: self._member(resource, row, name, below)
            for name, below in mask.items()
            if self.reads(resource, row, name) and self._has(resource, name)
        }

    def _member(self, resource: type[Resource], row: Row, name: str, below: Any) -> Any:
        if name in resource.fields():
            return json_of(resource, row, name)
        inner, declared = target(resource, name), resource.declared[name]
        rows = self.related(resource, row, name)
        if isinstance(declared, Many):
            names = declared.ordering or inner.options.ordering
            rows = self.in_order(inner, rows, self.declared_keys(inner, names))
            return [self.shown(inner, each, below) for each in rows[: declared.cap]]
        return self.shown(inner, rows[0], below) if rows else None

    # Filters.

    def passes(self, trees: Sequence[Tree], resource: type[Resource], row: Row) -> bool:
        """Whether one combination of related rows that are there satisfies all of it."""
        names = sorted({name for tree in trees for name in relations_of(tree)})
        if not all(self.reads(resource, row, name) for name in names):
            return False
        whole = Junction('and', tuple(trees))
        found = [
            [(target(resource, name), each) for each in self.related(resource, row, name)]
            for name in names
        ]
        return any(
            self._truth(whole, {'': (resource, row), **dict(zip(names, rows, strict=True))}) is True
            for rows in product(*found)
        )

    def _truth(self, tree: Tree, rows: Rows) -> Truth:
        match tree:
            case Compare():
                return self._compare(tree, *rows[tree.relation])
            case Group(word=word, relation=name, where=where):
                resource, row = rows['']
                if not self.reads(resource, row, name):
                    return None
                inner = target(resource, name)
                related = self.related(resource, row, name)
                return any(self.passes(where, inner, each) for each in related) == (word == 'some')
            case Junction(word='and', parts=parts):
                return _all([self._truth(part, rows) for part in parts])
            case Junction(word='or', parts=parts):
                return _not(_all([_not(self._truth(part, rows)) for part in parts]))
            case Junction(parts=(part,)):
                return _not(self._truth(part, rows))
        raise TypeError(tree)

    def _compare(self, leaf: Compare, resource: type[Resource], row: Row) -> Truth:
        if not self.reads(resource, row, leaf.field):
            return None
        value = value_of(resource, row, leaf.field)
        if leaf.op in ('is_null', 'is_not_null'):
            return (value is None) == (leaf.op == 'is_null')
        return None if value is None else _COMPARISONS[leaf.op](value, leaf.value)

    # Orders.

    def in_order(
        self, resource: type[Resource], rows: Sequence[Row], keys: Sequence[SortKey]
    ) -> list[Row]:
        """The rows by these keys, then by primary key in the direction of the last."""
        column = resource.options.model._meta.pk.attname
        backwards = bool(keys) and keys[-1].descending
        ordered = sorted(rows, key=lambda row: row[column], reverse=backwards)
        for key in reversed(keys):
            values = {id(row): self._sort_value(resource, row, key) for row in ordered}
            known = [row for row in ordered if values[id(row)] is not None]
            unknown = [row for row in ordered if values[id(row)] is None]
            known.sort(key=lambda row: values[id(row)], reverse=key.descending)
            first = key.nulls == 'first' if key.nulls else key.descending
            ordered = [*unknown, *known] if first else [*known, *unknown]
        return ordered

    def declared_keys(self, resource: type[Resource], names: Sequence[str]) -> list[SortKey]:
        """A declared order without what the caller may not read of any row."""
        keys = [SortKey(name.removeprefix('-'), descending=name[0] == '-') for name in names]
        readable = {*self.names(resource), 'pk'}
        known = [key for key in keys if key.field in readable]
        return known or [SortKey('pk', descending=keys[-1].descending)]

    def _sort_value(self, resource: type[Resource], row: Row, key: SortKey) -> Any:
        if key.field == 'pk':
            return row[resource.options.model._meta.pk.attname]
        if key.relation:
            if not self.reads(resource, row, key.relation):
                return None
            related = self.related(resource, row, key.relation)
            if not related:
                return None
            resource, row = target(resource, key.relation), related[0]
        if not self.reads(resource, row, key.field):
            return None
        value = value_of(resource, row, key.field)
        return value.encode() if isinstance(value, str) else value

    # Everything at once.

    def projection(self, resources: Sequence[type[Resource]]) -> dict[Any, Any]:
        """All that the caller may know: two worlds of one projection must answer alike."""
        return {
            (resource, row[resource.options.model._meta.pk.attname]): self._known(resource, row)
            for resource in resources
            for row in self.rows(resource)
        }

    def _known(self, resource: type[Resource], row: Row) -> dict[str, Any]:
        known: dict[str, Any] = {}
        for name in self.names(resource):
            if not self.reads(resource, row, name):
                continue
            if name in resource.fields():
                known[name] = json_of(resource, row, name)
            else:
                column = target(resource, name).options.model._meta.pk.attname
                related = self.related(resource, row, name)
                known[name] = sorted(each[column] for each in related)
        return known


def target(resource: type[Resource], name: str) -> type[Resource]:
    """The resource that a relation leads to."""
    declared = resource.declared[name]
    if not isinstance(declared, One | Many):
        raise TypeError(f'{name} is no relation')
    return resolve(declared.resource, resource.__module__)


def value_of(resource: type[Resource], row: Row, name: str) -> Any:
    """A value of a row, as Python has it."""
    declared = resource.fields()[name].declared
    match declared:
        case Computed():
            return None if row['price'] is None else row['price'] * 2
        case Url():
            return f'https://shop.test/works/{row["id"]}/'
        case InPython(function=function):
            return function(row)
    return row[resource.fields()[name].attname]


def json_of(resource: type[Resource], row: Row, name: str) -> Any:
    """A value of a row, as JSON has it."""
    value = value_of(resource, row, name)
    match value:
        case Decimal():
            return f'{value:.2f}'
        case date():
            return value.isoformat()
    return value


_WORDS: Mapping[str, Any] = {
    'exact': operator.eq,
    'in': lambda value, among: value in among,
    'gt': operator.gt,
    'gte': operator.ge,
    'lt': operator.lt,
    'lte': operator.le,
    'isnull': None,
}
_COMPARISONS: Mapping[str, Any] = {
    '==': operator.eq,
    '!=': operator.ne,
    '>': lambda value, other: _ordered(value) > _ordered(other),
    '<=': lambda value, other: _ordered(value) <= _ordered(other),
    'in': lambda value, among: value in among,
    'not_in': lambda value, among: value not in among,
}


def _ordered(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def relations_of(tree: Tree) -> Iterator[str]:
    """The relations whose models the leaves name."""
    match tree:
        case Compare(relation=relation) if relation:
            yield relation
        case Junction(parts=parts):
            for part in parts:
                yield from relations_of(part)


def _all(truths: list[Truth]) -> Truth:
    if False in truths:
        return False
    return None if None in truths else True


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


# Paths of the ORM, over rows in Python.


def _values(
    world: World, model: type[models.Model], row: Row | None, path: Sequence[str]
) -> Iterator[Any]:
    """What lies at the end of a path, once for each way there; None where there is no row."""
    name, *rest = path
    if row is None:
        yield None
        return
    column = _column(model, name)
    if column is not None and not rest:
        yield row[column]
        return
    related = model._meta.get_field(name).related_model
    for each in _step(world, model, row, name) or [None]:
        yield from _values(world, related, each, rest or ['pk'])


def _column(model: type[models.Model], name: str) -> str | None:
    options = model._meta
    if name == 'pk':
        return str(options.pk.attname)
    fields = options.concrete_fields
    return next((field.attname for field in fields if name in (field.name, field.attname)), None)


def _step(world: World, model: type[models.Model], row: Row, name: str) -> list[Row | None]:
    """The rows behind a relation of the model."""
    edge: Any = model._meta.get_field(name)
    others = world.rows[edge.related_model]
    key = row[model._meta.pk.attname]
    if edge.many_to_many:
        field = edge.field if edge.auto_created else edge
        through = field.remote_field.through
        here, there = field.m2m_field_name(), field.m2m_reverse_field_name()
        if edge.auto_created:
            here, there = there, here
        here, there = _column(through, here), _column(through, there)
        return [others[link[there]] for link in world.rows[through].values() if link[here] == key]
    if edge.concrete:
        return [others.get(row[edge.attname])]
    column = edge.field.attname
    return [each for each in others.values() if each[column] == key]
