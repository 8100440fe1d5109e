"""What a caller may know, worked out from the grants with Django's ORM.

It shares no code with the compiler of reads: each grant's rows are found row by row, as sets of
primary keys, so that `not` is the complement and unknown covers nothing. Where it cannot tell
what a value is made of, it takes the whole row for known, which tests less and never too much.
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from django.db import models
from django.db.models import Q

from backstay.caller import Caller
from backstay.resources import CallerValue, Computed, Grant, Resource, Scope
from backstay.resources.declaration.shape import Relation

Resources = tuple[type[Resource], ...]


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


def knowledge_of(caller: Caller, resources: Resources) -> Hashable:
    """All that the caller may know of these resources; equal where nothing of it has changed."""
    seen = {resource: _grants(resource, caller) for resource in resources}
    return (
        repr(caller),
        *(
            (resource.__qualname__, *sorted(_of_rows(resource, seen), key=repr))
            for resource in resources
        ),
    )


def _grants(resource: type[Resource], caller: Caller) -> dict[Any, Grant]:
    """The highest grant to read that covers each row, by primary key."""
    found: dict[Any, Grant] = {}
    standing = caller.standing()
    for grant in reversed(resource.grants):
        if grant.read and grant.who.includes(standing):
            for key in _covered(resource.options.model, grant.rows, caller):
                found.setdefault(key, grant)
    return found


def _covered(model: type[models.Model], rows: Q, caller: Caller) -> set[Any]:
    """The primary keys of the rows that a condition of a grant covers."""
    every = {*model._base_manager.values_list('pk', flat=True)}
    parts = [_covered_by(model, child, caller, every) for child in rows.children]
    if not parts:
        covered = every
    elif rows.connector == Q.OR:
        covered = set.union(*parts)
    else:
        covered = set.intersection(*parts)
    return every - covered if rows.negated else covered


def _covered_by(model: type[models.Model], child: Any, caller: Caller, every: set[Any]) -> set[Any]:
    if isinstance(child, Q):
        return _covered(model, child, caller)
    condition = child
    if isinstance(child, tuple):
        lookup, value = child
        if isinstance(value, Scope):
            if _holds_all(caller, value):
                return every
            value = caller.ids(value.over, value.level)
        elif isinstance(value, CallerValue):
            value = caller.value(value.name)
            if value is None:
                return set()
        condition = Q(**{lookup: value})
    return {*model._base_manager.filter(condition).values_list('pk', flat=True)}


def _holds_all(caller: Caller, scope: Scope) -> bool:
    everywhere = caller.standing().everywhere
    return any(over == scope.over and held >= scope.level for over, held in everywhere)


def _of_rows(
    resource: type[Resource], seen: dict[type[Resource], dict[Any, Grant]]
) -> Iterator[tuple[Any, ...]]:
    """What may be known of each row that is there for the caller."""
    computed = {
        name: declared.expression
        for name, declared in resource.declared.items()
        if isinstance(declared, Computed)
    }
    rows = resource.options.model._base_manager.filter(pk__in=[*seen[resource]])
    aliases = {f'computed_{name}': expression for name, expression in computed.items()}
    related = {
        name: _related(relation, seen[relation.target])
        for name, relation in resource.relations().items()
    }
    for row in rows.annotate(**aliases):
        grant = seen[resource][row.pk]
        values = tuple(
            (name, repr(_value(resource, row, name)))
            for name in resource.fields()
            if grant.reads(name)
        )
        links = tuple(
            (name, related[name].get(getattr(row, relation.local), ()))
            for name, relation in resource.relations().items()
            if grant.reads(name)
        )
        yield (repr(row.pk), *values, *links)


def _value(resource: type[Resource], row: models.Model, name: str) -> Any:
    field = resource.fields()[name]
    if isinstance(field.declared, Computed):
        return getattr(row, f'computed_{name}')
    if field.attname:
        return getattr(row, field.attname)
    return [getattr(row, column.attname) for column in row._meta.concrete_fields]


def _related(relation: Relation, there: dict[Any, Grant]) -> dict[Any, tuple[Any, ...]]:
    """The rows of the target that are there for the caller, by what leads to them."""
    found: dict[Any, list[Any]] = {}
    pairs = relation.target.options.model._base_manager.filter(pk__in=[*there])
    for back, key in pairs.values_list(relation.back, 'pk'):
        found.setdefault(back, []).append(key)
    return {back: tuple(sorted(keys, key=repr)) for back, keys in found.items()}
